"""Why precision, recall and F1 of one class cannot go together, in words."""

from __future__ import annotations

import math
from fractions import Fraction

from orchestrator.paper_check.tables import Scores
from orchestrator.paper_check.whole_numbers import (
    Answers,
    f1_range,
    from_printed,
    neighbours,
    possible_answers,
    possible_right,
)
from orchestrator.paper_check.words import digits
from orchestrator.printed import Printed
from orchestrator.report.wording import counted, listing


def no_whole_number(scores: Scores, count: int, total: int) -> str:
    """Which score of a class with `count` of `total` photos has no whole numbers behind it; empty if all have."""
    if count == 0 or possible_answers(scores, count, total):
        return ""
    possible = possible_right(scores, count)
    if not possible:
        near = [f"{right} of {count} is {right / count:.4f}" for right in neighbours(scores.recall or 0.0, count)]
        photos = counted(count, "photo")
        return f"no whole number of its {photos} is a recall of {digits(scores.recall)}; {listing(near)}."
    without_f1 = possible_answers(scores.model_copy(update={"f1": None}), count, total)
    if without_f1:
        return _no_f1(scores, count, without_f1)
    return _no_precision(scores, possible[-1], possible[-1] + total - count)


def _no_precision(scores: Scores, right: int, most: int) -> str:
    """`right` answers are, of `most` that there can be."""
    precision = scores.precision or Printed(0.0)
    if right == 0:
        return (
            f"a recall of {digits(scores.recall)} is no photo right, which leaves no precision of {digits(precision)}."
        )
    if precision.high * most < right:
        return (
            f"{right} right answers of at most {most} are a precision of {right / most:.4f} or more, and not "
            f"{digits(precision)}."
        )
    exact = right / Fraction(precision.exact)
    near = sorted({max(right, math.floor(exact)), max(right, math.ceil(exact))})
    shown = [f"{right} of {answers} is {right / answers:.4f}" for answers in near]
    return f"no whole number of answers has a precision of {digits(precision)}; {listing(shown)}."


def _no_f1(scores: Scores, count: int, possible: list[Answers]) -> str:
    """The F1 of the whole numbers that precision and recall leave."""
    least = min(2 * each.right / max(1, each.most + count) for each in possible)
    most = max(2 * each.right / max(1, each.least + count) for each in possible)
    first = possible[0]
    if least == most:
        return (
            f"{first.right} right of {count} photos and {first.least} answers is an F1 of 2 x {first.right} / "
            f"({first.least} + {count}) = {most:.4f}, and not {digits(scores.f1)}."
        )
    return f"its precision and recall leave an F1 from {least:.4f} to {most:.4f}, and not {digits(scores.f1)}."


def wrong_mean(scores: Scores) -> str:
    """By how much F1 misses the harmonic mean; empty if it may be that, or where one of the three is not given."""
    if scores.precision is None or scores.recall is None or scores.f1 is None or from_printed(scores):
        return ""
    low, high = f1_range(scores.precision, scores.recall)
    if low <= scores.f1.high and scores.f1.low <= high:
        return ""
    return (
        f"the harmonic mean of precision {digits(scores.precision)} and recall {digits(scores.recall)} lies between "
        f"{float(low):.4f} and {float(high):.4f}, whatever was rounded; F1 is reported as {digits(scores.f1)}."
    )
