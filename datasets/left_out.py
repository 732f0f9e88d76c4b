"""Which photos a protocol leaves out, and by which rule."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from datasets.photo_table import PhotoTable

STAYS, CONFLICT, LEAK, SUBJECT, COPY = 0, 1, 2, 3, 4
RULES = {CONFLICT: "conflict", LEAK: "leak", SUBJECT: "subject", COPY: "copy"}


def independent_groups(photos: PhotoTable) -> np.ndarray:
    """(N,) int: equal for photos that one photograph or one subject links, through any number of others.

    A copy without a subject is of the same person as a copy with one, so links are followed to the end.
    """
    num = len(photos)
    photograph = _codes(photos.photograph)
    known = np.flatnonzero([bool(subject) for subject in photos.subject])
    subject = _codes(photos.subject[known].astype(str))
    ends = np.concatenate([num + photograph, 2 * num + subject])  # neither has more values than there are photos
    starts = np.concatenate([np.arange(num), known])
    graph = coo_matrix((np.ones(len(starts), bool), (starts, ends)), shape=(3 * num + 1, 3 * num + 1))
    return connected_components(graph, directed=False)[1][:num]


def linked_subjects(photos: PhotoTable) -> np.ndarray:
    """(N,) object: one name for all people and photos that copies link, None where nobody is known.

    With these in place of the subjects, photos can be taken away without a link being lost.
    """
    group = independent_groups(photos)
    known = np.isin(group, group[[bool(subject) for subject in photos.subject]])
    order, table = photos.sorted()
    names: dict[int, str] = {}
    for row, path in zip(order.tolist(), table.path.tolist(), strict=True):
        names.setdefault(int(group[row]), str(path))  # of the first path, whatever the order of the photos
    return np.array([names[int(one)] if is_known else None for one, is_known in zip(group, known, strict=True)], object)


def left_out(photos: PhotoTable, protocol: str) -> np.ndarray:
    """(N,) int8: STAYS, or the rule that leaves the photo out of `clean` or `grouped_kfold`; `paper` has no rule.

    The rules apply one after the other, each to the photos that the ones before it left.
    """
    rule = np.full(len(photos), STAYS, np.int8)
    if protocol == "paper":
        return rule
    order, table = photos.sorted()
    out = np.where(_in_conflict(table), CONFLICT, STAYS).astype(np.int8)
    if protocol == "clean":
        group = independent_groups(table)
        _mark_leaks(out, table, group, source=("test",), of=("train", "val"))
        _mark_leaks(out, table, group, source=("val",), of=("train",))
    rows = np.flatnonzero(out == STAYS)
    first = rows[np.unique(table.photograph[rows], return_index=True)[1]]  # rows are in the order of paths
    copies = np.setdiff1d(rows, first, assume_unique=True)
    out[copies] = COPY
    rule[order] = out
    return rule


def _in_conflict(photos: PhotoTable) -> np.ndarray:
    photograph = _codes(photos.photograph)
    disputed = (_classes_of(photograph, photos.label, len(photos)) > 1)[photograph]
    kept = photos.kept_conflict.astype(bool)
    settled = (_classes_of(photograph[kept], photos.label[kept], len(photos)) == 1)[photograph]
    return disputed & ~(settled & kept)


def _classes_of(photograph: np.ndarray, label: np.ndarray, num: int) -> np.ndarray:
    """(num,) int: how many classes each photograph carries."""
    pairs = np.unique(np.stack([photograph, label]), axis=1)
    return np.bincount(pairs[0].astype(np.int64), minlength=num)


def _mark_leaks(
    out: np.ndarray, photos: PhotoTable, group: np.ndarray, *, source: tuple[str, ...], of: tuple[str, ...]
) -> None:
    """Leave out what stays in the splits `of` and stands in `source` too, as a copy or by the person it shows."""
    held = (out == STAYS) & np.isin(photos.split, source)
    linked = (out == STAYS) & np.isin(photos.split, of) & np.isin(group, group[held])
    copied = np.isin(photos.photograph, photos.photograph[held])
    out[linked & copied] = LEAK
    out[linked & ~copied] = SUBJECT


def _codes(values: np.ndarray) -> np.ndarray:
    return np.unique(values, return_inverse=True)[1].reshape(-1).astype(np.int64)
