"""What generalises to other seeds and other photos at once: seeds and photographs drawn anew, two ways.

Both the seeds and the photographs of a study are samples. The variance of a mean over both is
V = V_seeds + V_photographs - V_interaction: both one-way variances hold the interaction, the mean has it only once.
Resampling both at once (the pigeonhole bootstrap) would count it three times, which is why the parts are put together.

Sources: A. Owen (2007), The pigeonhole bootstrap, doi:10.1214/07-AOAS122; F. E. Satterthwaite (1946),
doi:10.2307/3002019, for the degrees of freedom.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy import stats

from orchestrator.statistics.seeds import CONFIDENCE

NUM_RESAMPLES = 2000
EXACT_ZERO = 1e-15


@dataclass(frozen=True, slots=True)
class Spread:
    """A mean over seeds and photographs, and the parts of its variance.

    seeds, photographs: variance of the mean if these alone were drawn anew. interaction: the part that both hold.
    `photographs` is 0, and num_photographs 1, where a measure has no photographs (epochs to a threshold).
    floor: the least variance that is believed: that of rounding to whole epochs, or that of one photo. Conditions that
    agree on all of n photos may still differ on one in n. extra: added to the variance, see `wary`.
    """

    mean: float
    seeds: float
    photographs: float
    interaction: float
    num_seeds: int
    num_photographs: int
    floor: float = 0.0
    extra: float = 0.0

    @property
    def variance(self) -> float:
        """Of the mean, over other seeds and other photographs."""
        return float(total_variance(self.seeds, self.photographs, self.interaction, self.floor)) + self.extra

    def wary(self) -> Spread:
        """For tests against a mean other than 0.

        Where few photos differ, few more may have been missed, and the variance that they show is too small beside the
        one under the tested mean. Four photos are added, as A. Agresti and B. Caffo (2000),
        doi:10.1080/00031305.2000.10474560, add four observations.
        """
        return replace(self, floor=0.0, extra=4 * self.floor) if self.num_photographs > 1 else self

    @property
    def degrees(self) -> float:
        """Degrees of freedom of that variance (Satterthwaite)."""
        parts = (self.seeds, self.photographs, self.interaction)
        return float(degrees_of_freedom(*parts, self.num_seeds, self.num_photographs))

    def bounds(self, confidence: float = CONFIDENCE) -> tuple[float, float]:
        """The two-sided interval of the mean."""
        half = float(stats.t.ppf((1 + confidence) / 2, self.degrees)) * math.sqrt(self.variance)
        return self.mean - half, self.mean + half

    def p_above(self, value: float) -> float:
        """One-sided p against the mean being at most `value`."""
        if self.variance < EXACT_ZERO:
            return 1.0 if self.mean <= value else 0.0
        return float(stats.t.sf((self.mean - value) / math.sqrt(self.variance), self.degrees))

    def p_below(self, value: float) -> float:
        """One-sided p against the mean being at least `value`."""
        if self.variance < EXACT_ZERO:
            return 1.0 if self.mean >= value else 0.0
        return float(stats.t.cdf((self.mean - value) / math.sqrt(self.variance), self.degrees))

    def p_value(self, value: float = 0.0) -> float:
        """Two-sided p against the mean being `value`."""
        return min(1.0, 2 * min(self.p_above(value), self.p_below(value)))

    def with_seeds(self, num: int) -> Spread:
        """What to expect of `num` seeds on the same photographs."""
        share = self.num_seeds / num
        beyond = max(0.0, self.photographs - self.interaction)
        return Spread(
            self.mean, self.seeds * share, beyond + self.interaction * share, self.interaction * share, num,
            self.num_photographs, self.floor, self.extra,
        )  # fmt: skip

    def with_photographs(self, num: int) -> Spread:
        """What to expect of as many seeds on `num` photographs of the same kind."""
        share = self.num_photographs / num
        beyond = max(0.0, self.seeds - self.interaction)
        return Spread(
            self.mean, beyond + self.interaction * share, self.photographs * share, self.interaction * share,
            self.num_seeds, num, self.floor * share**2, self.extra * share**2,
        )  # fmt: skip


Part = float | np.ndarray


def total_variance(seeds: Part, photographs: Part, interaction: Part, floor: float) -> np.ndarray:
    """The variance of a mean from its parts, which may be arrays."""
    return np.maximum(np.maximum(seeds + photographs - interaction, floor), np.maximum(seeds, photographs))


def degrees_of_freedom(
    seeds: Part, photographs: Part, interaction: Part, num_seeds: int, num_photographs: int
) -> np.ndarray:
    """Of that variance (Satterthwaite); not below the fewest of any part."""
    degrees = (num_seeds - 1, num_photographs - 1, (num_seeds - 1) * (num_photographs - 1))
    known = [
        (np.square(part), by) for part, by in zip((seeds, photographs, interaction), degrees, strict=True) if by > 0
    ]
    least = float(min((by for _, by in known), default=1))
    weight = np.asarray(sum(square / by for square, by in known), float)
    whole = np.square(np.asarray(seeds + photographs - interaction, float))
    return np.maximum(least, np.divide(whole, weight, out=np.full_like(weight, least), where=weight > EXACT_ZERO**2))


def over_seeds(values: np.ndarray, step: float = 0.0) -> Spread:
    """Of one value a seed (S,), which comes in steps of `step`; no photographs."""
    rounding = step**2 / 12 / len(values)
    return Spread(float(values.mean()), _seed_part(values), 0.0, 0.0, len(values), 1, rounding)


def bootstrap_spread(score_S: np.ndarray, score_BS: np.ndarray, num_photographs: int, step: float = 0.0) -> Spread:
    """Of one score a seed (S,), and its values (B, S) on B resamples of the photographs, the same for all seeds.

    step: what one photo is worth.
    """
    num_seeds = len(score_S)
    seeds = _seed_part(score_S)
    if num_photographs < 2:
        return Spread(float(score_S.mean()), seeds, math.inf, 0.0, num_seeds, num_photographs)
    unbiased = num_photographs / (num_photographs - 1)
    photographs = float(score_BS.mean(axis=1).var(ddof=1)) * unbiased
    within = float(score_BS.var(axis=1, ddof=1).mean()) / num_seeds if num_seeds > 1 else 0.0
    interaction = max(0.0, within - seeds) * unbiased
    # Neither part is truly smaller than the interaction that it holds, which more numbers tell; few seeds may agree by
    # chance.
    seeds, photographs = max(seeds, interaction), max(photographs, interaction)
    return Spread(float(score_S.mean()), seeds, photographs, interaction, num_seeds, num_photographs, step**2)


@lru_cache(maxsize=8)
def resamples(num_photographs: int, num: int = NUM_RESAMPLES) -> np.ndarray:
    """(B, C) float32: how often each of C photographs stands in each of B resamples. Always the same draws."""
    rng = np.random.default_rng(0)
    equal = np.full(num_photographs, 1 / num_photographs)
    return rng.multinomial(num_photographs, equal, size=num).astype(np.float32)


@lru_cache(maxsize=8)
def flips(num_photographs: int, num: int = NUM_RESAMPLES - 1) -> np.ndarray:
    """(F, C) float32: random signs, one a photograph. Always the same draws."""
    return np.random.default_rng(1).choice(np.array([-1.0, 1.0], np.float32), size=(num, num_photographs))


def _seed_part(values: np.ndarray) -> float:
    return float(values.var(ddof=1)) / len(values) if len(values) > 1 else 0.0
