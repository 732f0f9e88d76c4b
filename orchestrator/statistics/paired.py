"""Paired comparisons of two conditions over seeds, or over photos of one seed.

Sources: R. A. Fisher's sign-flip (paired permutation) test; Q. McNemar (1947), doi:10.1007/BF02295996, in its exact
form; J. Cohen's d_z; R. Agarwal et al. (2021), probability of improvement, arXiv 2108.13264; S. Holm (1979),
https://www.jstor.org/stable/4615733.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar

EXACT_PAIRS = 16
"""Up to so many pairs every combination of signs is tried."""
DRAWN_FLIPS = 2**14 - 1
"""Beyond, so many combinations are drawn, always the same."""


TIE_DIGITS = 7
"""Of a mean beside the largest difference: of 16 seeds, shares of up to 600,000 photos are told apart."""


def sign_flip_p(differences: Sequence[float]) -> float:
    """Two-sided p that the mean difference is 0, from the signs alone being random (exact to 16 pairs)."""
    if len(differences) == 1:
        return 1.0
    values = np.asarray(differences, float)
    scaled = values / (np.abs(values).max() or 1.0)
    num = 2**EXACT_PAIRS if len(values) <= EXACT_PAIRS else DRAWN_FLIPS

    def mean(flipped: np.ndarray, axis: int) -> np.ndarray:
        return np.asarray(flipped.mean(axis=axis).round(TIE_DIGITS))  # sums that are equal but for floating point tie

    test = stats.permutation_test(
        (scaled,), mean, permutation_type="samples", vectorized=True, n_resamples=num, batch=4096, rng=0
    )
    return float(test.pvalue)


def smallest_p(num_pairs: int) -> float:
    """The least two-sided p that a sign-flip test of so many pairs can give."""
    return min(1.0, 2.0 ** (1 - num_pairs))


def mcnemar_p(first_right: np.ndarray, second_right: np.ndarray) -> float:
    """Exact two-sided McNemar p. Both (P,) bool: whether each photo was right."""
    only_first = int((first_right & ~second_right).sum())
    only_second = int((second_right & ~first_right).sum())
    both = int((first_right & second_right).sum())
    neither = len(first_right) - both - only_first - only_second
    return float(mcnemar([[both, only_first], [only_second, neither]], exact=True).pvalue)


def effect_size(differences: Sequence[float]) -> float:
    """Cohen's d_z: mean of the paired differences over their standard deviation; NaN where these have no spread."""
    if len(differences) < 2 or np.ptp(differences) == 0.0:
        return math.nan
    return float(np.mean(differences) / np.std(differences, ddof=1))


def probability_of_improvement(first: Sequence[float], second: Sequence[float]) -> float:
    """How often a run of the first beats a run of the second, over all pairs of runs; a tie counts half."""
    test = stats.mannwhitneyu(first, second, method="asymptotic")  # for its U alone
    return float(test.statistic / (len(first) * len(second)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction, in the order given.

    Not by statsmodels, which collects the garbage of the whole process at each call, 0.2 s in a report.
    """
    if not len(p_values):
        return []
    p_N = np.asarray(p_values, float)
    order = np.argsort(p_N, kind="stable")
    corrected_N = np.empty(len(p_N))
    corrected_N[order] = np.minimum(1.0, np.maximum.accumulate(p_N[order] * np.arange(len(p_N), 0, -1)))
    return corrected_N.tolist()
