"""Scores by class and confusion matrices, as scikit-learn gives them."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from tests.unit.report_fixtures import CLASSES, make_predictions, make_record, results_of


def group_of_random_answers():
    """Two seeds; no answer of the second is anger, which then has no precision."""
    draws = np.random.default_rng(5)
    records = []
    for seed, answered in enumerate((CLASSES, CLASSES[1:])):
        record = make_record("proposed", seed)
        records.append(record | {"labels": (record["labels"][0], draws.choice(answered, 20).tolist())})
    return records, results_of(records).groups[0]


def test_scores_by_class_equal_scikit_learn():
    records, group = group_of_random_answers()
    scores = group.class_scores()
    for place, record in enumerate(records):
        theirs = precision_recall_fscore_support(*record["labels"], labels=list(CLASSES), zero_division=0.0)
        for name, expected in zip(("precision", "recall", "f1", "support"), theirs, strict=True):
            assert scores[name][place] == pytest.approx(expected), name
    assert scores["predicted"].sum(axis=1).tolist() == [20, 20]
    assert scores["predicted"][1, 0] == 0


def test_confusion_is_summed_over_seeds():
    records, group = group_of_random_answers()
    expected = sum(confusion_matrix(*record["labels"], labels=list(CLASSES)) for record in records)
    assert group.confusion().tolist() == expected.tolist()


def test_logits_stand_in_the_order_of_the_predictions():
    records, group = group_of_random_answers()
    rows = make_predictions(records)
    assert [logits.shape for logits in group.logits] == [(20, 3), (20, 3)]
    assert np.concatenate(group.logits).tolist() == rows["logits"].to_list()
