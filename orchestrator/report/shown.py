"""What a reading view is made of: titles, columns, and how a cell is rendered."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.report import wording

Row = Mapping[Hashable, Any]


@dataclass(frozen=True)
class TableDoc:
    """`title` heads the table, `reading` says how to read it, `empty` that it has no row."""

    title: str
    reading: str
    empty: str = "No finished trial has a row here."


@dataclass(frozen=True)
class Shown:
    """A column of the reading view. `numeric` cells stand right-aligned and do not wrap.

    `only_if`: left out unless that column of the table is above zero somewhere.
    """

    heading: str
    render: Callable[[Row], str]
    numeric: bool = True
    only_if: str = ""


def text_column(heading: str, column: str, words: Mapping[str, str] | None = None) -> Shown:
    """A cell of words; `words` puts others in place of the values."""
    return Shown(heading, lambda row: (words or {}).get(row[column], str(row[column])), numeric=False)


def percent_column(heading: str, column: str) -> Shown:
    """`61.3 %`."""
    return Shown(heading, lambda row: wording.percent(row[column]))


def number_column(heading: str, column: str, digits: int = 0) -> Shown:
    """A number with that many digits."""
    return Shown(heading, lambda row: wording.number(row[column], digits))


def number_if_any_column(heading: str, column: str) -> Shown:
    """A count, left out where it is nowhere above zero."""
    return Shown(heading, lambda row: wording.number(row[column]), only_if=column)


def duration_column(heading: str, column: str) -> Shown:
    """Seconds as `12 min 05 s`."""
    return Shown(heading, lambda row: wording.duration(row[column]))


def bounds(row: Row, name: str) -> tuple[float, float, float]:
    """Mean, low and high of that name."""
    return row[f"{name}_mean"], row[f"{name}_low"], row[f"{name}_high"]


def percent_interval_column(heading: str, name: str) -> Shown:
    """`61.3 % (55.0 to 67.6)`."""
    return Shown(heading, lambda row: wording.percent_interval(*bounds(row, name)))


PROTOCOL = text_column("Protocol", "protocol")
"""Left out of a reading view where all rows are of one protocol."""
