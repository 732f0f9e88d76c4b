"""Sort photos into photographs: exact copies by hash, near-copies by what they show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np

from datasets.copies.exact import Sets, exact_groups
from datasets.copies.grouping import Grouping
from datasets.copies.near import NearCopies
from datasets.copies.pictures import Pictures, distinct_pictures
from datasets.copies.types import CopyPair, Photographs

MOST_LISTED = 50
"""Of a photograph with more members, only the pairs with the first member are listed."""

Progress = Callable[[int, int], None]


def find_photographs(
    file_sha256: Sequence[str | None],
    pixel_sha256: Sequence[str | None],
    signatures: Sequence[bytes | None],
    *,
    progress: Progress | None = None,
) -> Photographs:
    """Group N photos into photographs and list the pairs within each.

    Exact copies share `file_sha256` or `pixel_sha256`; None and "" match nothing. Near-copies are found in the
    signatures of `datasets.measures.signature`; a photo without one (None), or without content, has only exact copies.
    Of a photograph with more than 50 members, the pairs of each member with the first are listed, and no others.
    `progress` gets (photos done, photos in all). Other orders of the same photos give the same photographs.

    Raises ValueError if the sequences differ in length or a signature has another length than 9216 bytes.
    """
    num = len(signatures)
    if not len(file_sha256) == len(pixel_sha256) == num:
        raise ValueError(f"hashes and signatures of {len(file_sha256)}, {len(pixel_sha256)} and {num} photos")
    exact = exact_groups(file_sha256, pixel_sha256)
    pictures = distinct_pictures(exact, file_sha256, pixel_sha256, signatures)
    near = NearCopies(pictures, lambda share: progress(int(share * num), num) if progress is not None else None)
    group = _groups(exact, pictures, near.grouping)
    listed = _listed(group)
    picture_of = {int(exact[photo]): number for number, photo in enumerate(pictures.photo)}
    across = [(i, j) for i, j in listed if exact[i] != exact[j]]
    scores = dict(
        zip(across, near.scores([(picture_of[exact[i]], picture_of[exact[j]]) for i, j in across]), strict=True)
    )
    pairs = [_near(i, j, *scores[i, j]) if (i, j) in scores else _exact(i, j, file_sha256) for i, j in listed]
    if progress is not None:
        progress(num, num)
    return Photographs(group, tuple(pairs))


def _groups(exact: np.ndarray, pictures: Pictures, grouping: Grouping) -> np.ndarray:
    """(N,): exact groups joined where their pictures are near-copies."""
    sets = Sets(len(exact))
    for photo, first in enumerate(exact):
        sets.join(photo, int(first))
    for members in grouping.members.values():
        for other in members[1:]:
            sets.join(int(pictures.photo[members[0]]), int(pictures.photo[other]))
    return sets.roots()


def _listed(group: np.ndarray) -> list[tuple[int, int]]:
    """The pairs to give, in order."""
    order = np.argsort(group, kind="stable")
    pairs: list[tuple[int, int]] = []
    for members in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        if len(members) > MOST_LISTED:
            pairs += [(int(members[0]), int(other)) for other in members[1:]]
        else:
            pairs += combinations(members.tolist(), 2)
    return sorted(pairs)


def _exact(a: int, b: int, file_sha256: Sequence[str | None]) -> CopyPair:
    same_bytes = bool(file_sha256[a]) and file_sha256[a] == file_sha256[b]
    return CopyPair(a, b, "exact_copy", 1.0, "bytes" if same_bytes else "pixels")


def _near(a: int, b: int, score: float, mirrored: bool) -> CopyPair:
    return CopyPair(a, b, "near_copy", score, "mirrored" if mirrored else "")
