"""Checks of one table against another: accuracies given twice, times, counts, the confusion matrix."""

from __future__ import annotations

from fractions import Fraction

from orchestrator.paper_check.finding import Finding, Lacking, Outcome, inconsistent
from orchestrator.paper_check.reported import Reported
from orchestrator.paper_check.tables import Confusion
from orchestrator.paper_check.whole_numbers import from_printed
from orchestrator.paper_check.words import digits, share
from orchestrator.printed import Printed
from orchestrator.report.wording import counted, percent


def same_accuracy(reported: Reported) -> Outcome:
    """Is an accuracy that stands in two tables the same in both, as far as it is rounded?"""
    rows = reported.convergence.rows.items() if reported.convergence else ()
    twice = {name: (reported.rows[name].accuracy, speed.accuracy) for name, speed in rows if speed.accuracy is not None}
    if not twice:
        return Lacking("an `accuracy` in `convergence.rows`")
    found = []
    for name, (first, second) in twice.items():
        if first.low > second.high or second.low > first.high:
            sentence = f"The accuracy of “{name}” is {share(first)} in `rows` and {share(second)} in `convergence`."
            numbers = {"row": name, "accuracies": [float(first), float(second)]}
            title = f"“{name}” has two accuracies"
            found.append(inconsistent("same_accuracy", title, sentence, numbers))
    return found


def time_reduction(reported: Reported) -> Outcome:
    """Does the time saved follow from the two times?"""
    table = reported.convergence
    saved = table.time_reduction if table else None
    if table is None or saved is None or saved.of not in table.rows or saved.against not in table.rows:
        return Lacking("`convergence.time_reduction`, and the `minutes` of its two rows")
    own, other = table.rows[saved.of].minutes, table.rows[saved.against].minutes
    if own is None or other is None:
        return Lacking("`minutes` of both rows of `convergence.time_reduction`")
    low, high = 1 - own.high / max(other.low, Fraction(1, 10**9)), 1 - own.low / other.high
    if low <= saved.share.high and saved.share.low <= high:
        return []
    sentence = (
        f"1 - {digits(own)} / {digits(other)} = {100 * (1 - own / other):.2f} % (between {100 * float(low):.2f} % and "
        f"{100 * float(high):.2f} %, whatever was rounded). {share(saved.share)} are reported."
    )
    numbers = {"reported": float(saved.share), "recomputed": 1 - own / other}
    return [inconsistent("time_reduction", "The time saved does not follow from the times", sentence, numbers)]


def photo_counts(reported: Reported) -> Outcome:
    """Do the class counts add up to the photos that are stated, and are there no more faces than photos?"""
    detection, total = reported.detection, sum(sum(counts.values()) for counts in reported.counts.values())
    stated = {"photos": reported.photos, "detection.photos": detection.photos if detection else None}
    if not detection and not (total and (reported.photos or any(row.photos for row in reported.rows.values()))):
        return Lacking("`counts`, and `photos` or `detection`")
    found = []
    for field, photos in stated.items():
        if photos is not None and total and photos != total:
            sums = " + ".join(f"{sum(counts.values())} ({split})" for split, counts in reported.counts.items())
            text = f"The class counts add up to {sums} = {total} photos; `{field}` has {photos}."
            title = f"The class counts do not add up to `{field}`"
            found.append(inconsistent("photo_counts", title, text, {"counted": total, "stated": photos}))
    if detection and detection.faces > detection.photos:
        text = f"{detection.faces} photos with a face are reported of {counted(detection.photos, 'photo')}."
        found.append(inconsistent("photo_counts", "More faces than photos", text, detection.to_dict()))
    return found + _scored_too_often(reported)


def _scored_too_often(reported: Reported) -> list[Finding]:
    counts, found = reported.scored_counts, []
    for name, row in reported.rows.items():
        most = sum(count for label, count in counts.items() if label not in row.without)
        if counts and row.photos is not None and row.photos > most:
            text = f"“{name}” is scored on {counted(row.photos, 'photo')}; by the class counts there are {most}."
            title, numbers = (
                f"“{name}” is scored on more photos than there are",
                {"photos": row.photos, "counted": most},
            )
            found.append(inconsistent("photo_counts", title, text, numbers | {"row": name}))
    return found


def confusion_matrix(reported: Reported) -> Outcome:
    """Does the confusion matrix give the class counts, the accuracy and the scores by class?"""
    matrix = reported.confusion
    if matrix is None:
        return Lacking("`confusion`")
    return _against_counts(matrix, reported) + _against_accuracy(matrix, reported) + _against_scores(matrix, reported)


def _against_counts(matrix: Confusion, reported: Reported) -> list[Finding]:
    counts, found = reported.counts_of(matrix.of), []
    for label, line in zip(matrix.classes, matrix.counts, strict=True):
        if counts and sum(line) != counts[label]:
            text = (
                f"The line of “{label}” in the confusion matrix adds up to {sum(line)}; `counts` has {counts[label]}."
            )
            numbers = {"class": label, "line": sum(line), "counted": counts[label]}
            title = f"The confusion matrix has another number of “{label}”"
            found.append(inconsistent("confusion", title, text, numbers))
    return found


def _against_accuracy(matrix: Confusion, reported: Reported) -> list[Finding]:
    right = sum(matrix.counts[place][place] for place in range(len(matrix.classes)))
    total, accuracy = sum(map(sum, matrix.counts)), reported.rows[matrix.of].accuracy
    if not total or accuracy.holds(Fraction(right, total)):
        return []
    text = (
        f"The diagonal of the confusion matrix adds up to {right} of {counted(total, 'photo')}, "
        f"{percent(right / total)}; “{matrix.of}” is reported with {share(accuracy)}."
    )
    numbers = {"right": right, "photos": total, "accuracy": float(accuracy)}
    return [inconsistent("confusion", "The confusion matrix gives another accuracy", text, numbers)]


def _against_scores(matrix: Confusion, reported: Reported) -> list[Finding]:
    table, found = reported.class_scores, []
    for place, label in enumerate(matrix.classes):
        scores = table.scores.get(label) if table is not None and table.of == matrix.of else None
        right = matrix.counts[place][place]
        if scores is not None and from_printed(scores):
            # computed from the printed two, it may differ from the matrix's
            scores = scores.model_copy(update={"f1": None})
        present, answered = sum(matrix.counts[place]), sum(line[place] for line in matrix.counts)
        exact = {"precision": (right, answered), "recall": (right, present), "f1": (2 * right, answered + present)}
        for name, (part, whole) in exact.items():
            printed: Printed | None = getattr(scores, name, None)
            if printed is None or printed.holds(Fraction(part, whole) if whole else Fraction(0)):
                continue
            text = (
                f"By the confusion matrix the {name} of “{label}” is {part} / {whole} = "
                f"{part / whole if whole else 0:.4f}; {digits(printed)} is reported."
            )
            numbers = {"class": label, name: float(printed), "recomputed": part / whole if whole else 0.0}
            title = f"The confusion matrix gives another {name} of “{label}”"
            found.append(inconsistent("confusion", title, text, numbers))
    return found
