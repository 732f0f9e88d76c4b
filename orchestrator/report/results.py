"""The finished trials, grouped by condition and protocol, as arrays. S seeds, K classes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from datasets.protocols import PROTOCOLS
from orchestrator.ledger import Record
from orchestrator.report.intervals import Interval, share_interval
from orchestrator.report.pooling import pool_folds
from search_spaces.conditions import LEAVE_ONE_OUT, TABLE1, title_of


@dataclass(frozen=True, eq=False)
class Group:
    """The finished trials of one condition under one protocol, a record and its predictions a seed, by seed."""

    condition: str
    protocol: str
    records: tuple[Record, ...]
    predictions: tuple[pd.DataFrame, ...]
    excluded: tuple[pd.DataFrame, ...]
    """Answers to photos of the class that the model does not know; empty where it knows all."""

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
        """The commonest class of the first seed's training photos; of equals the first by name."""
        return commonest(self.records[0]["train_counts"])

    @property
    def majority_accuracy(self) -> float:
        """What always answering the class that is commonest in training would score."""
        answers = [commonest(record["train_counts"]) for record in self.records]
        pairs = zip(self.predictions, answers, strict=True)
        return float(np.mean([(rows["true_label"] == answer).mean() for rows, answer in pairs]))

    @property
    def majority_in_training(self) -> float:
        """Share of the training photos that are of their commonest class."""
        counts = [record["train_counts"] for record in self.records]
        return float(np.mean([max(by_class.values()) / sum(by_class.values()) for by_class in counts]))

    @property
    def accuracy_on_all(self) -> dict[int, float]:
        """Accuracy by seed where a photo that was dropped for having no face counts as wrong."""
        shares = (record["num_eval"] / (record["num_eval"] + record["num_dropped"]) for record in self.records)
        return {seed: share * self.metric("accuracy")[seed] for seed, share in zip(self.seeds, shares, strict=True)}

    def metric(self, name: str) -> dict[int, float]:
        """A metric of the best epoch, by seed; NaN where the trial has none."""
        values = (record["metrics"][name] for record in self.records)
        return {seed: float("nan") if value is None else value for seed, value in zip(self.seeds, values, strict=True)}

    @property
    def accuracy_interval(self) -> Interval:
        """Accuracy over seeds, or over photos where there is one seed."""
        return share_interval(list(self.metric("accuracy").values()), self.photos)

    def accuracy_on(self, classes: Sequence[str]) -> dict[int, float]:
        """Accuracy by seed on the photos of `classes` alone, with the outputs of all other classes masked.

        So a model with more classes is scored on the photos, and with the choices, of one that has just these.
        """
        columns = [self.classes.index(name) for name in classes]
        return {
            seed: _masked_accuracy(rows["true_label"], logits_NK[:, columns], classes)
            for seed, rows, logits_NK in zip(self.seeds, self.predictions, self.logits, strict=True)
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

    @cached_property
    def logits(self) -> tuple[np.ndarray, ...]:
        """(photos, K) float32 a seed, in the order of `predictions`."""
        return tuple(np.stack(rows["logits"].to_list()).astype(np.float32) for rows in self.predictions)

    @cached_property
    def confusions(self) -> np.ndarray:
        """(S, K, K) counts: row the true class, column the answer. Photos of other classes are left out."""
        return np.array([_confusion(rows, self.classes) for rows in self.predictions])

    def confusion(self) -> np.ndarray:
        """(K, K) counts summed over seeds: row the true class, column the answer."""
        return np.sum(self.confusions, axis=0)

    def class_scores(self) -> dict[str, np.ndarray]:
        """precision, recall, f1, support (true photos) and predicted (photos so answered), each (S, K).

        A score with nothing under its line is 0, as in scikit-learn with `zero_division=0`.
        """
        right = np.diagonal(self.confusions, axis1=1, axis2=2)
        support, predicted = self.confusions.sum(axis=2), self.confusions.sum(axis=1)
        return {
            "precision": right / np.maximum(predicted, 1),
            "recall": right / np.maximum(support, 1),
            "f1": 2 * right / np.maximum(support + predicted, 1),
            "support": support,
            "predicted": predicted,
        }


@dataclass(frozen=True, eq=False)
class Results:
    """All groups: Table 1's conditions first, then leave-one-out, then the others; the paper's protocol first.

    records: every finished trial, a fold each; the groups have the folds of a seed as one. num_waiting: trials of seeds
    of which other folds are not finished, which no group has.
    """

    groups: tuple[Group, ...]
    records: tuple[Record, ...] = ()
    num_waiting: int = 0

    @property
    def protocols(self) -> list[str]:
        """The protocols that occur, the paper's first."""
        return sorted({group.protocol for group in self.groups}, key=protocol_rank)

    def of(self, condition: str) -> list[Group]:
        """The groups of a condition, one a protocol."""
        return [group for group in self.groups if group.condition == condition]

    def group(self, condition: str, protocol: str) -> Group | None:
        """One group, or None if no such trial is finished."""
        return next((group for group in self.of(condition) if group.protocol == protocol), None)


def make_results(records: Iterable[Record], predictions: pd.DataFrame, excluded: pd.DataFrame | None = None) -> Results:
    """Group records and the rows of `predictions` (columns of PREDICTIONS_SCHEMA), whatever their order.

    The folds of a seed are pooled. excluded: answers to photos of a class that the model does not know.
    Raises ValueError where two records share condition, protocol, seed and fold, or a record has no predictions.
    """
    trials = list(records)
    _check(trials, predictions)
    rows_of, excluded_of = _by_trial(predictions), _by_trial(excluded)
    pooled, waiting = pool_folds(trials, rows_of)
    members = defaultdict(list)
    for record in sorted(pooled, key=lambda record: record["seed"]):
        members[record["condition"], record["protocol"]].append(record)
    groups = []
    for (condition, protocol), mine in members.items():
        keys = [(condition, protocol, record["seed"]) for record in mine]
        rows = tuple(rows_of[key] for key in keys)
        others = tuple(excluded_of.get(key, predictions.iloc[:0]) for key in keys)
        groups.append(Group(condition, protocol, tuple(mine), rows, others))
    return Results(tuple(sorted(groups, key=_rank)), tuple(trials), waiting)


def _by_trial(predictions: pd.DataFrame | None) -> dict[Hashable, pd.DataFrame]:
    return {} if predictions is None else dict(iter(predictions.groupby(["condition", "protocol", "seed"])))


def _check(records: Sequence[Record], predictions: pd.DataFrame) -> None:
    names = ["condition", "protocol", "seed", "fold"]
    cells = [tuple(record[name] for name in names) for record in records]
    twice = next((cell for cell, count in Counter(cells).items() if count > 1), None)
    if twice is not None:
        raise ValueError(
            f"`records`: one a condition, protocol, seed and fold; there are several of {'/'.join(map(str, twice))}. "
            "Pass the records of one study only."
        )
    there = set(predictions[names].drop_duplicates().itertuples(index=False, name=None))
    lacking = [cell for cell in cells if cell not in there]
    if lacking:
        raise ValueError(f"`predictions` lacks the rows of {'/'.join(map(str, lacking[0]))}. Read them all.")


def _confusion(rows: pd.DataFrame, classes: list[str]) -> np.ndarray:
    known = pd.Index(classes)
    true_N, answer_N = (known.get_indexer(pd.Index(rows[name])) for name in ("true_label", "predicted_label"))
    known_N = (true_N >= 0) & (answer_N >= 0)
    cells_N = true_N[known_N] * len(classes) + answer_N[known_N]
    return np.bincount(cells_N, minlength=len(classes) ** 2).reshape(len(classes), len(classes))


def protocol_rank(protocol: str) -> tuple[int, str]:
    """Sorts protocols: as published first, then as they came to be."""
    return PROTOCOLS.index(protocol) if protocol in PROTOCOLS else len(PROTOCOLS), protocol


def _rank(group: Group) -> tuple[int, str, tuple[int, str]]:
    known = [*TABLE1, *(name for name in LEAVE_ONE_OUT if name not in TABLE1)]
    place = known.index(group.condition) if group.condition in known else len(known)
    return place, group.condition, protocol_rank(group.protocol)


def _masked_accuracy(labels: pd.Series, logits_NC: np.ndarray, classes: Sequence[str]) -> float:
    """`logits_NC`: of the C `classes` alone, in their order."""
    true_N = pd.Index(classes).get_indexer(pd.Index(labels))
    return float((logits_NC.argmax(axis=1) == true_N)[true_N >= 0].mean())


def commonest(counts: Mapping[str, float]) -> str:
    """Of classes with counts; of equals the first by name."""
    return min(name for name, count in counts.items() if count == max(counts.values()))
