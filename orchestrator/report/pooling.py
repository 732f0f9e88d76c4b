"""The folds of one seed as one trial: every photo is reported once, by a model that was not trained on it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import f1_score

from orchestrator.ledger import Record

_MEANS = ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "val_macro_f1", "wall_s", "compute_s")


def pool_folds(records: Iterable[Record], rows_of: Mapping[Hashable, pd.DataFrame]) -> tuple[list[Record], int]:
    """The records with the folds of each (condition, protocol, seed) made one, and how many trials wait for others.

    A seed whose folds are not all finished is left out: what is there is not a sample of the photos. rows_of: the
    predictions by (condition, protocol, seed), of all folds: these share no photo. Raises ValueError where they do.
    """
    members = defaultdict(list)
    for record in records:
        members[record["condition"], record["protocol"], record["seed"]].append(record)
    pooled, waiting = [], 0
    for cell, folds in members.items():
        if len(folds) < folds[0]["num_folds"]:
            waiting += len(folds)
        elif folds[0]["num_folds"] == 1:
            pooled += folds
        else:
            pooled.append(_one_of(folds, rows_of[cell]))
    return pooled, waiting


def trainings_of(record: Record) -> list[list[dict[str, Any]]]:
    """The epochs of each training that the record is of: one, or one a fold."""
    return record.get("epochs_of_folds") or [record["epochs"]]


def _one_of(folds: Sequence[Record], rows: pd.DataFrame) -> Record:
    """Scores are of all photos together; curves and times of training are means over folds."""
    folds = sorted(folds, key=lambda record: record["fold"])
    if rows["photo"].duplicated().any():
        raise ValueError(f"`{rows['photo'][rows['photo'].duplicated()].iloc[0]}` is reported by two folds of one seed.")
    return folds[0] | {
        "metrics": _metrics(rows, folds),
        "epochs": _mean_curves(folds),
        "epochs_of_folds": [record["epochs"] for record in folds],
        "best_epoch": int(np.median([record["best_epoch"] for record in folds])),
        "num_train": round(float(np.mean([record["num_train"] for record in folds]))),
        "num_select": round(float(np.mean([record["num_select"] for record in folds]))),
        "train_counts": _mean_counts(folds, "train_counts"),
        "select_counts": _mean_counts(folds, "select_counts"),
        "num_eval": sum(record["num_eval"] for record in folds),
        "num_eval_with_face": sum(record["num_eval_with_face"] for record in folds),
        "num_dropped": sum(record["num_dropped"] for record in folds),
        "wall_s": float(np.mean([record["wall_s"] for record in folds])),
        "compute_s": float(np.mean([record["compute_s"] for record in folds])),
        "interruptions": sum(record["interruptions"] for record in folds),
        "finished_at": max(record["finished_at"] for record in folds),
    }


def _mean_counts(folds: Sequence[Record], name: str) -> dict[str, float]:
    counts: Counter[str] = Counter()
    for record in folds:
        counts.update(record[name])
    return {label: count / len(folds) for label, count in counts.items()}


def _metrics(rows: pd.DataFrame, folds: Sequence[Record]) -> dict[str, float | None]:
    right = (rows["true_label"] == rows["predicted_label"]).to_numpy()
    found = rows["face_found"].to_numpy(bool)
    sizes = [record["num_eval"] for record in folds]
    return {
        "accuracy": float(right.mean()),
        "accuracy_with_face": float(right[found].mean()) if found.any() else None,
        "macro_f1": float(
            f1_score(
                rows["true_label"],
                rows["predicted_label"],
                labels=list(folds[0]["classes"]),
                average="macro",
                zero_division=0.0,
            )
        ),
        "loss": float(np.average([record["metrics"]["loss"] for record in folds], weights=sizes)),
    }


def _mean_curves(folds: Sequence[Record]) -> list[dict[str, Any]]:
    epochs = zip(*(record["epochs"] for record in folds), strict=True)
    return [same[0] | {name: float(np.mean([epoch[name] for epoch in same])) for name in _MEANS} for same in epochs]
