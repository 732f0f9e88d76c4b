"""Whether a condition is shown to know more than which class is commonest."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from orchestrator.hypotheses.answers import own_answers
from orchestrator.report.results import Group, commonest
from orchestrator.statistics.scores import Answers, Metric, compare_answers


def beats_majority(group: Group, draw_of: Mapping[str, str]) -> bool:
    """Whether it beats always answering the class that is commonest in training, on other photographs and, where there
    are several, with other seeds: the lower 95 % bound of the difference on the same photos lies above 0.
    """
    mine = own_answers(group, draw_of)
    constant_S = [mine.classes.index(commonest(record["train_counts"])) for record in group.records]
    constant_SP = np.broadcast_to(np.array(constant_S)[:, None], mine.answer_SP.shape)
    constant = Answers(mine.true_P, constant_SP, mine.cluster_P, mine.classes)
    return compare_answers(mine, constant, Metric("accuracy")).spread.bounds()[0] > 0.0
