"""The threshold of a table of convergence, beside always answering the commonest class."""

from __future__ import annotations

import math
from fractions import Fraction

from orchestrator.paper_check.chance import least_net_difference
from orchestrator.paper_check.finding import Lacking, Outcome, weak
from orchestrator.paper_check.reported import Reported
from orchestrator.paper_check.words import digits, span
from orchestrator.printed import Printed
from orchestrator.report.wording import percent


def threshold(reported: Reported) -> Outcome:
    """How many photos lie between the threshold and the majority class?"""
    table = reported.convergence
    if table is None or table.threshold is None:
        return Lacking("`convergence.threshold`")
    counts = {name: reported.counts_of(name) for name in table.rows if reported.counts_of(name)}
    if not counts:
        return Lacking("`convergence.rows`, and `counts` of the photos that they are scored on")
    least, printed = least_net_difference(), digits(table.threshold)
    margins = {name: _needed(table.threshold, by_class) - max(by_class.values()) for name, by_class in counts.items()}
    near = {name: margin for name, margin in margins.items() if margin < least}
    if not near:
        return []
    shown = [_beside(name, table.threshold, counts[name]) for name in near]
    sentence = (
        f"{'. '.join(shown)}. A lead of less than {least} photos cannot be significant (exact McNemar test, p "
        f"below 0.05): reaching {printed} does not show that a model has learned more than which class is commonest."
    )
    title = f"The threshold {printed} is {_lead(list(near.values()))} always answering the commonest class"
    return [weak("threshold", title, sentence, {"threshold": float(table.threshold), "photos_above": near})]


def _needed(value: Printed, counts: dict[str, int]) -> int:
    """Photos that must be right to reach the threshold itself."""
    return math.ceil(Fraction(value.exact) * sum(counts.values()))


def _beside(name: str, value: Printed, counts: dict[str, int]) -> str:
    total, most, needed = sum(counts.values()), max(counts.values()), _needed(value, counts)
    rounded = math.ceil(value.low * total)
    read = f", or with {rounded} where {percent(rounded / total)} was read as {digits(value)}"
    also = read if rounded < needed else ""
    return (
        f"“{name}” reaches {digits(value)} with {needed} of {total} photos right{also}; the commonest class alone "
        f"gives {most} ({percent(most / total)})"
    )


def _lead(margins: list[int]) -> str:
    least, most = min(margins), max(margins)
    return (
        f"{span(least, most)} photos above"
        if least > 0
        else f"at most {most} photos above"
        if most > 0
        else "not above"
    )
