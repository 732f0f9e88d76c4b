"""Leaving a class out, fairly: both models on the same photos, and what becomes of the photos left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from orchestrator.hypotheses.answers import paired_answers
from orchestrator.hypotheses.evidence import weigh
from orchestrator.report.results import Group, Results
from orchestrator.statistics.scores import Metric

Row = dict[str, Any]


def exclusion_rows(results: Results, draw_of: Mapping[str, str]) -> list[Row]:
    """One row a protocol and a pair of conditions that differ in the rare class alone, and share a seed.

    Both are scored on the photos of the classes that both know. `masked`: the larger model may only answer these.
    """
    rows = []
    for without in results.groups:
        with_class = _twin(results, without)
        row = _exclusion_row(without, with_class, draw_of) if with_class else None
        rows += [row] if row else []
    return rows


def _twin(results: Results, group: Group) -> Group | None:
    """The condition that differs in nothing but knowing the rare class."""
    definition = group.records[0]["definition"]
    if not definition["rare_class_excluded"]:
        return None
    wanted = definition | {"rare_class_excluded": False}
    others = (other for other in results.groups if other.protocol == group.protocol)
    return next((other for other in others if other.records[0]["definition"] == wanted), None)


def _exclusion_row(without: Group, with_class: Group, draw_of: Mapping[str, str]) -> Row | None:
    pair = paired_answers(without, with_class, draw_of)
    if pair is None:
        return None
    evidence = weigh(pair, Metric("accuracy"))
    low, high = evidence.bounds
    unmasked = _accuracy_unmasked(with_class, without)
    return {
        "protocol": without.protocol,
        "condition": without.condition,
        "other": with_class.condition,
        "seeds": evidence.num_seeds,
        "photos": evidence.num_photos,
        "accuracy_without_class_mean": float(pair.first.right_SP.mean()),
        "accuracy_masked_mean": float(pair.second.right_SP.mean()),
        "accuracy_unmasked_mean": float(np.mean([unmasked[seed] for seed in pair.seeds])),
        "difference_mean": evidence.mean,
        "difference_low": low,
        "difference_high": high,
        "p_value": evidence.spread.p_value() if evidence.num_seeds > 1 else float("nan"),
    }


def _accuracy_unmasked(with_class: Group, without: Group) -> dict[int, float]:
    """Of the larger model on the same photos, where it may also answer the rare class."""
    kept = ((seed, rows[rows["true_label"].isin(without.classes)]) for seed, rows in _by_seed(with_class))
    return {seed: float((rows["true_label"] == rows["predicted_label"]).mean()) for seed, rows in kept}


def _by_seed(group: Group) -> list[tuple[int, pd.DataFrame]]:
    return list(zip(group.seeds, group.predictions, strict=True))


def forced_rows(results: Results) -> list[Row]:
    """One row a protocol and answer: what the proposed condition says to the photos of the class that it left out.

    Beside it, what the model that knows the class says to the same photos.
    """
    rows = []
    for group in results.of("proposed"):
        answers = pd.concat(group.excluded) if group.excluded else pd.DataFrame()
        if not len(answers):
            continue
        twin = _twin(results, group)
        left_out = str(answers["true_label"].iloc[0])
        classes = [*group.classes, left_out]
        own, other = _shares(answers, classes), _shares(_answers_to(twin, left_out), classes)
        for name in classes:
            rows.append(
                {
                    "protocol": group.protocol,
                    "left_out": left_out,
                    "answer": name,
                    "seeds": len(group.seeds),
                    "photos": len(group.excluded[0]),
                    "share_forced": own[name],
                    "share_with_class": other[name],
                }
            )
    return rows


def _answers_to(group: Group | None, label: str) -> pd.DataFrame:
    if group is None:
        return pd.DataFrame({"predicted_label": []})
    rows = pd.concat(group.predictions)
    return rows[rows["true_label"] == label]


def _shares(rows: pd.DataFrame, classes: list[str]) -> dict[str, float]:
    """Of the rows, by answer; NaN where there are none."""
    if not len(rows):
        return dict.fromkeys(classes, float("nan"))
    return {name: float((rows["predicted_label"] == name).mean()) for name in classes}
