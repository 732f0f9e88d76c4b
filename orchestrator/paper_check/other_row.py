"""Whose scores by class they may be, if not those of the row that they are given for."""

from __future__ import annotations

from orchestrator.paper_check.class_sums import Span, answers_of, right_of
from orchestrator.paper_check.reported import Reported
from orchestrator.paper_check.tables import Scores
from orchestrator.paper_check.whole_numbers import numbers_within
from orchestrator.paper_check.words import of_photos, share, span
from orchestrator.printed import Printed
from orchestrator.report.wording import listing


def fitting_row(reported: Reported) -> str:
    """A row with another set of photos that the class scores fit, as a sentence."""
    table = reported.class_scores
    assert table is not None
    for name in reported.rows:
        counts = reported.counts_of(name)
        if name != table.of and table.scores.keys() <= counts.keys():
            words = _fits(name, reported.rows[name].accuracy, table.scores, counts)
            if words:
                return words
    return ""


def _fits(name: str, accuracy: Printed, scores: dict[str, Scores], counts: dict[str, int]) -> str:
    """Whether these scores may be those of a row; photos of classes without scores may be right or wrong."""
    total = sum(counts.values())
    scored = {label: count for label, count in counts.items() if label in scores}
    others = {label: count for label, count in counts.items() if label not in scores}
    right, possible = right_of(scores, scored), numbers_within(accuracy, total)
    answers = [answers_of(scores[label], count, total) for label, count in scored.items()]
    known = [part for part in answers if part is not None]
    if len(known) < len(answers) or not possible:
        return ""
    more = Span(max(0, possible[0] - right.most), min(sum(others.values()), possible[-1] - right.least))
    free = total - sum(part.least for part in known)  # answers that are left for the other classes
    if more.least > more.most or free < more.least or (not others and sum(part.most for part in known) < total):
        return ""
    least, most = max(possible[0], right.least + more.least), min(possible[-1], right.most + more.most)
    kept = f", {more} of the {sum(others.values())} photos of {listing(list(others))} among them" if others else ""
    return (
        f" The same scores do fit the row “{name}”: {span(least, most)} of {total} right{kept}, is "
        f"{of_photos(least, most, total)}, and {share(accuracy)} is reported there."
    )
