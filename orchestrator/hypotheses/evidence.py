"""The numbers under a verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from orchestrator.hypotheses.answers import PairedAnswers, paired_answers
from orchestrator.hypotheses.model import Better, Earlier, Equivalent
from orchestrator.report.convergence import epochs_or_censored, first_epoch_at
from orchestrator.report.intervals import Interval, seed_interval
from orchestrator.report.results import Group
from orchestrator.statistics.bayes import Posterior, signed_rank
from orchestrator.statistics.crossed import Spread, over_seeds
from orchestrator.statistics.paired import effect_size, mcnemar_p, probability_of_improvement, sign_flip_p
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
    differences: tuple[float, ...]
    """One a seed."""
    spread: Spread
    over_seeds: Interval
    """BCa, or t below six seeds: other seeds, the same photos."""
    deviation: float
    """Standard deviation of the differences over seeds."""
    against: float
    p_seeds: float
    """Sign-flip over seeds."""
    p_photographs: float
    """Answers swapped at random between the conditions, photograph by photograph; NaN without photos."""
    mcnemar_p_median: float
    mcnemar_seeds: int
    """Seeds, each on its own, with an exact McNemar p below 0.05."""
    effect_size: float
    improvement: float
    """Probability that a run of the first beats one of the second."""
    rope: float
    posterior: Posterior
    num_photos: int
    masked: tuple[str, ...] = ()
    censored: int = 0
    """Of the trials, how many never reached the threshold."""

    @property
    def num_seeds(self) -> int:
        """Seeds that both conditions have."""
        return len(self.seeds)

    @property
    def mean(self) -> float:
        """The difference."""
        return self.spread.mean

    @property
    def bounds(self) -> tuple[float, float]:
        """95 %, over other seeds and other photos; NaN with fewer than two seeds."""
        return self.spread.bounds() if self.num_seeds > 1 else (NOT_KNOWN, NOT_KNOWN)


def gather(
    test: Better | Equivalent | Earlier, first: Group, second: Group, draw_of: Mapping[str, str]
) -> Evidence | None:
    """The evidence of a comparison; None where the two share no seed, or no photo, or lack the class of its metric."""
    if isinstance(test, Earlier):
        return _of_epochs(test, first, second)
    pair, metric = paired_answers(first, second, draw_of), Metric(test.metric)
    if pair is None or (metric.label is not None and metric.label not in pair.first.classes):
        return None
    return of_answers(pair, metric, by=test.by if isinstance(test, Better) else 0.0)


def of_answers(pair: PairedAnswers, metric: Metric, by: float = 0.0) -> Evidence:
    """The evidence on a score."""
    compared, num_photos = compare_answers(pair.first, pair.second, metric, by), len(pair.first.true_P)
    differences = [round(float(value), 12) for value in compared.difference_S]
    mcnemar = [mcnemar_p(*pair_of) for pair_of in zip(pair.first.right_SP, pair.second.right_SP, strict=True)]
    return Evidence(
        unit="share",
        seeds=pair.seeds,
        differences=tuple(differences),
        spread=compared.spread,
        over_seeds=seed_interval(differences),
        deviation=_deviation(differences),
        against=by,
        p_seeds=sign_flip_p([difference - by for difference in differences]),
        p_photographs=compared.p_photographs,
        mcnemar_p_median=float(np.median(mcnemar)),
        mcnemar_seeds=sum(p < 0.05 for p in mcnemar),
        effect_size=effect_size(differences),
        improvement=probability_of_improvement(compared.first_S.tolist(), compared.second_S.tolist()),
        rope=1 / num_photos,
        posterior=signed_rank(differences, 1 / num_photos),
        num_photos=num_photos,
        masked=pair.masked,
    )


def _of_epochs(test: Earlier, first: Group, second: Group) -> Evidence | None:
    mine, theirs = (epochs_or_censored(group, test.threshold) for group in (first, second))
    seeds = tuple(sorted(mine.keys() & theirs.keys()))
    if not seeds:
        return None
    ours, others = [mine[seed] for seed in seeds], [theirs[seed] for seed in seeds]
    differences = [a - b for a, b in zip(ours, others, strict=True)]
    trials = [record for group in (first, second) for record in group.records if record["seed"] in seeds]
    return Evidence(
        unit="epochs",
        seeds=seeds,
        differences=tuple(differences),
        spread=over_seeds(np.array(differences), step=1.0),
        over_seeds=seed_interval(differences),
        deviation=_deviation(differences),
        against=-test.by,
        p_seeds=sign_flip_p([difference + test.by for difference in differences]),
        p_photographs=NOT_KNOWN,
        mcnemar_p_median=NOT_KNOWN,
        mcnemar_seeds=0,
        effect_size=effect_size(differences),
        improvement=1 - probability_of_improvement(ours, others),  # the sooner is the better
        rope=1.0,
        posterior=signed_rank([-difference for difference in differences], 1.0),
        num_photos=0,
        censored=sum(first_epoch_at(record, test.threshold) is None for record in trials),
    )


def _deviation(values: list[float]) -> float:
    return float(np.std(values, ddof=1)) if len(values) > 1 else NOT_KNOWN
