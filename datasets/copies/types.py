"""What the search for copies gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

COPIES_FORMAT = 2
"""Raised when the same photos would be grouped otherwise: it is part of every trial's key, and of a kept audit."""


@dataclass(frozen=True, slots=True)
class CopyPair:
    """Two files that show the same photograph."""

    a: int
    """Index of the one, in the order of the photos given."""
    b: int
    """Index of the other; greater than `a`."""
    kind: Literal["exact_copy", "near_copy"]
    score: float
    """1 for exact copies; else how far the two agree where they agree least, in [0, 1)."""
    how: str
    """`bytes` or `pixels` (what is the same) for exact copies; for near-copies `mirrored`, or empty."""


@dataclass(frozen=True)
class Photographs:
    """Photos sorted into photographs: what is one picture, however often and in whatever form it was saved."""

    group: np.ndarray
    """(N,) int64: of each photo the smallest index of its photograph."""
    pairs: tuple[CopyPair, ...]
    """Every pair within a photograph, sorted by (a, b); beyond 50 members, the pairs with the first member alone."""
