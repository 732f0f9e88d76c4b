"""A table as CSV that programs compute with and spreadsheets open without harm."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_FORMULA = ("=", "+", "-", "@", "\t", "\n")
"""What makes a spreadsheet take a cell for a formula. Source: OWASP, CSV injection,
https://owasp.org/www-community/attacks/CSV_Injection.
"""


def to_csv(table: pd.DataFrame) -> str:
    """Every column, numbers to 6 digits; lines end with one LF, and so do those inside a cell.

    A text that a spreadsheet would take for a formula (a class called `=1+1`) gets an apostrophe in front.
    """
    texts = table.select_dtypes(exclude=["number", "bool"])
    safe = {column: texts[column].map(_harmless) for column in texts.columns}
    return rounded(table, 6).assign(**safe).to_csv(index=False, lineterminator="\n")


def rounded(table: pd.DataFrame, digits: int) -> pd.DataFrame:
    """The table with its fractional numbers to that many digits, and no -0.0."""
    numbers = table.select_dtypes("float")
    return table.assign(**(numbers.round(digits) + 0.0))


def _harmless(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = value.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text
