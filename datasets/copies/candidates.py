"""Which pairs of photos are worth comparing pixel by pixel."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from datasets.copies.descriptors import cell_means, unit_rows, view_matrices
from datasets.copies.geometry import VIEWS
from datasets.copies.index import Index
from datasets.copies.threads import num_cores

LEAST_SIMILARITY = 0.7
"""Of the descriptors of a photo's view and of another photo; copies have 0.85 and more (docs/copies.md)."""
MOST_PER_PHOTO = 32
"""Pairs that a photo proposes, at most: those most similar."""


class Candidates(NamedTuple):
    """P pairs, each once for each of the two hands in which it was found."""

    a: np.ndarray  # (P,) the photo that was looked up
    b: np.ndarray  # (P,) the photo that was found
    view: np.ndarray  # (P,) int, of VIEWS: the view of a that is most like b


def find_candidates(signatures_NSS: np.ndarray) -> Candidates:
    """Pairs among signatures (N, 96, 96) uint8 whose coarse content is similar in some view. The order is fixed."""
    # One thread for each product: many are small, and sums then do not depend on the number of cores.
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(num_cores()) as threads:
        cells_NG = cell_means(signatures_NSS)
        matrices = view_matrices(cells_NG)
        index = Index(unit_rows(cells_NG @ matrices[0]))
        best = _Best()

        def look_up(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            return index.similar(unit_rows(cells_NG @ matrix), LEAST_SIMILARITY)

        for at in range(0, len(matrices), num_cores()):  # a few at a time: what is found waits in memory
            for number, hits in enumerate(threads.map(look_up, matrices[at : at + num_cores()]), start=at):
                query, row, similarity = hits
                other = query != row
                best.add(query[other], row[other], similarity[other], number, len(signatures_NSS))
    return best.pairs()


class _Best:
    """The most similar view of every pair and hand."""

    def __init__(self) -> None:
        self._columns = [np.empty(0, np.int64) for _ in range(3)] + [np.empty(0, np.float32)]

    def add(self, query: np.ndarray, row: np.ndarray, similarity: np.ndarray, number: int, num_photos: int) -> None:
        """Hits of one view; what exceeds `MOST_PER_PHOTO` goes, so that memory stays bounded."""
        new = (query, row, np.full(len(query), number), similarity)
        query, row, number_, similarity = (np.concatenate(both) for both in zip(self._columns, new, strict=True))
        mirrored = number_ >= len(VIEWS) // 2
        low, high = np.minimum(query, row), np.maximum(query, row)
        key = (low * num_photos + high) * 2 + mirrored
        order = np.lexsort((query, number_, -similarity, key))
        first = order[np.r_[True, np.diff(key[order]) != 0]] if len(order) else order
        self._columns = [column[first] for column in (query, row, number_, similarity)]
        self._columns = [column[self._wanted()] for column in self._columns]

    def _wanted(self) -> np.ndarray:
        """Pairs that are among the most similar of either photo."""
        query, row, _, similarity = self._columns
        photo, pair = np.concatenate([query, row]), np.tile(np.arange(len(query)), 2)
        order = np.lexsort((pair, -similarity[pair], photo))
        starts = np.flatnonzero(np.r_[True, np.diff(photo[order]) != 0]) if len(order) else np.empty(0, np.int64)
        rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
        return np.unique(pair[order[rank < MOST_PER_PHOTO]])

    def pairs(self) -> Candidates:
        """What is left."""
        query, row, number, _ = self._columns
        return Candidates(query, row, number)
