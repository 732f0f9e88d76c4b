"""The five tables of the study, ours beside the paper's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from orchestrator.hypotheses.answers import own_answers
from orchestrator.hypotheses.judge import judge
from orchestrator.hypotheses.model import Hypotheses, load_hypotheses
from orchestrator.paper import Paper
from orchestrator.report.ablation import table4_rows
from orchestrator.report.columns import make_frame
from orchestrator.report.convergence import table2_rows
from orchestrator.report.exclusion import exclusion_rows, forced_rows
from orchestrator.report.factorial import effects_rows
from orchestrator.report.importance import importance_rows
from orchestrator.report.intervals import Interval, seed_interval, share_interval
from orchestrator.report.results import Group, Results
from orchestrator.report.side_by_side import protocol_rows
from orchestrator.report.stages import stages_rows
from orchestrator.report.staging import convergence_compared_rows, convergence_rows
from orchestrator.report.survival import survival_rows
from orchestrator.report.verdicts import evidence_rows, table5_rows
from orchestrator.statistics.scores import Metric, score_spread

Row = dict[str, Any]


def build_tables(
    results: Results, paper: Paper, hypotheses: Hypotheses | None = None, draw_of: Mapping[str, str] | None = None
) -> dict[str, pd.DataFrame]:
    """All tables that come from the ledger alone. The same results give the same tables.

    What was not run has no row; a table may be empty. hypotheses: the paper's by default. draw_of: by photo, a name
    that photos which are one draw share.
    """
    hypotheses, draw_of = hypotheses or load_hypotheses(None), draw_of or {}
    judged = judge(hypotheses, results, draw_of)
    verdicts = table5_rows(judged)
    rows = {
        "table1": [_condition_row(group, paper, draw_of) for group in results.groups],
        "table2": table2_rows(results, paper),
        "table3": [row for place in range(_most_classes(results)) for row in _class_rows(results, place, paper)],
        "table4": table4_rows(results, paper, draw_of),
        "table5": verdicts,
        "evidence": evidence_rows(judged),
        "claims": survival_rows(verdicts),
        "protocols": protocol_rows(results),
        "exclusion": exclusion_rows(results, draw_of),
        "forced": forced_rows(results),
        "convergence": convergence_rows(results, paper),
        "convergence_compared": convergence_compared_rows(results, paper),
        "stages": stages_rows(results, paper),
        "effects": effects_rows(results),
        "importance": importance_rows(results),
    }
    return {name: make_frame(name, of_table) for name, of_table in rows.items()}


def _condition_row(group: Group, paper: Paper, draw_of: Mapping[str, str]) -> Row:
    definition = group.records[0]["definition"]
    accuracies = list(group.metric("accuracy").values())
    accuracy = group.accuracy_interval
    macro_f1 = seed_interval(list(group.metric("macro_f1").values())).clipped()
    return {
        "condition": group.condition,
        "title": group.title,
        "protocol": group.protocol,
        "face_cropping": _yes(definition["crop"]),
        "attention": definition["attention"],
        "training": "staged" if definition["staged"] else "end_to_end",
        "rare_class": "excluded" if definition["rare_class_excluded"] else "included",
        "loss": definition["loss"],
        "landmarks": _yes(definition["landmarks"]),
        "seeds": len(group.records),
        "photos": group.photos,
        **_bounds("accuracy", accuracy),
        "accuracy_sd": float(np.std(accuracies, ddof=1)) if len(accuracies) > 1 else float("nan"),
        "interval": accuracy.kind,
        **_general_bounds(group, accuracy, draw_of),
        "photos_with_face": min(record["num_eval_with_face"] for record in group.records),
        "accuracy_on_all_mean": float(np.mean(list(group.accuracy_on_all.values()))),
        "accuracy_with_face_mean": seed_interval(list(group.metric("accuracy_with_face").values())).mean,
        **_bounds("macro_f1", macro_f1),
        "majority_accuracy": group.majority_accuracy,
        "paper_accuracy": paper.table1.get(group.condition, float("nan")),
    }


def _general_bounds(group: Group, accuracy: Interval, draw_of: Mapping[str, str]) -> dict[str, float]:
    """Of the accuracy over other seeds and other photographs; Wilson's where there is one seed."""
    low, high = accuracy.low, accuracy.high
    if len(group.seeds) > 1:
        low, high = score_spread(own_answers(group, draw_of), Metric("accuracy")).bounds()
    return {"accuracy_general_low": max(0.0, low), "accuracy_general_high": min(1.0, high)}


def _most_classes(results: Results) -> int:
    return max((len(group.classes) for group in results.of("proposed")), default=0)


def _class_rows(results: Results, place: int, paper: Paper) -> list[Row]:
    """The class at that place, under every protocol."""
    groups = [group for group in results.of("proposed") if place < len(group.classes)]
    return [_class_row(group, place, paper) for group in groups]


def _class_row(group: Group, place: int, paper: Paper) -> Row:
    label, reported = group.classes[place], paper.class_scores(group.classes[place])
    intervals = class_intervals(group, place)
    row: Row = {"class": label, "protocol": group.protocol, "seeds": len(group.records)}
    row["support"] = float(group.class_scores()["support"][:, place].mean())
    for name, interval in intervals.items():
        row |= _bounds(name, interval)
        row[f"paper_{name}"] = getattr(reported, name) if reported else float("nan")
    return row | {"interval": intervals["recall"].kind}


def class_intervals(group: Group, place: int) -> dict[str, Interval]:
    """precision, recall and f1 of the class at `place`, each over the photos that it is a share of."""
    scores = {name: values_SK[:, place] for name, values_SK in group.class_scores().items()}
    return {
        "precision": share_interval(scores["precision"].tolist(), int(scores["predicted"].min())),
        "recall": share_interval(scores["recall"].tolist(), int(scores["support"].min())),
        "f1": seed_interval(scores["f1"].tolist()).clipped(),
    }


def _bounds(name: str, interval: Interval) -> dict[str, float]:
    return {f"{name}_mean": interval.mean, f"{name}_low": interval.low, f"{name}_high": interval.high}


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"
