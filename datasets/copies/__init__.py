"""Which photos are copies of one photograph. Exact copies alone; near-copies are to come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

COPIES_FORMAT = 1
"""Raised when the same photos would be grouped otherwise."""


@dataclass(frozen=True, slots=True)
class CopyPair:
    """Two photos of one photograph, by index, `a` below `b`."""

    a: int
    b: int
    kind: Literal["exact_copy", "near_copy"]
    score: float
    how: str


@dataclass(frozen=True)
class Photographs:
    """`group`: of each photo the smallest index of its photograph. `pairs`: every pair inside one, by (a, b)."""

    group: np.ndarray
    pairs: tuple[CopyPair, ...]


def find_photographs(
    file_sha256: Sequence[str],
    pixel_sha256: Sequence[str | None],
    signatures: Sequence[bytes | None],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Photographs:
    """Group photos whose files or pixels are equal; an empty hash equals nothing."""
    first: dict[str, int] = {}
    group = np.arange(len(file_sha256), dtype=np.int64)
    for index, pixels in enumerate(pixel_sha256):
        group[index] = first.setdefault(pixels, index) if pixels else index
    members: dict[int, list[int]] = {}
    for index, root in enumerate(group.tolist()):
        members.setdefault(root, []).append(index)
    pairs = [
        CopyPair(a, b, "exact_copy", 1.0, "bytes" if file_sha256[a] == file_sha256[b] else "pixels")
        for group_of in members.values()
        for place, a in enumerate(group_of)
        for b in group_of[place + 1 :]
    ]
    return Photographs(group, tuple(sorted(pairs, key=lambda pair: (pair.a, pair.b))))
