"""The interval of a mean over seeds.

Sources: B. Efron (1987), BCa, doi:10.1080/01621459.1987.10478410; T. Hesterberg (2015), levels expanded for small
samples, doi:10.1080/00031305.2015.1089789.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from scipy import stats

CONFIDENCE = 0.95
MIN_BOOTSTRAP = 6
"""A bootstrap mean never leaves the range of the values, and that range holds the truth 1 - 2 ** (1 - n) of the time at
best: 93.8 % for five values, 96.9 % for six."""
NUM_RESAMPLES = 9999
SAME = 1e-12


def t_bounds(values: tuple[float, ...], confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Bounds of the t interval of the mean of two or more values."""
    mean = float(np.mean(values))
    if np.ptp(values) < SAME:  # scipy answers NaN for a scale of 0
        return mean, mean
    low, high = stats.t.interval(confidence, len(values) - 1, mean, stats.sem(values))
    return float(low), float(high)


@lru_cache(maxsize=4096)
def bca_bounds(values: tuple[float, ...], confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Bounds of the BCa bootstrap interval of the mean of MIN_BOOTSTRAP or more values, levels expanded.

    At its plain levels it would hold the truth for 87 % of samples of six, not 95 %. Always the same resamples.
    """
    mean = float(np.mean(values))
    if np.ptp(values) < SAME:
        return mean, mean
    found = stats.bootstrap(
        (np.array(values),),
        np.mean,
        axis=-1,
        method="BCa",
        confidence_level=expanded_confidence(len(values), confidence),
        n_resamples=NUM_RESAMPLES,
        rng=0,
    )
    low, high = (float(bound) for bound in found.confidence_interval)
    return (low, high) if not math.isnan(low + high) else t_bounds(values, confidence)


def expanded_confidence(num: int, confidence: float = CONFIDENCE) -> float:
    """The nominal level at which a percentile of `num` resampled values is as far out as the t interval's bound."""
    quantile = stats.t.ppf((1 + confidence) / 2, num - 1)
    return float(1 - 2 * stats.norm.cdf(-math.sqrt(num / (num - 1)) * quantile))
