"""Near-copies among distinct pictures: candidates, verified, in groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from datasets.copies.candidates import find_candidates
from datasets.copies.geometry import VIEWS
from datasets.copies.grouping import Grouping, Links
from datasets.copies.pictures import Pictures
from datasets.copies.verify import POSSIBLE, SAME, compare


class NearCopies:
    """Groups of M pictures; how alike two pictures of a group are, and whether one is mirrored."""

    def __init__(self, pictures: Pictures, progress: Callable[[float], None]) -> None:
        """`progress` gets the share of the work done."""
        self._signatures = pictures.signatures
        self.grouping = Grouping(len(pictures.photo), self._compare, POSSIBLE)
        self._known: dict[tuple[int, int], tuple[float, bool]] = {}
        if len(pictures.photo) < 2:
            return
        found = find_candidates(pictures.signatures)
        total = len(found.a) + 1
        # The view was taken of a: the map that is looked for leads from b's coordinates to a's.
        scores, maps = compare(
            self._signatures, found.b, found.a, VIEWS[found.view], lambda done: progress(done / total)
        )
        same = scores >= SAME
        links = Links(found.b[same], found.a[same], scores[same], maps[same])
        self.grouping.add(links)
        for a, b, score, matrix in zip(*links, strict=True):
            self._remember(int(a), int(b), float(score), matrix)

    def scores(self, pairs: Sequence[tuple[int, int]]) -> list[tuple[float, bool]]:
        """Score and hand of pairs within groups: of the two compared or, if better, of the weakest link between."""
        unknown = sorted({(min(pair), max(pair)) for pair in pairs} - self._known.keys())
        if unknown:
            guesses = np.stack([self.grouping.guess(a, b) for a, b in unknown])
            a, b = (np.array(column) for column in zip(*unknown, strict=True))
            for pair, score, matrix in zip(unknown, self._compare(a, b, guesses)[0], guesses, strict=True):
                self._remember(*pair, max(float(score), self.grouping.weakest(*pair)), matrix)
        return [self._known[min(pair), max(pair)] for pair in pairs]

    def _remember(self, a: int, b: int, score: float, matrix: np.ndarray) -> None:
        key = (min(a, b), max(a, b))
        if score > self._known.get(key, (-1.0, False))[0]:
            self._known[key] = (score, bool(np.linalg.det(matrix) < 0))

    def _compare(self, a: np.ndarray, b: np.ndarray, guesses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return compare(self._signatures, a, b, guesses)
