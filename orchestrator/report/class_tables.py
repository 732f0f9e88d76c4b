"""Tables `class_scores` and `confusion`: every class and every answer of every condition. S seeds, K classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from orchestrator.report.answers import GroupAnswers
from orchestrator.report.intervals import Interval, seed_interval, share_interval

Row = dict[str, Any]


def confusions(answers: GroupAnswers) -> np.ndarray:
    """(S, K, K) counts: row the true class, column the answer."""
    return np.stack([trial.confusion_KK() for trial in answers.trials])


def scores_of(confusion_SKK: np.ndarray) -> dict[str, np.ndarray]:
    """precision, recall, f1, support and predicted, each (S, K); a share of no photo is 0, as in table 3."""
    right_SK = np.diagonal(confusion_SKK, axis1=1, axis2=2)
    support_SK, predicted_SK = confusion_SKK.sum(axis=2), confusion_SKK.sum(axis=1)
    return {
        "precision": right_SK / np.maximum(predicted_SK, 1),
        "recall": right_SK / np.maximum(support_SK, 1),
        "f1": 2 * right_SK / np.maximum(support_SK + predicted_SK, 1),
        "support": support_SK,
        "predicted": predicted_SK,
    }


def class_score_rows(answers: Sequence[GroupAnswers]) -> list[Row]:
    """One row a condition, protocol and class."""
    return [row for item in answers for row in _class_rows(item)]


def confusion_rows(answers: Sequence[GroupAnswers]) -> list[Row]:
    """One row a condition, protocol, true class and answer, those that never occur among them."""
    return [row for item in answers for row in _confusion_rows(item)]


def _head(item: GroupAnswers) -> Row:
    group = item.group
    return {"condition": group.condition, "title": group.title, "protocol": group.protocol, "seeds": len(item.trials)}


def _class_rows(item: GroupAnswers) -> list[Row]:
    scores, rows = scores_of(confusions(item)), []
    for place, name in enumerate(item.group.classes):
        mine = {score: values_SK[:, place] for score, values_SK in scores.items()}
        recall = share_interval(mine["recall"].tolist(), int(mine["support"].min()))
        rows.append(
            _head(item)
            | {"class": name, "support": float(mine["support"].mean())}
            | {"predicted_mean": float(mine["predicted"].mean())}
            | _bounds("precision", share_interval(mine["precision"].tolist(), int(mine["predicted"].min())))
            | _bounds("recall", recall)
            | _bounds("f1", seed_interval(mine["f1"].tolist()).clipped())
            | {"interval": recall.kind}
        )
    return rows


def _confusion_rows(item: GroupAnswers) -> list[Row]:
    counts_KK, classes = confusions(item).sum(axis=0), item.group.classes
    totals_K = counts_KK.sum(axis=1)
    return [
        _head(item)
        | {
            "true_class": classes[true],
            "answer": classes[answer],
            "count": int(count),
            "share": float(count / totals_K[true]) if totals_K[true] else float("nan"),
        }
        for (true, answer), count in np.ndenumerate(counts_KK)
    ]


def _bounds(name: str, interval: Interval) -> dict[str, float]:
    return {f"{name}_mean": interval.mean, f"{name}_low": interval.low, f"{name}_high": interval.high}
