"""Time to a threshold when some trainings never reach it: they are censored at what they ran, not left out.

Sources: E. L. Kaplan and P. Meier (1958), doi:10.1080/01621459.1958.10501452; log-rank test: N. Mantel (1966), Cancer
Chemotherapy Reports 50; restricted mean: P. Royston and M. K. B. Parmar (2013), doi:10.1186/1471-2288-13-152. Curve and
test are those of statsmodels.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any, Literal

import numpy as np
from statsmodels.duration.survfunc import SurvfuncRight, survdiff

from orchestrator.report.intervals import Interval, seed_interval
from orchestrator.report.pooling import trainings_of
from orchestrator.report.results import Group

Unit = Literal["epochs", "compute_s", "wall_s"]
CLOCK_UNITS: tuple[Unit, ...] = ("compute_s", "wall_s")
UNITS: tuple[Unit, ...] = ("epochs", *CLOCK_UNITS)
NOT_KNOWN = float("nan")
_HALF = 0.5 + 1e-9
"""Survival is a product of ratios, which may miss one half by a rounding error."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One training on its way to a threshold, in epochs or in seconds.

    time: until the end of the first epoch at or above the threshold, or, where `reached` is False, all that it ran.
    """

    seed: int
    fold: int
    time: float
    reached: bool
    ran: float


def waiting_times(group: Group, threshold: float, unit: Unit) -> list[Waiting]:
    """Every training of the group: one a seed, or one a seed and fold."""
    return [
        _waiting(record["seed"], fold, epochs, threshold, unit)
        for record in group.records
        for fold, epochs in enumerate(trainings_of(record))
    ]


def _waiting(seed: int, fold: int, epochs: Sequence[Mapping[str, Any]], threshold: float, unit: Unit) -> Waiting:
    spent = np.cumsum([1.0 if unit == "epochs" else epoch[unit] for epoch in epochs]).tolist()
    first = next((place for place, epoch in enumerate(epochs) if epoch["val_accuracy"] >= threshold), None)
    return Waiting(seed, fold, spent[-1 if first is None else first], first is not None, spent[-1])


def horizon_of(times: Iterable[Waiting]) -> float:
    """The longest time that every one of the trainings ran, whether or not it reached the threshold."""
    return min(one.ran for one in times)


def restricted_by_seed(times: Iterable[Waiting], horizon: float) -> dict[int, float]:
    """Mean over folds of min(time, horizon), by seed.

    Every training ran at least `horizon`, so nothing is censored before it: the mean of these over seeds is the area
    under the Kaplan-Meier curve up to the horizon, and seeds can be paired without any estimate.
    """
    of_seed = defaultdict(list)
    for one in times:
        of_seed[one.seed].append(min(one.time, horizon))
    return {seed: fmean(values) for seed, values in of_seed.items()}


def restricted_mean(times: Iterable[Waiting], horizon: float) -> Interval:
    """Mean over seeds of `restricted_by_seed`, with its interval, the bounds inside [0, horizon]."""
    interval = seed_interval(list(restricted_by_seed(times, horizon).values()))
    # A comparison with NaN is False: where there is no bound, none comes to be.
    low = 0.0 if interval.low < 0.0 else interval.low
    return replace(interval, low=low, high=horizon if interval.high > horizon else interval.high)


def reached_curve(times: Sequence[Waiting]) -> tuple[np.ndarray, np.ndarray]:
    """The times at which the share that has reached it rises, and that share (1 minus Kaplan-Meier) from each on."""
    survival = SurvfuncRight(np.array([one.time for one in times]), np.array([int(one.reached) for one in times]))
    return np.asarray(survival.surv_times), 1.0 - np.asarray(survival.surv_prob)


def median_time(times: Sequence[Waiting]) -> float:
    """The first time by which half has reached it, as Kaplan-Meier has it; NaN where half never does."""
    when, share = reached_curve(times)
    enough = when[1.0 - share <= _HALF]
    return float(enough[0]) if len(enough) else NOT_KNOWN


def log_rank_p(first: Sequence[Waiting], second: Sequence[Waiting]) -> float:
    """Two-sided p that both reach it equally soon, seeds unpaired; folds are strata.

    NaN where nothing can tell them apart: none reached it, or all did at once.
    """
    both = [*first, *second]
    folds = [one.fold for one in both]
    try:
        _, p_value = survdiff(
            np.array([one.time for one in both]),
            np.array([int(one.reached) for one in both]),
            np.repeat([0, 1], [len(first), len(second)]),
            strata=folds if len(set(folds)) > 1 else None,
        )
    except np.linalg.LinAlgError:  # a variance of 0
        return NOT_KNOWN
    return float(p_value)
