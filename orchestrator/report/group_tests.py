"""Whether one group of photos differs from all others in a share.

Source: R. A. Fisher's exact test of a two-by-two table (1934).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scipy import stats

from orchestrator.statistics.paired import holm


@dataclass(frozen=True, slots=True)
class GroupTest:
    """One group against all others together: photos, those of them with a face, and the corrected two-sided p."""

    name: str
    found: int
    photos: int
    other_found: int
    other_photos: int
    p_value: float

    @property
    def gap(self) -> float:
        """Share of the group minus share of all others."""
        return self.found / self.photos - self.other_found / self.other_photos


def one_against_rest(counts: Mapping[str, tuple[int, int]]) -> list[GroupTest]:
    """A test a group, in the order given; none for a lone group. `counts`: (found, photos) by group, photos above 0.

    p is Fisher's exact, Holm-corrected over the groups; of two groups there is one test, and nothing to correct.
    """
    if len(counts) < 2:
        return []
    all_found, all_photos = (sum(pair[place] for pair in counts.values()) for place in (0, 1))
    rests = {name: (all_found - found, all_photos - photos) for name, (found, photos) in counts.items()}
    raw = [_fisher(counts[name], rests[name]) for name in counts]
    corrected = holm(raw) if len(counts) > 2 else raw
    return [GroupTest(name, *counts[name], *rests[name], p) for name, p in zip(counts, corrected, strict=True)]


def _fisher(group: tuple[int, int], rest: tuple[int, int]) -> float:
    table = [[found, photos - found] for found, photos in (group, rest)]
    return min(1.0, float(stats.fisher_exact(table).pvalue))  # rounding may leave it just above
