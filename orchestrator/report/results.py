"""The finished trials, grouped by condition and protocol, as arrays. S seeds, K classes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from orchestrator.ledger import Record
from search_spaces.conditions import LEAVE_ONE_OUT, TABLE1, title_of


@dataclass(frozen=True, eq=False)
class Group:
    """The finished trials of one condition under one protocol, a record and its predictions a seed, by seed."""

    condition: str
    protocol: str
    records: tuple[Record, ...]
    predictions: tuple[pd.DataFrame, ...]

    @property
    def title(self) -> str:
        """The condition as a table heads its row."""
        return title_of(self.condition)

    @property
    def seeds(self) -> list[int]:
        """Ascending."""
        return [record["seed"] for record in self.records]

    @property
    def classes(self) -> list[str]:
        """The classes that the model tells apart."""
        return list(self.records[0]["classes"])

    @property
    def photos(self) -> int:
        """Reported photos a seed (the fewest, should seeds differ)."""
        return min(record["num_eval"] for record in self.records)

    @property
    def majority_class(self) -> str:
        """The commonest true class of the first seed's photos; of equals the first by name."""
        counts = self.predictions[0]["true_label"].value_counts()
        return min(counts.index[counts == counts.max()])

    @property
    def majority_accuracy(self) -> float:
        """What always answering the commonest class would score."""
        return float(np.mean([rows["true_label"].value_counts(normalize=True).max() for rows in self.predictions]))

    def metric(self, name: str) -> dict[int, float]:
        """A metric of the best epoch, by seed; NaN where the trial has none."""
        values = (record["metrics"][name] for record in self.records)
        return {seed: float("nan") if value is None else value for seed, value in zip(self.seeds, values, strict=True)}

    def accuracy_on(self, classes: Sequence[str]) -> dict[int, float]:
        """Accuracy by seed on the photos of `classes` alone, with the outputs of all other classes masked.

        So a model with more classes is scored on the photos, and with the choices, of one that has just these.
        """
        columns = [self.classes.index(name) for name in classes]
        return {
            seed: _masked_accuracy(rows, classes, columns)
            for seed, rows in zip(self.seeds, self.predictions, strict=True)
        }

    def curve(self, name: str) -> pd.DataFrame:
        """A field of the epochs: one row an epoch (counted from 1), one column a seed."""
        columns = {
            record["seed"]: pd.Series({epoch["epoch"] + 1: epoch[name] for epoch in record["epochs"]}, dtype=float)
            for record in self.records
        }
        return pd.DataFrame(columns).sort_index()

    @property
    def last_head_epoch(self) -> int | None:
        """The last epoch (counted from 1) of the classifier alone; None without staged training."""
        stages = [epoch["stage"] for epoch in self.records[0]["epochs"]]
        return stages.count("head") if {"head", "finetune"} <= set(stages) else None

    def class_scores(self) -> dict[str, np.ndarray]:
        """precision, recall, f1, support (true photos) and predicted (photos so answered), each (S, K)."""
        scores = [
            precision_recall_fscore_support(
                rows["true_label"], rows["predicted_label"], labels=self.classes, zero_division=0.0
            )
            for rows in self.predictions
        ]
        precision, recall, f1, support = (np.array(parts) for parts in zip(*scores, strict=True))
        predicted = np.array([_counts(rows["predicted_label"], self.classes) for rows in self.predictions])
        return {"precision": precision, "recall": recall, "f1": f1, "support": support, "predicted": predicted}

    def confusion(self) -> np.ndarray:
        """(K, K) counts summed over seeds: row the true class, column the answer."""
        answers = [(rows["true_label"], rows["predicted_label"]) for rows in self.predictions]
        return np.sum([confusion_matrix(*pair, labels=self.classes) for pair in answers], axis=0)


@dataclass(frozen=True, eq=False)
class Results:
    """All groups: Table 1's conditions first, then leave-one-out, then the others; the paper's protocol first."""

    groups: tuple[Group, ...]

    @property
    def records(self) -> list[Record]:
        """Every finished trial."""
        return [record for group in self.groups for record in group.records]

    @property
    def protocols(self) -> list[str]:
        """The protocols that occur, the paper's first."""
        return sorted({group.protocol for group in self.groups}, key=_protocol_rank)

    def of(self, condition: str) -> list[Group]:
        """The groups of a condition, one a protocol."""
        return [group for group in self.groups if group.condition == condition]

    def group(self, condition: str, protocol: str) -> Group | None:
        """One group, or None if no such trial is finished."""
        return next((group for group in self.of(condition) if group.protocol == protocol), None)


def make_results(records: Iterable[Record], predictions: pd.DataFrame) -> Results:
    """Group records and the rows of `predictions` (columns of PREDICTIONS_SCHEMA), whatever their order.

    Raises ValueError where two records share condition, protocol and seed, or a record has no predictions.
    """
    rows_of = dict(iter(predictions.groupby(["condition", "protocol", "seed"])))
    members = defaultdict(list)
    for record in sorted(records, key=lambda record: record["seed"]):
        members[record["condition"], record["protocol"]].append(record)
    groups = []
    for (condition, protocol), trials in members.items():
        seeds = [trial["seed"] for trial in trials]
        _check(condition, protocol, seeds, rows_of)
        rows = tuple(rows_of[condition, protocol, seed] for seed in seeds)
        groups.append(Group(condition, protocol, tuple(trials), rows))
    return Results(tuple(sorted(groups, key=_rank)))


def _check(condition: str, protocol: str, seeds: list[int], rows_of: dict) -> None:
    if len(set(seeds)) < len(seeds):
        raise ValueError(
            f"`records`: one a condition, protocol and seed; {condition}/{protocol} has the seeds {seeds}. "
            "Pass the records of one study only."
        )
    lacking = [seed for seed in seeds if (condition, protocol, seed) not in rows_of]
    if lacking:
        raise ValueError(f"`predictions` lacks the rows of {condition}/{protocol}, seeds {lacking}. Read them all.")


def _counts(labels: pd.Series, classes: list[str]) -> list[int]:
    return [int((labels == name).sum()) for name in classes]


def _protocol_rank(protocol: str) -> tuple[bool, str]:
    return protocol != "paper", protocol


def _rank(group: Group) -> tuple[int, str, tuple[bool, str]]:
    known = [*TABLE1, *(name for name in LEAVE_ONE_OUT if name not in TABLE1)]
    place = known.index(group.condition) if group.condition in known else len(known)
    return place, group.condition, _protocol_rank(group.protocol)


def _masked_accuracy(rows: pd.DataFrame, classes: Sequence[str], columns: Sequence[int]) -> float:
    kept = rows[rows["true_label"].isin(classes)]
    logits = np.stack(kept["logits"].to_list())[:, columns]
    return float((np.array(classes)[logits.argmax(axis=1)] == kept["true_label"].to_numpy()).mean())
