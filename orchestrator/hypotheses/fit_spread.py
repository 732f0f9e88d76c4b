"""How much answers varied in an earlier run, for the plan of the next one."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from scipy import optimize, stats

from orchestrator.hypotheses.answers import PairedAnswers, paired_answers
from orchestrator.hypotheses.model import Hypotheses
from orchestrator.report.results import Results
from orchestrator.statistics.design import AnswerSpread

LARGEST = 0.98
"""Of all shares together: some of every answer is its own."""


def fit_spread(
    results: Results, hypotheses: Hypotheses, protocol: str, draw_of: Mapping[str, str]
) -> AnswerSpread | None:
    """The mean spread of the comparisons of `hypotheses` under one protocol; None without a pair of two shared seeds.

    By moments: how often two seeds of a condition, and two conditions, are right on the same photo gives correlations
    of the scores behind the answers (tetrachoric); what seeds vary by beyond their photos gives the seed's share.
    """
    found = []
    for test in (one.test for one in hypotheses.hypotheses):
        first, second = results.group(test.condition, protocol), results.group(test.than, protocol)
        pair = paired_answers(first, second, draw_of) if first and second else None
        if pair is not None and len(pair.seeds) > 1:
            found.append(_fit(pair))
    if not found:
        return None
    accuracy, photo, photo_condition, seed = np.mean(found, axis=0).tolist()
    return AnswerSpread(accuracy=accuracy, photo=photo, photo_condition=photo_condition, seed=seed)


def _fit(pair: PairedAnswers) -> tuple[float, float, float, float]:
    """accuracy, photo, photo_condition, seed."""
    right = [answers.right_SP.astype(float) for answers in (pair.first, pair.second)]
    accuracy = float(np.clip(right[1].mean(), 0.02, 0.98))
    within = float(np.mean([_correlation(_both_right(of_one), of_one.mean(), of_one.mean()) for of_one in right]))
    across = _correlation(
        float((right[0].mean(axis=0) * right[1].mean(axis=0)).mean()), right[0].mean(), right[1].mean()
    )
    photo = min(max(0.0, across), max(0.0, within))
    seed = float(np.mean([_seed_variance(of_one) for of_one in right])) / stats.norm.pdf(stats.norm.ppf(accuracy)) ** 2
    photo_condition = max(0.0, within - photo)
    scale = min(1.0, LARGEST / max(photo + photo_condition + seed, 1e-9))
    return accuracy, photo * scale, photo_condition * scale, float(seed) * scale


def _both_right(right_SP: np.ndarray) -> float:
    """How often two different seeds are both right on a photo."""
    num, total_P = len(right_SP), right_SP.sum(axis=0)
    return float((total_P * (total_P - 1)).mean() / (num * (num - 1)))


def _seed_variance(right_SP: np.ndarray) -> float:
    """Variance of accuracy over seeds beyond what answers to single photos make it vary."""
    num_seeds, num_photos = right_SP.shape
    rest = right_SP - right_SP.mean(axis=0) - right_SP.mean(axis=1, keepdims=True) + right_SP.mean()
    chance = (rest**2).sum() / ((num_seeds - 1) * (num_photos - 1)) / num_photos if num_photos > 1 else 0.0
    return max(0.0, float(right_SP.mean(axis=1).var(ddof=1)) - chance)


def _correlation(both: float, first: float, second: float) -> float:
    """Of two normal scores that are above zero `first` and `second` of the time, and `both` at once."""
    first, second = (float(np.clip(share, 0.005, 0.995)) for share in (first, second))
    h, k = stats.norm.ppf(first), stats.norm.ppf(second)

    def gap(rho: float) -> float:
        return float(stats.multivariate_normal.cdf([h, k], cov=[[1, rho], [rho, 1]])) - both

    low, high = -0.99, 0.99
    if gap(low) >= 0 or math.isnan(both):
        return low
    return high if gap(high) <= 0 else float(optimize.brentq(gap, low, high, xtol=1e-4))
