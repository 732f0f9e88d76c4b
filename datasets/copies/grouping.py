"""From verified pairs to photographs, without chains: a-b and b-c make a-c only if a and c could be copies too."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

Check = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Scores and maps of pairs of pictures, given as templates, images and guesses of the maps (see `compare`)."""
MOST_CHECKED = 4
"""Members of either group, at most, that are compared with those of the other before the groups become one."""


class Links(NamedTuple):
    """P verified pairs of pictures."""

    a: np.ndarray  # (P,) templates
    b: np.ndarray  # (P,) images
    score: np.ndarray  # (P,)
    map: np.ndarray  # (P, 3, 3) from a's coordinates to b's


class Grouping:
    """Pictures 0..n-1 in groups, each with its map from the coordinates of its group's frame."""

    def __init__(self, num_pictures: int, check: Check, possible: float) -> None:
        self.members = {i: [i] for i in range(num_pictures)}
        self.group = list(range(num_pictures))
        self.frame = np.tile(np.eye(3), (num_pictures, 1, 1))
        self._check, self._possible = check, possible
        self._links: dict[int, list[tuple[int, float]]] = {}
        self._fitting: set[tuple[int, int]] = set()

    def add(self, links: Links) -> None:
        """Join groups along links, the best link first; a link across two groups that do not fit is dropped."""
        self._fitting |= {(min(pair), max(pair)) for pair in zip(links.a.tolist(), links.b.tolist(), strict=True)}
        for i in np.lexsort((links.b, links.a, -links.score)):
            a, b = int(links.a[i]), int(links.b[i])
            if self.group[a] != self.group[b]:
                shift = np.linalg.inv(self.frame[b]) @ links.map[i] @ self.frame[a]  # from a's frame to b's
                if self._fit(a, b, shift):
                    self._join(a, b, shift)
                    for one, other in ((a, b), (b, a)):
                        self._links.setdefault(one, []).append((other, float(links.score[i])))

    def guess(self, a: int, b: int) -> np.ndarray:
        """(3, 3): the map from a's coordinates to b's, of one group, along the links between them."""
        return self.frame[b] @ np.linalg.inv(self.frame[a])

    def weakest(self, a: int, b: int) -> float:
        """The least score on the path from a to b. Links were added best first, so no other path has a better one."""
        waiting, least = [a], {a: 1.0}
        while waiting:
            at = waiting.pop()
            for other, score in self._links.get(at, ()):
                if other not in least:
                    least[other] = min(least[at], score)
                    waiting.append(other)
        return least[b]

    def _fit(self, a: int, b: int, shift: np.ndarray) -> bool:
        """True if most of the pairs across, other than the link itself, could be copies."""
        ours, theirs = (self._sample(self.members[self.group[i]], i) for i in (a, b))
        pairs = [(i, j) for i in ours for j in theirs if (i, j) != (a, b)]
        unknown = [pair for pair in pairs if (min(pair), max(pair)) not in self._fitting]
        if 2 * len(unknown) < len(pairs) or not pairs:
            return True
        guesses = np.stack([self.frame[j] @ shift @ np.linalg.inv(self.frame[i]) for i, j in unknown])
        templates, images = (np.array(column) for column in zip(*unknown, strict=True))
        fits = int((self._check(templates, images, guesses)[0] >= self._possible).sum())
        return 2 * (len(pairs) - len(unknown) + fits) > len(pairs)

    @staticmethod
    def _sample(members: list[int], always: int) -> list[int]:
        others = [i for i in members if i != always]
        step = max(1, -(-len(others) // (MOST_CHECKED - 1)))
        return [always, *others[::step]]

    def _join(self, a: int, b: int, shift: np.ndarray) -> None:
        low, high = self.group[a], self.group[b]
        if len(self.members[low]) < len(self.members[high]):
            low, high, shift = high, low, np.linalg.inv(shift)
        moved = self.members.pop(high)
        for i in moved:
            self.group[i], self.frame[i] = low, self.frame[i] @ shift
        self.members[low] = self.members[low] + moved
