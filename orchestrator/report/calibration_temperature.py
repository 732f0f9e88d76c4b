"""Temperature scaling (Guo et al. 2017, arXiv:1706.04599), never fitted on the photos that it is scored on.

The reported photos are dealt into two halves, all copies of one photograph in the same half. The temperature of one
half is fitted on the other. N photos, K classes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from orchestrator.report.answers import GroupAnswers

MAX_TEMPERATURE = 20.0
"""Temperatures are sought from 1/20 to 20: where all answers of a half are right there is no best one."""
_TOLERANCE = 1e-3
"""Of the logarithm of the temperature: a tenth of a percent."""


@dataclass(frozen=True, eq=False)
class CrossFit:
    """temperatures: applied to the first and the second half. logits_NK: divided by them."""

    temperatures: tuple[float, float]
    logits_NK: np.ndarray

    @property
    def temperature(self) -> float:
        """Geometric mean of the two."""
        return math.sqrt(self.temperatures[0] * self.temperatures[1])

    @property
    def num_at_bound(self) -> int:
        """How many of the two ended where the search does."""
        edge = math.log(MAX_TEMPERATURE) - 5 * _TOLERANCE
        return sum(abs(math.log(temperature)) > edge for temperature in self.temperatures)


def fit_temperature(logits_NK: np.ndarray, true_N: np.ndarray) -> float:
    """The T that makes the negative log-likelihood of logits / T least: scipy's bounded minimiser over log T.

    There is none, and the bound is the answer, where all answers are right (the surer the better), and where the logits
    of the true classes are on average no higher than those of any class (the less sure the better).
    """
    shifted_NK = logits_NK - logits_NK.max(axis=1, keepdims=True)
    own_N = np.take_along_axis(shifted_NK, true_N[:, None], axis=1)[:, 0]
    own = float(own_N.mean())
    if not own_N.any():
        return 1 / MAX_TEMPERATURE
    if own <= shifted_NK.mean():
        return MAX_TEMPERATURE

    def loss(log_temperature: float) -> float:
        factor = math.exp(-log_temperature)
        return float(np.log(np.exp(shifted_NK * factor).sum(axis=1)).mean()) - factor * own

    bound = math.log(MAX_TEMPERATURE)
    found = minimize_scalar(loss, bounds=(-bound, bound), method="bounded", options={"xatol": _TOLERANCE})
    return math.exp(found.x)


def cross_fit(logits_NK: np.ndarray, true_N: np.ndarray, half_N: np.ndarray) -> CrossFit | None:
    """Fit on each half (0 or 1), apply to the other; None where a half has no photo."""
    first_N = half_N == 0
    if first_N.all() or not first_N.any():
        return None
    of_first = fit_temperature(logits_NK[~first_N], true_N[~first_N])
    of_second = fit_temperature(logits_NK[first_N], true_N[first_N])
    return CrossFit((of_first, of_second), logits_NK / np.where(first_N, of_first, of_second)[:, None])


def deal_halves(groups: Iterable[GroupAnswers], draw_of: Mapping[str, str]) -> dict[str, int]:
    """The half, 0 or 1, of every photo that these groups report: the same for all seeds and conditions.

    Photographs are shuffled (always alike) and dealt in turn, class by class, so that halves differ by one of a class
    at the most. draw_of: names the photograph of a photo; a photo that it lacks is a photograph of its own.
    """
    label_of: dict[str, str] = {}
    for answers in groups:
        for trial in answers.trials:
            if not label_of.keys() >= set(trial.path_N):
                names = np.array(answers.group.classes, dtype=object)[trial.true_N]
                label_of |= dict(zip(trial.path_N, names, strict=True))
    label_of_draw = {draw_of.get(path, path): label_of[path] for path in sorted(label_of, reverse=True)}
    names = sorted(label_of_draw)
    shuffled = [names[place] for place in np.random.default_rng(0).permutation(len(names))]
    dealt = {name: place % 2 for place, name in enumerate(sorted(shuffled, key=label_of_draw.__getitem__))}
    return {path: dealt[draw_of.get(path, path)] for path in label_of}


def halves_of(paths: Sequence[str], half_of: Mapping[str, int]) -> np.ndarray:
    """(N,): the halves of these photos."""
    return np.array([half_of[path] for path in paths], dtype=np.int64)
