"""Label conflicts and leaks: photographs in several classes or splits, counted by pair of classes or splits."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from orchestrator.audit.groups import mixed

Row = dict[str, Any]


def conflict_rows(photos: pd.DataFrame, group: np.ndarray, exact: np.ndarray, classes: Sequence[str]) -> list[Row]:
    """A row a pair of classes that share a photograph. `group`: all copies, `exact`: exact copies alone."""
    return [
        {"class_a": first, "class_b": second, **counts}
        for first, second in combinations(classes, 2)
        if (counts := _shared(photos["label"], group, exact, first, second))["photographs"]
    ]


def leak_rows(photos: pd.DataFrame, group: np.ndarray, exact: np.ndarray, splits: Sequence[str]) -> list[Row]:
    """A row a pair of splits that share a photograph, with the shares of both splits' photos."""
    rows = []
    sizes = photos["split"].value_counts()
    for first, second in combinations(splits, 2):
        counts = _shared(photos["split"], group, exact, first, second)
        if counts["photographs"]:
            shares = {
                "share_a": counts["photos_a"] / int(sizes[first]),
                "share_b": counts["photos_b"] / int(sizes[second]),
            }
            rows.append({"split_a": first, "split_b": second, **counts, **shares})
    return rows


def counts_of(group: np.ndarray, exact: np.ndarray, values: pd.Series) -> dict[str, int]:
    """Photographs with several different values, those that exact copies alone show, the others, and their photos."""
    inside, by_exact = mixed(group, values), mixed(exact, values)
    photographs = set(group[inside].tolist())
    shown_by_exact = set(group[by_exact].tolist())
    return {
        "photographs": len(photographs),
        "photographs_exact": len(shown_by_exact),
        "photographs_near": len(photographs - shown_by_exact),
        "photos": int(inside.sum()),
    }


def subject_rows(photos: pd.DataFrame, splits: Sequence[str]) -> list[Row]:
    """A row a pair of splits that share a subject: how many subjects, and the photos of them on either side."""
    known = photos[photos["subject"].notna()]
    rows = []
    for first, second in combinations(splits, 2):
        left, right = (known[known["split"] == split]["subject"] for split in (first, second))
        shared = set(left) & set(right)
        if shared:
            counts = {"photos_a": int(left.isin(shared).sum()), "photos_b": int(right.isin(shared).sum())}
            rows.append({"split_a": first, "split_b": second, "subjects": len(shared), **counts})
    return rows


def _shared(values: pd.Series, group: np.ndarray, exact: np.ndarray, first: str, second: str) -> dict[str, int]:
    in_first, in_second = (values == first).to_numpy(), (values == second).to_numpy()
    shared = np.intersect1d(group[in_first], group[in_second])
    by_exact = np.intersect1d(exact[in_first], exact[in_second])
    num_exact = len(np.unique(group[np.isin(exact, by_exact)]))  # the names of groups are no places in these arrays
    return {
        "photographs": len(shared),
        "photographs_exact": num_exact,
        "photographs_near": len(shared) - num_exact,
        "photos_a": int(np.isin(group[in_first], shared).sum()),
        "photos_b": int(np.isin(group[in_second], shared).sum()),
    }
