"""The faces of one photo, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Faces:
    """n faces, the most probable first.

    boxes: (n, 4) float32, left, top, right, bottom. probabilities: (n,). landmarks: (n, 5, 2). levels: (n,) int, the
    pyramid level that proposed each, 0 the coarsest.
    """

    boxes: np.ndarray
    probabilities: np.ndarray
    landmarks: np.ndarray
    levels: np.ndarray

    @classmethod
    def none(cls) -> Faces:
        """No face."""
        return cls(
            np.empty((0, 4), np.float32),
            np.empty(0, np.float32),
            np.empty((0, 5, 2), np.float32),
            np.empty(0, np.int64),
        )

    def __len__(self) -> int:
        return len(self.boxes)

    def largest_first(self) -> np.ndarray:
        """Indices by falling area of the box; of equal areas the last comes first."""
        areas = (self.boxes[:, 2] - self.boxes[:, 0]) * (self.boxes[:, 3] - self.boxes[:, 1])
        return np.argsort(areas, kind="stable")[::-1]
