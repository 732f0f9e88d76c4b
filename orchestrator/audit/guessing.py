"""Whether a group can be guessed from a few numbers: small trees, and a p-value that holds for any data.

Photographs are halved at random, stratified by group, REPEATS times. A tree learns on one half and answers for the
other, and the other way round. In the half that is asked the answers are fixed, and the labels exchangeable if numbers
and labels have nothing to do with each other, so each half has an exact p-value (of several groups, one by
permutation). The halves overlap, so their p-values depend on each other; twice their median is one whatever they do
(N. Meinshausen, L. Meier, P. Bühlmann, 2009, doi:10.1198/jasa.2009.tm08647, at the quantile 0.5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.tree import DecisionTreeClassifier

REPEATS = 5
PERMUTATIONS = 1999
MAX_DEPTH = 3
MIN_LEAF = 5
Halves = Sequence[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, slots=True)
class Guess:
    """Balanced accuracy of the answers, mean over halves; the chance level; p that they are no better than chance."""

    balanced_accuracy: float
    chance: float
    p_value: float

    @property
    def skill(self) -> float:
        """How far from chance (0) to always right (1)."""
        return (self.balanced_accuracy - self.chance) / (1 - self.chance)


def halve(target: np.ndarray, photograph: np.ndarray) -> Halves:
    """(rows learned from, rows asked about), 2 * REPEATS times; copies of one photograph stay together."""
    halves = []
    for seed in range(REPEATS):
        folds = StratifiedGroupKFold(2, shuffle=True, random_state=seed)
        halves += list(folds.split(np.zeros(len(target)), target, photograph))
    return halves


def guess(features: np.ndarray, target: np.ndarray, halves: Halves) -> Guess:
    """How well `target` (N,), numbers from 0, is told from `features` (N, F). The same arguments, the same answer."""
    num_groups = int(target.max()) + 1
    numbers = np.ascontiguousarray(features, dtype=np.float32)  # as trees count; checked here, not at every fit
    accuracies, p_values = [], []
    for number, (learned, asked) in enumerate(halves):
        leaf = max(MIN_LEAF, len(learned) // 200)
        tree = DecisionTreeClassifier(max_depth=MAX_DEPTH, min_samples_leaf=leaf, random_state=0)
        even = 1 / np.bincount(target[learned], minlength=num_groups)[target[learned]]  # every group weighs the same
        tree.fit(numbers[learned], target[learned], sample_weight=even, check_input=False)
        answers = tree.tree_.predict(numbers[asked]).argmax(axis=-1).reshape(-1)
        accuracies.append(_balanced(target[asked], answers, num_groups))
        test = _fisher if num_groups == 2 else _permuted
        p_values.append(test(target[asked], answers, num_groups, number))
    p_value = min(1.0, 2 * float(np.median(p_values)))
    return Guess(float(np.mean(accuracies)), 1 / num_groups, p_value)


def _balanced(target: np.ndarray, answers: np.ndarray, num_groups: int) -> float:
    right = np.bincount(target[target == answers], minlength=num_groups)
    return float((right / np.bincount(target, minlength=num_groups)).mean())


def _fisher(target: np.ndarray, answers: np.ndarray, num_groups: int, seed: int) -> float:
    """Fisher's exact p that the answer 1 meets the label 1 so often or more."""
    hits, labels, given = int(np.sum(target * answers)), int(target.sum()), int(answers.sum())
    return min(1.0, float(stats.hypergeom.sf(hits - 1, len(target), labels, given)))


def _permuted(target: np.ndarray, answers: np.ndarray, num_groups: int, seed: int) -> float:
    """Share of shuffled labels (these among them) that the answers fit as well; only how often each label meets each
    answer matters, so those tables are drawn.
    """
    table = np.bincount(target * num_groups + answers, minlength=num_groups**2).reshape(num_groups, num_groups)
    labels, given = table.sum(axis=1), table.sum(axis=0)
    used = given > 0  # an answer that was never given leaves no choice
    drawn = stats.random_table(labels, given[used]).rvs(PERMUTATIONS, random_state=np.random.default_rng(seed))
    shuffled = np.zeros((PERMUTATIONS, num_groups, num_groups))
    shuffled[:, :, used] = drawn
    scores = (np.diagonal(shuffled, axis1=1, axis2=2) / labels).sum(axis=1)
    score = (np.diagonal(table) / labels).sum()
    return float((1 + (scores >= score - 1e-12).sum()) / (PERMUTATIONS + 1))
