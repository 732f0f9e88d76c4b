"""Which descriptors are similar, without comparing all with all: an inverted file of cells around centres."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from datasets.copies.descriptors import unit_rows

WHOLE = 2048
"""Up to so many descriptors are one cell, and the search is exact."""
PER_CELL = 64
PROBES = 16
"""Cells that a query looks into: those whose centres are nearest."""
_ROUNDS = 5
_MAX_SAMPLE = 64
"""Descriptors a centre is made from, at most."""
_BLOCK = 8192


class Index:
    """Descriptors (N, D) of unit length in cells. The order of the rows decides the cells: give them in a fixed one."""

    def __init__(self, rows_ND: np.ndarray) -> None:
        self._rows_ND = rows_ND
        self._centres_CD = _centres(rows_ND)
        cell_N = np.concatenate([_nearest(part, self._centres_CD, 1)[:, 0] for part in _blocks(rows_ND)])
        order = np.argsort(cell_N, kind="stable")
        self._members = np.split(order, np.cumsum(np.bincount(cell_N, minlength=len(self._centres_CD)))[:-1])

    def similar(self, queries_QD: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(query, row, similarity) of what is found with a similarity of at least `least`; some may be missed."""
        probes = min(PROBES, len(self._centres_CD))
        cells = np.concatenate([_nearest(part, self._centres_CD, probes) for part in _blocks(queries_QD)]).ravel()
        order = np.argsort(cells, kind="stable")
        asking = np.split(order // probes, np.cumsum(np.bincount(cells, minlength=len(self._members)))[:-1])
        found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        for members, queries in zip(self._members, asking, strict=True):
            for at in range(0, len(queries), _BLOCK):
                part = queries[at : at + _BLOCK]
                similarity = queries_QD[part] @ self._rows_ND[members].T
                q, row = np.nonzero(similarity >= least)
                found.append((part[q], members[row], similarity[q, row]))
        query, row, similarity = (np.concatenate(column) for column in zip(*found, strict=True))
        return query, row, similarity


def _blocks(rows: np.ndarray) -> Iterator[np.ndarray]:
    return (rows[at : at + _BLOCK] for at in range(0, len(rows), _BLOCK))


def _centres(rows_ND: np.ndarray) -> np.ndarray:
    """(C, D): some rounds of spherical k-means on evenly spaced rows; a cell that loses all members stays."""
    if len(rows_ND) <= WHOLE:
        return np.zeros((1, rows_ND.shape[1]), np.float32)
    num = len(rows_ND) // PER_CELL
    sample = rows_ND[:: max(1, len(rows_ND) // (num * _MAX_SAMPLE))]
    centres = sample[np.linspace(0, len(sample) - 1, num).astype(int)].copy()
    for _ in range(_ROUNDS):
        cell = np.concatenate([_nearest(part, centres, 1)[:, 0] for part in _blocks(sample)])
        order = np.argsort(cell, kind="stable")
        used, starts = np.unique(cell[order], return_index=True)
        centres[used] = unit_rows(np.add.reduceat(sample[order], starts))
    return centres


def _nearest(rows: np.ndarray, centres: np.ndarray, num: int) -> np.ndarray:
    """(n, num): the most similar centres of each row, in no order."""
    if num >= len(centres):
        return np.broadcast_to(np.arange(len(centres)), (len(rows), len(centres)))
    similarity = rows @ centres.T
    if num == 1:
        return similarity.argmax(1)[:, None]
    return np.argpartition(-similarity, num, axis=1)[:, :num]
