"""The smallest gain that a design would show: the verdict's own rules, applied to invented answers."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy import stats

from orchestrator.statistics.crossed import degrees_of_freedom, flips, total_variance
from orchestrator.statistics.design import AnswerSpread, draw_scores, right_of

NUM_STUDIES = 400
MARGIN = 0.02
"""Above the power asked for, since it is itself estimated from NUM_STUDIES studies."""
MOST_ANSWERS = 6_000_000
MOST_PHOTOS = 20_000
STEP = 0.0025


@dataclass(frozen=True, slots=True)
class Detectable:
    """gain: of accuracy, a share; NaN where none would be shown. power: share of the invented studies that show it."""

    gain: float
    power: float


def smallest_gain(
    spread: AnswerSpread, num_seeds: int, num_photos: int, *, family: int, alpha: float, power: float, seed: int = 0
) -> Detectable:
    """The least gain over a condition of `spread.accuracy` that is called supported with probability `power`.

    family: how many hypotheses share the correction; the others are taken to be undecided, the hardest case.
    """
    photos = min(num_photos, MOST_PHOTOS)
    num = max(100, min(NUM_STUDIES, MOST_ANSWERS // (num_seeds * photos)))
    scores = draw_scores(spread, 2, num_seeds, photos, np.random.default_rng(seed), num)

    def shown(gain: float) -> float:
        right = right_of(scores, spread.accuracy, (gain, 0.0))
        return float(supported(right[:, 0], right[:, 1], level=alpha / family, alpha=alpha).mean())

    gains = np.arange(STEP, 1 - spread.accuracy, STEP)
    if not len(gains) or shown(float(gains[-1])) < power + MARGIN:
        return Detectable(float("nan"), float("nan"))
    low, high = 0, len(gains) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if shown(float(gains[middle])) >= power + MARGIN else (middle + 1, high)
    return Detectable(float(gains[low]), shown(float(gains[low])))


def supported(first: np.ndarray, second: np.ndarray, *, level: float, alpha: float) -> np.ndarray:
    """(N,) bool: in which of N studies the first is shown to be the better. Both (N, S, P) bool, right or wrong.

    level: for p over seeds and photographs; alpha: for p over either alone. The variances are those that the bootstrap
    of `crossed` estimates, in closed form, which plain shares of photos allow.
    """
    gap = first.astype(np.float32) - second
    _, num_seeds, num_photos = gap.shape
    mean_NS, mean_NP = gap.mean(axis=2), gap.mean(axis=1)
    mean_N = mean_NS.mean(axis=1)
    unbiased = num_photos / (num_photos - 1)
    seeds = mean_NS.var(axis=1, ddof=1) / num_seeds
    photographs = mean_NP.var(axis=1) * unbiased / num_photos
    rest = gap - mean_NS[:, :, None] - mean_NP[:, None, :] + mean_N[:, None, None]
    interaction = (rest**2).sum(axis=(1, 2)) / ((num_seeds - 1) * num_seeds * num_photos**2) * unbiased
    seeds, photographs = np.maximum(seeds, interaction), np.maximum(photographs, interaction)
    variance = total_variance(seeds, photographs, interaction, 1 / num_photos**2)
    degrees = degrees_of_freedom(seeds, photographs, interaction, num_seeds, num_photos)
    p_both = 2 * stats.t.sf(mean_N / np.sqrt(variance), degrees)
    over_seeds = _p_of_signs(mean_NS, _signs(num_seeds)) < alpha
    over_photos = (
        _p_of_signs(mean_NP, np.concatenate([np.ones((1, num_photos), np.float32), flips(num_photos)])) < alpha
    )
    return np.asarray((p_both < level) & over_seeds & over_photos)


def _signs(num: int) -> np.ndarray:
    """(F, num): all combinations of signs, or many, the data as they are among them."""
    if num <= 12:
        return np.array(list(itertools.product((1.0, -1.0), repeat=num)), np.float32)
    return np.concatenate([np.ones((1, num), np.float32), flips(num)])


def _p_of_signs(values: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """(N,) two-sided p of the mean of (N, M) values under (F, M) signs."""
    drawn, seen = np.abs(values @ signs.T), np.abs(values.sum(axis=1))
    return np.asarray((drawn >= seen[:, None] - 1e-4).mean(axis=1))
