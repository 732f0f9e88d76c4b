"""95 % intervals as the tables give them, and the paired difference over seeds.

Source of Wilson's interval: E. B. Wilson (1927), doi:10.1080/01621459.1927.10502953.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from scipy import stats

from orchestrator.statistics.paired import sign_flip_p
from orchestrator.statistics.seeds import CONFIDENCE, MIN_BOOTSTRAP, bca_bounds, t_bounds

OVER_SEEDS = "BCa over seeds"
OVER_FEW_SEEDS = "t over seeds"
OVER_PHOTOS = "Wilson over photos"
NO_INTERVAL = "none (one seed)"


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its bounds (NaN where `kind` is NO_INTERVAL)."""

    mean: float
    low: float
    high: float
    kind: str

    def clipped(self) -> Interval:
        """With bounds inside [0, 1], for shares."""
        return replace(self, low=_clip(self.low), high=_clip(self.high))


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """Mean over seeds of first minus second, with its interval and the exact two-sided sign-flip p."""

    interval: Interval
    p_value: float
    num_pairs: int


def seed_interval(values: Sequence[float]) -> Interval:
    """Mean over seeds with its BCa interval; t below six seeds, none below two. NaN values are left out."""
    known = tuple(float(value) for value in values if not math.isnan(value))
    if len(known) < 2:
        return Interval(known[0] if known else math.nan, math.nan, math.nan, NO_INTERVAL)
    mean = math.fsum(known) / len(known)
    if len(known) < MIN_BOOTSTRAP:
        return Interval(mean, *t_bounds(known), OVER_FEW_SEEDS)
    return Interval(mean, *bca_bounds(known), OVER_SEEDS)


def wilson_interval(num_right: int, num_photos: int) -> Interval:
    """Share of photos with its Wilson interval, which stays inside [0, 1]; no interval for no photo."""
    if num_photos == 0:
        return Interval(math.nan, math.nan, math.nan, NO_INTERVAL)
    bounds = stats.binomtest(num_right, num_photos).proportion_ci(CONFIDENCE, method="wilson")
    return Interval(num_right / num_photos, float(bounds.low), float(bounds.high), OVER_PHOTOS)


def share_interval(values: Sequence[float], num_photos: int) -> Interval:
    """A share of `num_photos` photos: over seeds, or Wilson over the photos where there is one seed."""
    if len(values) == 1 and num_photos > 0:
        return wilson_interval(round(values[0] * num_photos), num_photos)
    return seed_interval(values).clipped()


def paired_difference(first: Mapping[int, float], second: Mapping[int, float]) -> PairedDifference | None:
    """First minus second over the seeds that both have (both by seed). None without a shared seed."""
    shared = sorted(first.keys() & second.keys())
    if not shared:
        return None
    differences = [first[seed] - second[seed] for seed in shared]
    return PairedDifference(seed_interval(differences), sign_flip_p(differences), len(shared))


def _clip(bound: float) -> float:
    return min(1.0, max(0.0, bound)) if not math.isnan(bound) else bound
