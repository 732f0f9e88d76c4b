"""Photographs as groups of photos: those of exact copies alone, and those in several classes or splits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from datasets.copies import CopyPair, Photographs


def exact_groups(photographs: Photographs) -> np.ndarray:
    """As `Photographs.group`, with exact copies alone."""
    return groups_of(len(photographs.group), [pair for pair in photographs.pairs if pair.kind == "exact_copy"])


def groups_of(num_photos: int, pairs: Iterable[CopyPair]) -> np.ndarray:
    """The smallest index that each photo is linked to by pairs, (N,) int64."""
    root = list(range(num_photos))

    def find(index: int) -> int:
        while root[index] != index:
            root[index] = root[root[index]]
            index = root[index]
        return index

    for pair in pairs:
        first, second = sorted((find(pair.a), find(pair.b)))
        root[second] = first
    return np.array([find(index) for index in range(num_photos)], dtype=np.int64)


def mixed(group: np.ndarray, values: Sequence[object] | pd.Series | np.ndarray) -> np.ndarray:
    """Whether each photo's group holds several different values, (N,) bool; missing values count for nothing."""
    frame = pd.DataFrame({"group": group, "value": list(values)})
    return (frame.groupby("group")["value"].transform("nunique") > 1).to_numpy()


def sizes(group: np.ndarray) -> np.ndarray:
    """How many photos each photo's group has, (N,)."""
    return np.bincount(group, minlength=len(group))[group]
