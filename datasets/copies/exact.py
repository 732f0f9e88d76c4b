"""Exact copies: the same bytes, or the same pixels."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np


class Sets:
    """Disjoint sets of 0..n-1; the root of a set is its smallest member."""

    def __init__(self, n: int) -> None:
        self.parent = list(range(n))

    def root(self, i: int) -> int:
        """The smallest member of i's set."""
        while self.parent[i] != i:
            self.parent[i] = self.parent[self.parent[i]]
            i = self.parent[i]
        return i

    def join(self, i: int, j: int) -> None:
        """Make one set of the sets of i and j."""
        low, high = sorted((self.root(i), self.root(j)))
        self.parent[high] = low

    def roots(self) -> np.ndarray:
        """(n,) int64: the root of every member."""
        return np.array([self.root(i) for i in range(len(self.parent))], np.int64)


def exact_groups(file_sha256: Sequence[str | None], pixel_sha256: Sequence[str | None]) -> np.ndarray:
    """(N,) int64: of each photo the smallest index with the same bytes or pixels. An empty hash or None is no match."""
    sets = Sets(len(file_sha256))
    for hashes in (file_sha256, pixel_sha256):
        first: dict[Hashable, int] = {}
        for i, digest in enumerate(hashes):
            if digest:
                sets.join(first.setdefault(digest, i), i)
    return sets.roots()
