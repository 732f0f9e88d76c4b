"""What every trial answered to every reported photo, as arrays. N photos, K classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from orchestrator.report.results import Group, Results


@dataclass(frozen=True, eq=False)
class TrialAnswers:
    """One trial, its folds pooled. Classes are indices into the classes of its group."""

    path_N: np.ndarray
    true_N: np.ndarray
    answer_N: np.ndarray
    logits_NK: np.ndarray

    @property
    def right_N(self) -> np.ndarray:
        """Whether the answer is the true class."""
        return self.true_N == self.answer_N

    def confusion_KK(self) -> np.ndarray:
        """Counts: row the true class, column the answer."""
        num_classes = self.logits_NK.shape[1]
        cells_N = self.true_N * num_classes + self.answer_N
        return np.bincount(cells_N, minlength=num_classes**2).reshape(num_classes, num_classes)


@dataclass(frozen=True, eq=False)
class GroupAnswers:
    """The trials of one condition under one protocol, by seed."""

    group: Group
    trials: tuple[TrialAnswers, ...]


def read_answers(results: Results) -> list[GroupAnswers]:
    """The answers of every group, in the order of `results`. Raises ValueError for a label that no class has."""
    return [
        GroupAnswers(group, tuple(_trial(rows, group.classes) for rows in group.predictions))
        for group in results.groups
    ]


def _trial(rows: pd.DataFrame, classes: Sequence[str]) -> TrialAnswers:
    true_N, answer_N = (_places(rows[name], classes) for name in ("true_label", "predicted_label"))
    logits_NK = np.concatenate(rows["logits"].to_list()).reshape(len(rows), len(classes))  # np.stack takes ten times
    return TrialAnswers(rows["photo"].to_numpy(object), true_N, answer_N, logits_NK.astype(np.float64))


def _places(labels: pd.Series, classes: Sequence[str]) -> np.ndarray:
    """(N,): of each label its place among the classes."""
    place = {name: index for index, name in enumerate(classes)}
    try:
        return np.array([place[label] for label in labels.tolist()], dtype=np.int64)
    except KeyError as error:
        raise ValueError(
            f"`predictions` has the label {error}, which is none of the classes {list(classes)}."
        ) from None
