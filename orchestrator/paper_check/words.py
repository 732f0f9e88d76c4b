"""Numbers as the findings name them."""

from __future__ import annotations

from orchestrator.printed import Printed
from orchestrator.report.wording import percent


def digits(number: Printed | None) -> str:
    """`0.60`: as it was printed."""
    return "none" if number is None else f"{number.exact:f}"


def share(number: Printed) -> str:
    """`77.78 %`: a printed share in percent, with the digits that it has."""
    return f"{number.exact.scaleb(2):.{max(0, number.decimals - 2)}f} %"


def points(difference: float) -> str:
    """`9.8 points` of a difference of shares."""
    return f"{difference * 100:.1f} points"


def span(least: int, most: int) -> str:
    """`51`, or `51 to 53`."""
    return str(least) if least == most else f"{least} to {most}"


def of_photos(least: int, most: int, total: int) -> str:
    """`70.8 %`, or `70.8 % to 72.2 %`: whole numbers of photos as shares of `total`."""
    return percent(least / total) if least == most else f"{percent(least / total)} to {percent(most / total)}"
