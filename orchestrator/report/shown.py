"""What a reading view is made of: titles, columns, and how a cell is rendered."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from orchestrator.report import wording

Row = Mapping[Hashable, Any]


@dataclass(frozen=True)
class TableDoc:
    """`title` heads the table, `reading` says how to read it, `empty` that it has no row, `more` is folded away."""

    title: str
    reading: str
    empty: str = "No finished trial has a row here yet."
    more: str = ""


@dataclass(frozen=True)
class Shown:
    """A column of the reading view. `numeric` cells stand right-aligned and do not wrap.

    `only_if`: left out unless that column of the table is above zero somewhere. `value`: the column of the table that
    a page sorts numeric cells by; without one, the first number that a cell shows.
    """

    heading: str
    render: Callable[[Row], str]
    numeric: bool = True
    only_if: str = ""
    value: str = ""

    def sort_value(self, row: Row, text: str) -> str:
        """What a numeric cell that shows `text` is sorted by, six digits of it; empty where that is not known."""
        if not self.numeric:
            return ""
        if self.value:
            value = row[self.value]
            return "" if pd.isna(value) else f"{float(value):.6g}"
        found = _FIRST_NUMBER.search(text)
        return found[0] if found else ""


_FIRST_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def text_column(heading: str, column: str, words: Mapping[str, str] | None = None) -> Shown:
    """A cell of words; `words` puts others in place of the values."""
    return Shown(heading, lambda row: (words or {}).get(row[column], str(row[column])), numeric=False)


def percent_column(heading: str, column: str) -> Shown:
    """`61.3 %`."""
    return Shown(heading, lambda row: wording.percent(row[column]), value=column)


def number_column(heading: str, column: str, digits: int = 0) -> Shown:
    """A number with that many digits."""
    return Shown(heading, lambda row: wording.number(row[column], digits), value=column)


def number_if_any_column(heading: str, column: str) -> Shown:
    """A count, left out where it is nowhere above zero."""
    return Shown(heading, lambda row: wording.number(row[column]), only_if=column, value=column)


def duration_column(heading: str, column: str) -> Shown:
    """Seconds as `12 min 05 s`."""
    return Shown(heading, lambda row: wording.duration(row[column]), value=column)


def bounds(row: Row, name: str) -> tuple[float, float, float]:
    """Mean, low and high of that name."""
    return row[f"{name}_mean"], row[f"{name}_low"], row[f"{name}_high"]


def percent_interval_column(heading: str, name: str) -> Shown:
    """`61.3 % (55.0 to 67.6)`."""
    return Shown(heading, lambda row: wording.percent_interval(*bounds(row, name)), value=f"{name}_mean")


def points_column(heading: str, column: str) -> Shown:
    """`1.4 points`: a difference of two shares."""
    unknown = float("nan")
    return Shown(heading, lambda row: wording.points_interval(row[column], unknown, unknown), value=column)


def points_interval_column(heading: str, name: str) -> Shown:
    """`1.4 points (-0.2 to 3.0)`."""
    return Shown(heading, lambda row: wording.points_interval(*bounds(row, name)), value=f"{name}_mean")


def p_column(heading: str, column: str) -> Shown:
    """`0.031`, or `< 0.001`."""
    return Shown(heading, lambda row: wording.p_value(row[column]), value=column)


def points_between(low: float, high: float) -> str:
    """`-0.2 to 3.0`: bounds of a share, or of a difference of two, in points."""
    known = not math.isnan(low)
    return f"{wording.number(low * 100, 1)} to {wording.number(high * 100, 1)}" if known else ""


PROTOCOL = text_column("Protocol", "protocol")
"""Left out of a reading view where all rows are of one protocol."""
