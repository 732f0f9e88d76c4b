"""How many seeds, or photographs, would have decided what was left undecided."""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy import stats

from orchestrator.statistics.crossed import Spread

POWER = 0.8
MOST_SEEDS = 200
MOST_PHOTOGRAPHS = 1_000_000


def power_of(spread: Spread, distance: float, alpha: float, beyond: float = math.inf) -> float:
    """How likely a two-sided test at `alpha` decides, if the mean truly lies `distance` from the tested value.

    beyond: of two one-sided tests at `alpha` (a claim of equality), the distance from the other end of the margin.
    """
    error = math.sqrt(spread.variance)
    if error == 0.0:
        return 1.0 if distance else 0.0
    if math.isinf(beyond):
        critical = float(stats.t.ppf(1 - alpha / 2, spread.degrees))
        return float(stats.t.cdf(distance / error - critical, spread.degrees))
    critical = float(stats.t.ppf(1 - alpha, spread.degrees))
    missed = sum(float(stats.t.sf(end / error - critical, spread.degrees)) for end in (distance, beyond))
    return max(0.0, 1 - missed)


def seeds_needed(spread: Spread, distance: float, alpha: float, least: int, beyond: float = math.inf) -> int | None:
    """Seeds, `least` or more, that would decide with probability POWER; None where no number up to MOST_SEEDS would."""
    return _smallest(lambda num: power_of(spread.with_seeds(num), distance, alpha, beyond), least, MOST_SEEDS)


def photographs_needed(
    spread: Spread, distance: float, alpha: float, num_seeds: int, beyond: float = math.inf
) -> int | None:
    """Photographs that would decide with probability POWER under `num_seeds` seeds; None where no number would."""
    if spread.num_photographs < 2:
        return None
    seeds = spread.with_seeds(num_seeds)
    return _smallest(lambda num: power_of(seeds.with_photographs(num), distance, alpha, beyond), 2, MOST_PHOTOGRAPHS)


def _smallest(power: Callable[[int], float], low: int, high: int) -> int | None:
    """The least number from `low` to `high` with power enough; power grows with the number."""
    if power(high) < POWER:
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if power(middle) >= POWER else (middle + 1, high)
    return low
