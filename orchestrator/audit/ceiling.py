"""The best accuracy that contradicting labels leave to a model which gives one answer a photograph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from orchestrator.audit.groups import mixed
from orchestrator.report.detection import ALL_CLASSES, ALL_SPLITS

Row = dict[str, Any]


def ceiling_rows(
    photos: pd.DataFrame, group: np.ndarray, exact: np.ndarray, classes: Sequence[str], splits: Sequence[str]
) -> list[Row]:
    """A row a split and class, then the totals. Only what stands inside the row's split counts.

    `photos`: label and split of readable photos; `group`, `exact`: their photographs by all and by exact copies.
    """
    rows = []
    for split, members in _with_total(ALL_SPLITS, splits).items():
        inside = photos["split"].isin(members).to_numpy()
        labels = photos["label"].to_numpy()[inside]
        contradicted = mixed(group[inside], labels)
        by_all, by_exact = (outvoted(labels, ids[inside]) for ids in (group, exact))
        for name, of_classes in _with_total(ALL_CLASSES, classes).items():
            chosen = np.isin(labels, of_classes)
            if chosen.any():
                whole = name == ALL_CLASSES or len(classes) == 1
                rows.append(
                    {
                        "class": name,
                        "split": split,
                        "photos": int(chosen.sum()),
                        "photographs": len(np.unique(group[inside][chosen])),
                        "photos_contradicted": int(contradicted[chosen].sum()),
                        "ceiling_exact": _best(labels, exact[inside]) if whole else float(1 - by_exact[chosen].mean()),
                        "ceiling": _best(labels, group[inside]) if whole else float(1 - by_all[chosen].mean()),
                        **(majority(labels) if whole else {"majority_class": "", "majority_accuracy": np.nan}),
                    }
                )
    return rows


def outvoted(labels: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Whether another class has more copies of the photo's photograph, (N,) bool. In a tie no one is outvoted."""
    frame = pd.DataFrame({"group": group, "label": labels})
    votes = frame.groupby(["group", "label"])["label"].transform("size")
    return (votes < votes.groupby(frame["group"]).transform("max")).to_numpy()


def majority(labels: np.ndarray) -> Row:
    """The commonest class (of equals the first by name) and what always answering it scores."""
    names, counts = np.unique(labels, return_counts=True)
    place = int(counts.argmax())
    return {"majority_class": str(names[place]), "majority_accuracy": float(counts[place] / counts.sum())}


def _best(labels: np.ndarray, group: np.ndarray) -> float:
    """Of each photograph the copies of its commonest label, together, as a share of the photos."""
    votes = pd.DataFrame({"group": group, "label": labels}).value_counts()
    return float(votes.groupby("group").max().sum() / len(labels))


def _with_total(title: str, names: Sequence[str]) -> Mapping[str, list[str]]:
    return {name: [name] for name in names} | ({title: list(names)} if len(names) > 1 else {})
