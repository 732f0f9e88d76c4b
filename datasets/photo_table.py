"""What the rules about photos look at, and the roles they give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Protocol = Literal["paper", "clean", "grouped_kfold"]
PROTOCOLS: tuple[str, ...] = ("paper", "clean", "grouped_kfold")
UNUSED, TRAIN, SELECT, REPORT = 0, 1, 2, 3
"""Roles, as int8. On the SELECT photos the epoch is chosen; on the REPORT photos a trial is judged."""


@dataclass(frozen=True)
class PhotoTable:
    """N photos that could be read, in any order.

    path: (N,) str, unique. label: (N,) int64, index into `classes`, after the label patch. split: (N,) str, train, val
    or test. subject: (N,) object, str or None where unknown. photograph: (N,) int64, equal for copies of one
    photograph. kept_conflict: (N,) bool, whether a person said that this photo's label stands in spite of a conflict.
    """

    path: np.ndarray
    label: np.ndarray
    split: np.ndarray
    subject: np.ndarray
    photograph: np.ndarray
    kept_conflict: np.ndarray
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        columns = (self.label, self.split, self.subject, self.photograph, self.kept_conflict)
        assert all(len(column) == len(self.path) for column in columns), "columns of a photo table differ in length"

    def __len__(self) -> int:
        return len(self.path)

    def take(self, rows: np.ndarray) -> PhotoTable:
        """These rows (indices or a mask), in this order."""
        return PhotoTable(
            self.path[rows],
            self.label[rows],
            self.split[rows],
            self.subject[rows],
            self.photograph[rows],
            self.kept_conflict[rows],
            self.classes,
        )

    def sorted(self) -> tuple[np.ndarray, PhotoTable]:
        """The order of the paths, and the table in it: results must not depend on how a source lists its files."""
        order = np.argsort(self.path, kind="stable")
        return order, self.take(order)
