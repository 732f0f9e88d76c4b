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
from statsmodels.stats.multitest import multipletests

MAX_FLIPS = 2**16
"""Up to 16 pairs every combination of signs is tried; beyond, that many are drawn, always the same."""


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
    """Holm's step-down correction, in the order given."""
    return [] if not len(p_values) else [float(p) for p in multipletests(p_values, method="holm")[1]]
