"""The numbers under a verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from orchestrator.hypotheses.answers import PairedAnswers, paired_answers
from orchestrator.hypotheses.model import Better, Earlier, Equivalent
from orchestrator.report.convergence import ended_without, epochs_or_censored
from orchestrator.report.results import Group
from orchestrator.statistics.crossed import Spread, over_seeds
from orchestrator.statistics.paired import mcnemar_p, sign_flip_p
from orchestrator.statistics.scores import Metric, compare_answers

NOT_KNOWN = math.nan


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What the runs of two conditions under one protocol say of their difference, first minus second.

    In shares, or in epochs where `unit` is `epochs`; then no photos are involved. Two-sided p values are against the
    difference being `against`.
    """

    unit: str
    seeds: tuple[int, ...]
    first: tuple[float, ...]
    """Of the first condition, one a seed."""
    second: tuple[float, ...]
    spread: Spread
    against: float
    p_seeds: float
    """Sign-flip over seeds."""
    p_photographs: float
    """Answers swapped at random between the conditions, photograph by photograph; NaN without photos."""
    num_photos: int
    step: float
    """What one photograph, or one epoch, is worth."""
    masked: tuple[str, ...] = ()
    censored: tuple[int, int] = (0, 0)
    """Trainings of the first and of the second condition that never reached the threshold, of `trainings` each."""
    trainings: tuple[int, int] = (0, 0)
    """Of each condition; every fold is one."""
    mcnemar: tuple[float, ...] = ()
    """Exact McNemar p of each seed alone, of accuracies."""

    @property
    def num_seeds(self) -> int:
        """Seeds that both conditions have."""
        return len(self.seeds)

    @property
    def differences(self) -> tuple[float, ...]:
        """One a seed; free of the noise of floating point, so that equal differences tie."""
        return tuple(round(a - b, 12) for a, b in zip(self.first, self.second, strict=True))

    @property
    def mean(self) -> float:
        """The difference."""
        return self.spread.mean

    @property
    def rope(self) -> float:
        """Half-width of the region of practical equivalence: one photograph, or one epoch."""
        return self.step

    @property
    def bounds(self) -> tuple[float, float]:
        """95 %, over other seeds and other photos; NaN with fewer than two seeds."""
        return self.within(self.spread.bounds()) if self.num_seeds > 1 else (NOT_KNOWN, NOT_KNOWN)

    def within(self, bounds: tuple[float, float]) -> tuple[float, float]:
        """Cut to what a difference can be: of shares, from -1 to 1."""
        low, high = bounds
        return bounds if self.unit == "epochs" else (max(-1.0, low), min(1.0, high))


def gather(
    test: Better | Equivalent | Earlier, first: Group, second: Group, draw_of: Mapping[str, str]
) -> Evidence | None:
    """The evidence of a comparison; None where `lacks` says why there is none."""
    if isinstance(test, Earlier):
        return _of_epochs(test, first, second)
    pair, metric = paired_answers(first, second, draw_of), Metric(test.metric)
    if pair is None or not pair.knows(metric):
        return None
    found = weigh(pair, metric, by=test.by if isinstance(test, Better) else 0.0)
    if math.isnan(found.step):
        return None
    if not metric.is_accuracy:
        return found
    right = zip(pair.first.right_SP, pair.second.right_SP, strict=True)
    return replace(found, mcnemar=tuple(mcnemar_p(*of_seed) for of_seed in right))


def lacks(
    test: Better | Equivalent | Earlier, first: Group | None, second: Group | None, draw_of: Mapping[str, str]
) -> str:
    """Why `gather` finds nothing to weigh; empty where it does."""
    names = [name for name, group in ((test.condition, first), (test.than, second)) if group is None]
    if first is None or second is None:
        return f"no trial of {' and '.join(names)} is finished"
    if not set(first.seeds) & set(second.seeds):
        return "its two conditions share no seed"
    if isinstance(test, Earlier):
        return ""
    pair, metric = paired_answers(first, second, draw_of), Metric(test.metric)
    if pair is None:
        return "its two conditions report no photo in common"
    if not pair.knows(metric):
        return f"{metric.label} is no class that both of its conditions know"
    if math.isnan(metric.step(*(metric.counts(answers) for answers in (pair.first, pair.second)))):
        none = "is never answered by one of them" if metric.kind == "precision" else "has no reported photo"
        return f"{metric.label} {none}, so that its {metric.kind} is of nothing"
    return ""


def weigh(pair: PairedAnswers, metric: Metric, by: float = 0.0) -> Evidence:
    """The evidence on a score, by which verdicts are decided."""
    compared = compare_answers(pair.first, pair.second, metric, by)
    return Evidence(
        unit="share",
        seeds=pair.seeds,
        first=tuple(compared.first_S.tolist()),
        second=tuple(compared.second_S.tolist()),
        spread=compared.spread.wary() if by else compared.spread,
        against=by,
        p_seeds=sign_flip_p([difference - by for difference in compared.difference_S.tolist()]),
        p_photographs=compared.p_photographs,
        num_photos=len(pair.first.true_P),
        step=compared.step,
        masked=pair.masked,
    )


def _of_epochs(test: Earlier, first: Group, second: Group) -> Evidence | None:
    mine, theirs = (epochs_or_censored(group, test.threshold) for group in (first, second))
    seeds = tuple(sorted(mine.keys() & theirs.keys()))
    if not seeds:
        return None
    differences = [mine[seed] - theirs[seed] for seed in seeds]
    ended = [ended_without(group, seeds, test.threshold) for group in (first, second)]
    return Evidence(
        unit="epochs",
        seeds=seeds,
        first=tuple(mine[seed] for seed in seeds),
        second=tuple(theirs[seed] for seed in seeds),
        spread=over_seeds(np.array(differences), step=1.0),
        against=-test.by,
        p_seeds=sign_flip_p([difference + test.by for difference in differences]),
        p_photographs=NOT_KNOWN,
        num_photos=0,
        step=1.0,
        censored=(ended[0][0], ended[1][0]),
        trainings=(ended[0][1], ended[1][1]),
    )
