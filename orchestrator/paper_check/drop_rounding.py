"""Whether a drop comes from accuracies that were rounded before they were subtracted."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction

from orchestrator.paper_check.whole_numbers import numbers_within
from orchestrator.printed import Printed


def rounded_before(drop: Printed, full: Iterable[Printed], total: int, *, as_share: bool = False) -> bool:
    """Whether `drop` is the difference of two printed accuracies over `total` photos.

    full: the accuracy of the full model, as it is printed in one table or another; it may have been rounded further.
    The other accuracy is any whole number of photos, printed with any digits. as_share: of the full model's accuracy.
    """
    return any(_some_number_between(*_left(first, drop, as_share), drop, total) for first in _versions(full))


def _versions(full: Iterable[Printed]) -> Iterator[Fraction]:
    """Each accuracy as printed, and rounded to fewer digits, down to whole percents."""
    for number in full:
        for digits in range(min(2, number.decimals), number.decimals + 1):
            yield round(Fraction(number.exact), digits)


def _left(first: Fraction, drop: Printed, as_share: bool) -> tuple[Fraction, Fraction]:
    """Bounds of what is left of `first` after the drop."""
    size = first if as_share else Fraction(1)
    return first - size * drop.high, first - size * drop.low


def _some_number_between(low: Fraction, high: Fraction, drop: Printed, total: int) -> bool:
    """Whether some accuracy over `total` photos is printed as a number from `low` to `high`."""
    if math.ceil(max(low, Fraction(0)) * total) <= math.floor(min(high, Fraction(1)) * total):
        return True  # with all its digits
    for digits in range(1, drop.decimals + 3):  # more digits than these are all its digits
        unit = 10**digits
        for number in range(max(0, math.ceil(low * unit)), min(unit, math.floor(high * unit)) + 1):
            other = Printed(f"{number / unit:.{digits}f}")
            if numbers_within(other.perhaps_cut() if drop.cut else other, total):
                return True
    return False
