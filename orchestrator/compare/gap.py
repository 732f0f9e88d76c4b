"""The difference of two means, with what is known of its error.

Sources: B. L. Welch (1947), doi:10.2307/2332510, and F. E. Satterthwaite (1946), doi:10.2307/3002019, for two means of
unequal variances.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from orchestrator.statistics.crossed import EXACT_ZERO, Spread, bootstrap_spread, resamples
from orchestrator.statistics.seeds import CONFIDENCE


@dataclass(frozen=True, slots=True)
class Gap:
    """Second minus first. variance: of that difference, over other seeds and photographs; NaN where nothing tells.

    most: no difference can be larger: 1 of two shares, 2 of two differences of shares.
    """

    mean: float
    variance: float
    degrees: float
    most: float = 1.0

    @property
    def bounds(self) -> tuple[float, float]:
        """95 %, within what there can be; NaN without a variance."""
        half = float(stats.t.ppf((1 + CONFIDENCE) / 2, self.degrees)) * math.sqrt(self.variance)
        low, high = self.mean - half, self.mean + half
        return (low, high) if math.isnan(half) else (max(-self.most, low), min(self.most, high))

    @property
    def p_value(self) -> float:
        """Two-sided, against no difference; NaN without a variance."""
        if self.variance < EXACT_ZERO:
            return 1.0 if self.mean == 0 else 0.0
        return float(2 * stats.t.sf(abs(self.mean) / math.sqrt(self.variance), self.degrees))


def of_spread(spread: Spread) -> Gap:
    """Of differences that were taken pair by pair; one seed tells no variance."""
    if spread.num_seeds < 2 or spread.num_photographs < 2:
        return Gap(spread.mean, math.nan, math.nan)
    return Gap(spread.mean, spread.variance, spread.degrees)


def of_independent(first: Spread, second: Spread) -> Gap:
    """Of two means that share neither seeds nor photographs: variances add, degrees of freedom are Welch's."""
    mean = second.mean - first.mean
    if min(first.num_seeds, second.num_seeds) < 2 or min(first.num_photographs, second.num_photographs) < 2:
        return Gap(mean, math.nan, math.nan)
    variance = first.variance + second.variance
    parts = sum(spread.variance**2 / spread.degrees for spread in (first, second))
    return Gap(mean, variance, variance**2 / parts)


def of_values(value_SP: np.ndarray, cluster_P: np.ndarray) -> Gap:
    """Of a value a seed and photo, such as a difference of differences; `cluster_P` as in `scores.Answers`."""
    num = int(cluster_P.max()) + 1
    size_C = np.bincount(cluster_P).astype(np.float32)
    sum_SC = np.stack([np.bincount(cluster_P, weights=value_P, minlength=num) for value_P in value_SP])
    drawn_BC = resamples(num)
    score_BS = (drawn_BC @ sum_SC.T) / (drawn_BC @ size_C)[:, None]
    return of_spread(bootstrap_spread(value_SP.mean(axis=1), score_BS, num, 1 / len(cluster_P)))
