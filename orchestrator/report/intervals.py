"""95 % intervals, and the paired test behind every comparison.

Sources: E. B. Wilson (1927), doi:10.1080/01621459.1927.10502953; R. A. Fisher's sign-flip (paired permutation) test.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

CONFIDENCE = 0.95
OVER_SEEDS = "t over seeds"
OVER_PHOTOS = "Wilson over photos"
NO_INTERVAL = "none (one seed)"
MAX_FLIPS = 2**16
"""Up to 16 pairs every combination of signs is tried; beyond, that many are drawn, always the same."""


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
    """Mean over seeds and its t interval; no interval for fewer than two. NaN values are left out."""
    known = np.array([value for value in values if not math.isnan(value)])
    if len(known) < 2:
        return Interval(float(known[0]) if len(known) else math.nan, math.nan, math.nan, NO_INTERVAL)
    mean, error = float(known.mean()), float(known.std(ddof=1)) / math.sqrt(len(known))
    if np.ptp(known) < 1e-12:  # scipy answers NaN for a scale of 0
        return Interval(mean, mean, mean, OVER_SEEDS)
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(known) - 1)) * error
    return Interval(mean, mean - half, mean + half, OVER_SEEDS)


def wilson_interval(num_right: int, num_photos: int) -> Interval:
    """Share of photos with its Wilson interval, which stays inside [0, 1]; no interval for no photo."""
    if num_photos == 0:
        return Interval(math.nan, math.nan, math.nan, NO_INTERVAL)
    bounds = stats.binomtest(num_right, num_photos).proportion_ci(CONFIDENCE, method="wilson")
    return Interval(num_right / num_photos, float(bounds.low), float(bounds.high), OVER_PHOTOS)


def share_interval(values: Sequence[float], num_photos: int) -> Interval:
    """A share of `num_photos` photos: t over seeds, or Wilson over the photos where there is one seed."""
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


def sign_flip_p(differences: Sequence[float]) -> float:
    """Two-sided p that the mean difference is 0, from the signs alone being random (exact to 16 pairs)."""
    if len(differences) == 1:
        return 1.0
    test = stats.permutation_test(
        (np.array(differences),), np.mean, permutation_type="samples", n_resamples=MAX_FLIPS, batch=4096, rng=0
    )
    return float(test.pvalue)


def smallest_p(num_pairs: int) -> float:
    """The least two-sided p that a sign-flip test of so many pairs can give."""
    return min(1.0, 2.0 ** (1 - num_pairs))


def _clip(bound: float) -> float:
    return min(1.0, max(0.0, bound)) if not math.isnan(bound) else bound
