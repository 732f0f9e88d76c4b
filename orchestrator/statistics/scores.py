"""Scores of answers as functions of counts, so that photographs can be drawn anew and swapped in one matrix product.

S seeds, P photos, C photographs (photos that are copies of one another count as one draw), K classes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from orchestrator.statistics.crossed import Spread, bootstrap_spread, flips, resamples

METRICS = ("accuracy", "macro_f1", "balanced_accuracy")
CLASS_METRICS = ("recall", "precision", "f1")
"""Written with a class, such as `recall:joy`."""


@dataclass(frozen=True, eq=False)
class Answers:
    """true_P: index of the true class of every photo. answer_SP: of the class answered, seed by seed.

    cluster_P: equal numbers, from 0, for photos that are one draw.
    """

    true_P: np.ndarray
    answer_SP: np.ndarray
    cluster_P: np.ndarray
    classes: tuple[str, ...]

    @property
    def right_SP(self) -> np.ndarray:
        """Whether each answer is right."""
        return self.answer_SP == self.true_P

    @property
    def num_photographs(self) -> int:
        """C."""
        return int(self.cluster_P.max()) + 1


@dataclass(frozen=True)
class Metric:
    """A score by name: one of METRICS, or one of CLASS_METRICS, a colon and a class. Raises ValueError."""

    name: str
    kind: str = field(init=False)
    label: str | None = field(init=False)

    def __post_init__(self) -> None:
        kind, colon, label = self.name.partition(":")
        if not (kind in CLASS_METRICS and label if colon else kind in METRICS):
            raise ValueError(
                f"one of {', '.join(METRICS)}, or {', '.join(CLASS_METRICS)} with a class, such as recall:joy"
            )
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "label", label or None)

    @property
    def is_accuracy(self) -> bool:
        """Whether it is a plain share of photos."""
        return self.kind == "accuracy"

    def counts(self, answers: Answers) -> np.ndarray:
        """(C, S, M): what `score` needs, summed over the photos of each photograph."""
        if self.is_accuracy:
            parts_SPM = np.stack([answers.right_SP, np.ones_like(answers.right_SP)], axis=2)
        else:
            kept = range(len(answers.classes)) if self.label is None else [answers.classes.index(self.label)]
            parts = []
            for index in kept:
                true_SP = np.broadcast_to(answers.true_P == index, answers.answer_SP.shape)
                said_SP = answers.answer_SP == index
                parts += [true_SP & said_SP, said_SP, true_SP]
            parts_SPM = np.stack(parts, axis=2)
        order_P = np.argsort(answers.cluster_P, kind="stable")
        starts_C = np.searchsorted(answers.cluster_P[order_P], np.arange(answers.num_photographs))
        parts_PSM = parts_SPM.swapaxes(0, 1)[order_P].astype(np.float32)
        return np.asarray(np.add.reduceat(parts_PSM, starts_C, axis=0))

    def step(self, *counts: np.ndarray) -> float:
        """What one photograph is worth, from the (C, S, M) counts of the conditions; NaN where the score is of nothing.

        That is where no photo is of the class, or a condition never answers it (`precision`).
        """
        if self.is_accuracy:
            return 1 / len(counts[0])
        below = 1 if self.kind == "precision" else 2  # of answers of the class, or of its photos
        draws = [(counts_CSM[..., below::3] > 0).sum(axis=0).mean(axis=0) for counts_CSM in counts]  # one a class
        least = min(float(of_one[of_one > 0].min(initial=np.inf)) for of_one in draws)
        if self.label is not None:
            least = min(float(of_one[0]) for of_one in draws)
        return 1 / (least * max(1, int((draws[0] > 0).sum()))) if 0 < least < np.inf else float("nan")

    def score(self, sums: np.ndarray) -> np.ndarray:
        """(..., M) sums of counts to (...) scores. What divides by nothing is 0."""
        if self.is_accuracy:
            return _ratio(sums[..., 0], sums[..., 1])
        triples = sums.reshape(*sums.shape[:-1], -1, 3)
        hit, said, true = triples[..., 0], triples[..., 1], triples[..., 2]
        if self.kind in ("recall", "balanced_accuracy"):
            by_class = _ratio(hit, true)
        elif self.kind == "precision":
            by_class = _ratio(hit, said)
        else:
            by_class = _ratio(2 * hit, said + true)
        if self.label is not None:
            return by_class[..., 0]
        there = true > 0  # a class that no resampled photo has is no class of that resample
        return np.asarray(_ratio((by_class * there).sum(-1), there.sum(-1)))


def score_spread(answers: Answers, metric: Metric) -> Spread:
    """The mean score over seeds, and how it varies over other seeds and photographs."""
    counts_CSM = metric.counts(answers)
    score_S = metric.score(counts_CSM.sum(axis=0))
    step = metric.step(counts_CSM)
    return bootstrap_spread(score_S, _resampled(counts_CSM, metric), answers.num_photographs, step)


@dataclass(frozen=True, eq=False)
class Comparison:
    """First minus second, seed by seed on the same photos. difference_S and its spread; p_photographs: two-sided p if
    the two conditions' answers to each photograph were swapped at random, seeds as they are. step: what a photograph is
    worth; NaN where the score is of nothing.
    """

    first_S: np.ndarray
    second_S: np.ndarray
    spread: Spread
    p_photographs: float
    step: float

    @property
    def difference_S(self) -> np.ndarray:
        """First minus second."""
        return self.first_S - self.second_S


def compare_answers(first: Answers, second: Answers, metric: Metric, by: float = 0.0) -> Comparison:
    """The two must be of the same photos, clusters and seeds, in order. `by`: the difference that p is against."""
    counts = [metric.counts(answers) for answers in (first, second)]
    first_S, second_S = (metric.score(counts_CSM.sum(axis=0)) for counts_CSM in counts)
    num = first.num_photographs
    difference_BS = _resampled(counts[0], metric) - _resampled(counts[1], metric)
    step = metric.step(*counts)
    spread = bootstrap_spread(first_S - second_S, difference_BS, num, step)
    return Comparison(first_S, second_S, spread, _swap_p(counts[0], counts[1], metric, by), step)


def _resampled(counts_CSM: np.ndarray, metric: Metric) -> np.ndarray:
    """(B, S) scores on resamples of the photographs."""
    num, *rest = counts_CSM.shape
    sums = resamples(num) @ counts_CSM.reshape(num, -1)
    return metric.score(sums.reshape(-1, *rest)).astype(float)


def _swap_p(first_CSM: np.ndarray, second_CSM: np.ndarray, metric: Metric, by: float) -> float:
    """The share of random swaps, the data as they are among them, that lie as far from 0.

    A difference of `by` is first taken off: p is against the difference being `by`.
    """
    num, *rest = first_CSM.shape
    whole, gap = first_CSM + second_CSM, first_CSM - second_CSM
    if not gap.any() and by == 0.0:
        return 1.0
    swapped = (flips(num) @ gap.reshape(num, -1)).reshape(-1, *rest)
    total = whole.sum(axis=0)
    drawn = (metric.score((total + swapped) / 2) - metric.score((total - swapped) / 2)).mean(axis=-1)
    seen = (metric.score(first_CSM.sum(axis=0)) - metric.score(second_CSM.sum(axis=0))).mean() - by
    return float((1 + (np.abs(drawn) >= abs(seen) - 1e-6).sum()) / (1 + len(drawn)))


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """In double precision; 0 where `below` is 0."""
    return np.divide(above.astype(float), below, out=np.zeros(above.shape), where=below > 0)
