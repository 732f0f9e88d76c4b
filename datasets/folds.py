"""Groups of photos dealt out to parts, so that each part holds its share of every class."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

ATTEMPTS = 8
"""Orders tried where groups of several classes leave a part without a class."""


@dataclass(frozen=True)
class Groups:
    """G groups of photos that must stay together. first_path: (G,) str. counts: (G, C) int64, photos of each class."""

    first_path: np.ndarray
    counts: np.ndarray

    def take(self, rows: np.ndarray) -> Groups:
        """These groups alone."""
        return Groups(self.first_path[rows], self.counts[rows])

    @property
    def mixed(self) -> bool:
        """Whether some group holds photos of several classes: a person with several expressions."""
        return bool(((self.counts > 0).sum(axis=1) > 1).any())


def gather(group: np.ndarray, path: np.ndarray, label: np.ndarray, num_classes: int) -> tuple[np.ndarray, Groups]:
    """The index (N,) of each photo's group, and the groups, of photos in the order of their paths."""
    _, first, index = np.unique(group, return_index=True, return_inverse=True)
    counts = np.zeros((len(first), num_classes), np.int64)
    np.add.at(counts, (index.reshape(-1), label), 1)
    return index.reshape(-1), Groups(path[first], counts)


def deal(groups: Groups, shares: Sequence[float], key: str, *, at_least: int = 1) -> np.ndarray:
    """(G,) int64: the part of each group. `shares` are the parts' shares of the photos, `key` names the draw.

    Largest groups first, sizes counted in powers of two of their share of a class, and in an order drawn by `key`
    among equals: without the rounding, groups of unequal sizes would be dealt out alike whatever the key. Each group
    goes to a part that lacks its classes (has fewer than `at_least` groups of them), then to the least full of them.
    """
    totals = np.maximum(groups.counts.sum(axis=0), 1)
    filling = groups.counts / totals
    rarity = (1 / np.maximum((groups.counts > 0).sum(axis=0), 1)).tolist()
    size_step = np.floor(np.log2(filling.max(axis=1)))
    drawn = np.array([_draw(key, path) for path in groups.first_path], np.uint64)
    preferred = np.argsort([_draw(key, str(part)) for part in range(len(shares))]).argsort().tolist()
    parts = [_Part(share, rank, groups.counts.shape[1]) for share, rank in zip(shares, preferred, strict=True)]
    part_of = np.zeros(len(groups.counts), np.int64)
    members: list[list[tuple[int, float]]] = [[] for _ in range(len(filling))]
    for group, label in np.argwhere(groups.counts).tolist():
        members[group].append((label, filling[group, label].item()))
    for group in np.lexsort((drawn, -size_step)).tolist():
        inside = members[group]
        part_of[group] = best = min(range(len(parts)), key=lambda p: parts[p].rank_for(inside, rarity, at_least))
        parts[best].add(inside)
    return part_of


class _Part:
    """How full one part is, class by class."""

    __slots__ = ("filled", "num_groups", "preferred", "share", "total")

    def __init__(self, share: float, preferred: int, num_classes: int) -> None:
        self.share, self.preferred, self.total = share, preferred, 0.0
        self.filled, self.num_groups = [0.0] * num_classes, [0] * num_classes

    def rank_for(
        self, inside: list[tuple[int, float]], rarity: list[float], at_least: int
    ) -> tuple[float, float, float, float, int]:
        """Lowest for the part that the group should go to. Of two empty parts, the larger takes the larger group."""
        lacking = sum(rarity[label] for label, _ in inside if self.num_groups[label] < at_least)
        fullness = sum(amount * self.filled[label] for label, amount in inside) / self.share
        fullness /= sum(amount for _, amount in inside)  # else rounding would hide one photo of a million
        return (-lacking, round(fullness, 12), -self.share, self.total / self.share, self.preferred)

    def add(self, inside: list[tuple[int, float]]) -> None:
        for label, amount in inside:
            self.filled[label] += amount
            self.num_groups[label] += 1
            self.total += amount


def _draw(key: str, name: str) -> int:
    """A number that depends on nothing but the draw and the name: other photos, coming or going, do not change it."""
    text = f"{key}\0{name}".encode(errors="surrogateescape")
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big")


def choose_select(groups: Groups, select_frac: float, key: str) -> np.ndarray:
    """(G,) bool: the groups on which the epoch is chosen, about `select_frac` of the photos of each class."""
    return deal(groups, (1 - select_frac, select_frac), key) == 1


def deal_folds(groups: Groups, num_folds: int, key: str) -> np.ndarray:
    """(G,) int64: the fold of each group. Outside each fold two groups of a class are needed: of two folds, in each."""
    return deal(groups, [1 / num_folds] * num_folds, key, at_least=2 if num_folds == 2 else 1)


def orders(seed: int | None) -> Iterator[str]:
    """Names of draws to try: those of the seed, then those that every seed may fall back on (None: these alone)."""
    if seed is not None:
        yield from (f"{seed}/{attempt}" for attempt in range(ATTEMPTS))
    yield from (f"any/{attempt}" for attempt in range(ATTEMPTS))


def lacks_class(groups: Groups, part: np.ndarray, num_parts: int) -> int | None:
    """The first class that `groups` hold and one of their parts lacks, or None."""
    counts = np.zeros((num_parts, groups.counts.shape[1]), np.int64)
    np.add.at(counts, part, groups.counts)
    lacking = np.flatnonzero((counts == 0).any(axis=0) & (groups.counts.sum(axis=0) > 0))
    return int(lacking[0]) if len(lacking) else None
