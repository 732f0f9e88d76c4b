"""Checks of the scores by class: what they say together, and each alone."""

from __future__ import annotations

from orchestrator.paper_check.class_sums import Span, answers_of, right_of, right_of_class
from orchestrator.paper_check.finding import Lacking, Outcome, inconsistent
from orchestrator.paper_check.other_row import fitting_row
from orchestrator.paper_check.reported import Reported
from orchestrator.paper_check.score_reasons import no_whole_number, wrong_mean
from orchestrator.paper_check.tables import Scores
from orchestrator.paper_check.whole_numbers import numbers_within
from orchestrator.paper_check.words import of_photos, share, span
from orchestrator.printed import Printed
from orchestrator.report.wording import counted

NEEDS = "`class_scores`, `rows`, and `counts` of the photos that its row is scored on"


def recalls_over_counts(reported: Reported) -> Outcome:
    """Do the recalls, over the class counts, give the row's accuracy?"""
    table, counts = reported.class_scores, _counts(reported)
    if table is None or not counts:
        return Lacking(NEEDS)
    if all(scores.recall is None for scores in table.scores.values()):
        return Lacking("recalls in `class_scores`")
    accuracy, total = reported.rows[table.of].accuracy, sum(counts.values())
    right = right_of(table.scores, counts)
    if right.most >= accuracy.low * total and right.least <= accuracy.high * total:
        return []
    terms = " + ".join(str(right_of_class(table.scores.get(label, Scores()), count)) for label, count in counts.items())
    sentence = (
        f"The recalls of “{table.of}” over its photos by class ({_by_class(counts)}) make {terms} = {right} right, "
        f"{of_photos(right.least, right.most, total)}. Its accuracy is reported as {share(accuracy)}, which is "
        f"{_reported_right(accuracy, total)}.{fitting_row(reported)}"
    )
    numbers = {"right_least": right.least, "right_most": right.most, "photos": total, "accuracy": float(accuracy)}
    title = f"The recalls give {right} of {total} right, the accuracy says {_reported_right(accuracy, total)}"
    return [inconsistent("recalls_over_counts", title, sentence, numbers)]


def each_class(reported: Reported) -> Outcome:
    """Is there a whole number of photos behind each score, and is F1 the harmonic mean?"""
    table, counts = reported.class_scores, _counts(reported)
    if table is None:
        return Lacking("`class_scores`")
    total = sum(counts.values())
    found = []
    for label, scores in table.scores.items():
        wrong = (no_whole_number(scores, counts[label], total) if counts else "") or wrong_mean(scores)
        if wrong:
            title = f"Scores of class “{label}” do not go together"
            numbers = {"class": label} | scores.model_dump(exclude_none=True)
            found.append(inconsistent("each_class", title, f"Class “{label}”: {wrong}", numbers))
    return found


def answers_over_photos(reported: Reported) -> Outcome:
    """Do the answers that precision and recall imply add up to the photos?"""
    table, counts = reported.class_scores, _counts(reported)
    if table is None or not counts:
        return Lacking(NEEDS)
    scored = table.scores
    if any(label not in scored or scored[label].precision is None or scored[label].recall is None for label in counts):
        return Lacking("precision and recall of every class of the row in `class_scores`")
    total = sum(counts.values())
    parts = {label: answers_of(scored[label], count, total) for label, count in counts.items()}
    if any(part is None for part in parts.values()):
        return []  # the class itself is a finding of each_class
    known = {label: part for label, part in parts.items() if part is not None}
    answers = Span(sum(part.least for part in known.values()), sum(part.most for part in known.values()))
    if answers.least <= total <= answers.most:
        return []
    terms = " + ".join(f"{part} {label}" for label, part in known.items())
    sentence = (
        f"Precision is right answers over answers, so the answers of each class follow from the right ones: {terms} = "
        f"{answers} answers. “{table.of}” gives one answer for each of {counted(total, 'photo')}."
    )
    numbers = {"answers_least": answers.least, "answers_most": answers.most, "photos": total}
    return [inconsistent("answers_over_photos", f"{answers} answers for {total} photos", sentence, numbers)]


def _counts(reported: Reported) -> dict[str, int]:
    return reported.counts_of(reported.class_scores.of) if reported.class_scores else {}


def _by_class(counts: dict[str, int]) -> str:
    return ", ".join(f"{label} {count}" for label, count in counts.items())


def _reported_right(accuracy: Printed, total: int) -> str:
    possible = numbers_within(accuracy, total)
    return span(possible[0], possible[-1]) if possible else f"{float(accuracy) * total:.1f}"
