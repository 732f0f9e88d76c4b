"""What chance does with so many photos and seeds."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.stats import binom, binomtest
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

SIGNIFICANT = 0.05
ENOUGH_SEEDS = 6
"""The least number of paired seeds whose two-sided test can be significant."""


@cache
def least_net_difference() -> int:
    """Photos by which two models must differ, at the least, for an exact two-sided McNemar test to be significant.

    All photos that only one of them gets right are then right for the same one; each that is not asks for more.
    """
    return next(net for net in range(1, 100) if mcnemar_p(net, 0) < SIGNIFICANT)


def mcnemar_p(gained: int, lost: int) -> float:
    """Exact two-sided p of so many photos right for one model alone, and so many for the other alone."""
    return float(mcnemar([[0, gained], [lost, 0]], exact=True).pvalue)


def wilson(right: int, total: int) -> tuple[float, float]:
    """95 % Wilson interval of a share of photos."""
    low, high = proportion_confint(right, total, alpha=SIGNIFICANT, method="wilson")
    return float(low), float(high)


def so_few_right(right: int, total: int, chance: float) -> float:
    """Probability that a guesser with that chance of being right has `right` or fewer of `total`."""
    return float(binom.cdf(right, total, chance))


def smallest_p(num_seeds: int) -> float:
    """Least two-sided p of a sign-flip, sign or Wilcoxon test of so many pairs: all differences of one sign."""
    return float(binomtest(num_seeds, num_seeds).pvalue)


def epoch_spread(accuracy: float, total: int) -> float:
    """Binomial standard deviation of the accuracy of one epoch, as a share."""
    return float(binom.std(total, accuracy)) / total


def best_of_epochs(accuracy: float, total: int, num_epochs: int) -> float:
    """Mean of the best of so many independent epochs that all have the true accuracy `accuracy`, as a share.

    E[max] is the sum over k of P(max > k).
    """
    at_most = binom.cdf(np.arange(total), total, accuracy) ** num_epochs
    return float((1 - at_most).sum()) / total
