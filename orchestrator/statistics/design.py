"""Invented answers of two or more conditions, with a stated spread: to know what a design can show before it is run.

Photo i under seed s is answered rightly by condition k where a normal score is above zero: the sum of the condition's
skill, the photo's ease, its ease for this condition, the seed's luck with this condition, and the rest (a probit model
with crossed random effects). Shares of variance are of the whole score, so accuracies follow from skills exactly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True, slots=True)
class AnswerSpread:
    """How answers vary. Shares of the variance of the score; what is left is of the single answer.

    accuracy: of the condition compared with. photo: of the photo, whatever the condition. photo_condition: of the photo
    under one condition. seed: of the seed under one condition.
    """

    accuracy: float = 0.7
    photo: float = 0.7
    photo_condition: float = 0.1
    seed: float = 0.005

    def __post_init__(self) -> None:
        shares = (self.photo, self.photo_condition, self.seed)
        if not (0 < self.accuracy < 1) or min(shares) < 0 or sum(shares) >= 1:
            raise ValueError(f"an accuracy in (0, 1), and shares from 0 on with a sum below 1, got {self}")

    @property
    def seed_deviation(self) -> float:
        """Standard deviation over seeds of the accuracy on endless photos, nearly."""
        return math.sqrt(self.seed) * float(stats.norm.pdf(stats.norm.ppf(self.accuracy)))


def draw_scores(
    spread: AnswerSpread, num_conditions: int, num_seeds: int, num_photos: int, rng: np.random.Generator, num: int = 1
) -> np.ndarray:
    """(num, K, S, P) float32: the score, less the skill, of every answer in `num` studies, all drawn anew in each."""
    shape = (num, num_conditions, num_seeds, num_photos)
    rest = 1 - spread.photo - spread.photo_condition - spread.seed
    scores = _normal(rng, shape, rest)
    scores += _normal(rng, (num, 1, 1, num_photos), spread.photo)
    scores += _normal(rng, (num, num_conditions, 1, num_photos), spread.photo_condition)
    scores += _normal(rng, (num, num_conditions, num_seeds, 1), spread.seed)
    return scores


def right_of(scores: np.ndarray, accuracy: float, gains: Sequence[float]) -> np.ndarray:
    """(num, K, S, P) bool: whether each answer is right, where the k-th condition has `gains[k]` above `accuracy`."""
    accuracy_K = np.clip(accuracy + np.asarray(gains, float), 1e-6, 1 - 1e-6)
    skill_K = stats.norm.ppf(accuracy_K).astype(np.float32)
    return np.asarray(scores > -skill_K[:, None, None])


def _normal(rng: np.random.Generator, shape: tuple[int, ...], variance: float) -> np.ndarray:
    return np.float32(math.sqrt(variance)) * rng.standard_normal(shape, dtype=np.float32)
