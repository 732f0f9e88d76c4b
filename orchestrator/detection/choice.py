"""Which photos stand on a contact sheet, when there are more than it has room for."""

from __future__ import annotations

import pandas as pd

from datasets.photo import NO_FACE, OK
from orchestrator.report.detection import FAILED, classes_of, splits_of

MAX_CELLS = 48


def faceless(photos: pd.DataFrame) -> pd.DataFrame:
    """Photos without a face, by class and split; of too many, as even a share of each class and split as there is."""
    rows = photos[is_faceless(photos)]
    members = rows.groupby(["label", "split"]).indices
    wanted = [(label, split) for label in classes_of(rows) for split in splits_of(rows)]
    groups = [rows.iloc[members[pair]] for pair in wanted if pair in members]
    quotas = fair_quotas([len(group) for group in groups], MAX_CELLS)
    parts = [group.iloc[evenly_spaced(len(group), quota)] for group, quota in zip(groups, quotas, strict=True)]
    return pd.concat(parts) if parts else rows


def is_faceless(photos: pd.DataFrame) -> pd.Series[bool]:
    """Which photos could be read and have no face, be it that the search for one failed."""
    return photos["status"].isin([NO_FACE, FAILED]) & photos["width"].notna()


def least_certain(photos: pd.DataFrame) -> pd.DataFrame:
    """The found faces of lowest probability, lowest first; of equals the first of the source."""
    return photos[photos["status"] == OK].sort_values("probability", kind="stable").head(MAX_CELLS)


def fair_quotas(sizes: list[int], room: int) -> list[int]:
    """How many of each group: one more of each in turn, until all are taken or `room` is full."""
    quotas = [0] * len(sizes)
    while sum(quotas) < min(room, sum(sizes)):
        for place, size in enumerate(sizes):
            if quotas[place] < size and sum(quotas) < room:
                quotas[place] += 1
    return quotas


def evenly_spaced(size: int, count: int) -> list[int]:
    """`count` different places of 0 to size - 1, so that neighbours (often one person) do not fill a sheet."""
    return [(2 * step + 1) * size // (2 * count) for step in range(count)]
