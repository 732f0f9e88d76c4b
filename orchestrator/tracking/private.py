"""The last look before a table leaves the machine: no column that names a photo goes along."""

from __future__ import annotations

import re
from collections.abc import Set
from pathlib import PurePosixPath

import pandas as pd

from datasets.fingerprint import fingerprint

_FILE = re.compile(r"\.(jpe?g|png|bmp|webp|tiff?|gif|avif|jp2|mpo|ppm|pgm)\b", re.IGNORECASE)
_PLACE = re.compile(r"(^|\s)([/~]|[A-Za-z]:\\|\w+://)\S")


def photo_names(paths: pd.Series) -> frozenset[str]:
    """What a photo may be called: its path, with and without the suffix, and its file's name.

    A file's name without the suffix is left out: it may well be a class (`joy.jpg`).
    """
    whole = [PurePosixPath(path) for path in paths.astype(str)]
    bare = (path.with_suffix("") for path in whole if len(path.parts) > 1)
    return frozenset({str(path) for path in (*whole, *bare)} | {path.name for path in whole})


def without_photos(table: pd.DataFrame, names: Set[str]) -> pd.DataFrame:
    """The table without the columns in which any cell names a photo (of `names`, or by its suffix) or a place."""
    return table[[column for column in table.columns if not _tells(table[column], names)]]


def alias(data_fingerprint: str, path: str) -> str:
    """Eight hex digits in place of a photo's path; they say nothing of it to anyone without the photos."""
    return fingerprint([data_fingerprint, path], length=8)


def _tells(column: pd.Series, names: Set[str]) -> bool:
    words = column[column.map(lambda value: isinstance(value, str))]
    return any(word in names or _FILE.search(word) or _PLACE.search(word) for word in words.unique())
