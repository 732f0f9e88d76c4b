"""Which whole numbers of photos a printed share allows. All bounds are exact fractions: no float decides a case.

Source of the idea: N. J. L. Brown and J. A. J. Heathers, the GRIM test (2017), doi:10.1177/1948550616673876.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from orchestrator.paper_check.tables import Scores
from orchestrator.printed import Printed


@dataclass(frozen=True)
class Answers:
    """Photos of a class that are right, and how many answers of that class there may be."""

    right: int
    least: int
    most: int


def numbers_within(share: Printed, total: int) -> range:
    """Every k from 0 to `total` for which k / total is printed as `share`."""
    return range(max(0, math.ceil(share.low * total)), min(total, math.floor(share.high * total)) + 1)


def neighbours(share: float, total: int) -> list[int]:
    """The whole numbers on both sides of `share` of `total`; one if it is whole."""
    product = Fraction(Printed(share).exact) * total
    return sorted({max(0, math.floor(product)), min(total, math.ceil(product))})


def possible_right(scores: Scores, count: int) -> range:
    """Photos of the class that may be right, by the recall alone."""
    return range(count + 1) if scores.recall is None else numbers_within(scores.recall, count)


def possible_answers(scores: Scores, count: int, num_photos: int) -> list[Answers]:
    """Whole numbers that give all scores of a class with `count` of the `num_photos` photos; empty if none do.

    An F1 that was computed from the printed precision and recall says nothing more, and is left out then.
    """
    f1 = None if from_printed(scores) else scores.f1
    found = []
    for right in possible_right(scores, count):
        least, most = right, right + num_photos - count
        for low, high in (_by_precision(scores.precision, right), _by_f1(f1, right, count)):
            least, most = max(least, low), min(most, high)
        if least <= most:
            found.append(Answers(right, least, most))
    return found


def from_printed(scores: Scores) -> bool:
    """Whether the printed F1 is the harmonic mean of the printed precision and recall, to its digits."""
    if scores.precision is None or scores.recall is None or scores.f1 is None:
        return False
    exact = Fraction(scores.precision.exact), Fraction(scores.recall.exact)
    return scores.f1.holds(harmonic_mean(*exact))


def f1_range(precision: Printed, recall: Printed) -> tuple[Fraction, Fraction]:
    """Least and greatest F1 of all values that are printed as this precision and recall."""
    low = harmonic_mean(max(Fraction(0), precision.low), max(Fraction(0), recall.low))
    return low, harmonic_mean(min(Fraction(1), precision.high), min(Fraction(1), recall.high))


def harmonic_mean(first: Fraction, second: Fraction) -> Fraction:
    """Of two shares; 0 if one is 0."""
    return 2 * first * second / (first + second) if first and second else Fraction(0)


Bounds = tuple[int, int]
"""Least and most answers; in whole numbers, since fractions would take a minute for a million photos."""
_NO_BOUNDS: Bounds = (0, 10**18)
_NONE_FITS: Bounds = (1, 0)


def _by_precision(precision: Printed | None, right: int) -> Bounds:
    if precision is None:
        return _NO_BOUNDS
    if right == 0:  # no answer is right, or none was given: printed as 0 either way
        return _NO_BOUNDS if precision.low <= 0 else _NONE_FITS
    return _quotients(right, precision)


def _by_f1(f1: Printed | None, right: int, count: int) -> Bounds:
    """F1 is 2 * right / (answers + count)."""
    if f1 is None:
        return _NO_BOUNDS
    if right == 0:
        return _NO_BOUNDS if f1.low <= 0 else _NONE_FITS
    least, most = _quotients(2 * right, f1)
    return least - count, most - count


def _quotients(part: int, share: Printed) -> Bounds:
    """Every whole number of which `part` is printed as `share`."""
    low, high = share.low, share.high
    most = part * low.denominator // low.numerator if low > 0 else _NO_BOUNDS[1]
    return -(-part * high.denominator // high.numerator), most
