"""What each stage of training costs, and in which the threshold is reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from orchestrator.paper import Paper
from orchestrator.report.censored import NOT_KNOWN
from orchestrator.report.pooling import trainings_of
from orchestrator.report.results import Group, Results
from orchestrator.report.staging_pairs import groups_shown
from orchestrator.report.thresholds import thresholds_of

Epochs = Sequence[Mapping[str, Any]]
_ORDER = ("head", "finetune", "end_to_end")


def stages_rows(results: Results, paper: Paper) -> list[dict[str, Any]]:
    """One row a condition, protocol and stage."""
    return [
        _row(group, stage, paper)
        for protocol in results.protocols
        for group in groups_shown(results, protocol)
        for stage in _stages(group)
    ]


def _stages(group: Group) -> list[str]:
    there = {epoch["stage"] for record in group.records for epochs in trainings_of(record) for epoch in epochs}
    return [stage for stage in _ORDER if stage in there]


def _row(group: Group, stage: str, paper: Paper) -> dict[str, Any]:
    trainings = [epochs for record in group.records for epochs in trainings_of(record)]
    inside = [[epoch for epoch in epochs if epoch["stage"] == stage] for epochs in trainings]
    total = _mean_seconds(trainings, "compute_s")
    compute, wall = _mean_seconds(inside, "compute_s"), _mean_seconds(inside, "wall_s")
    first_there = {
        threshold.kind: sum(_stage_reached(epochs, threshold.value) == stage for epochs in trainings)
        for threshold in thresholds_of(group, paper)
    }
    return {
        "condition": group.condition,
        "title": group.title,
        "protocol": group.protocol,
        "stage": stage,
        "seeds": len(group.records),
        "trainings": len(trainings),
        "stage_epochs": fmean(len(epochs) for epochs in inside),
        "stage_accuracy": fmean(epochs[-1]["val_accuracy"] for epochs in inside if epochs),
        **{f"reached_{kind}": count for kind, count in first_there.items()},
        "stage_compute_s": compute,
        "stage_compute_share": compute / total if total > 0.0 else NOT_KNOWN,
        "stage_wall_s": wall,
    }


def _stage_reached(epochs: Epochs, threshold: float) -> str:
    """The stage of the first epoch at or above the threshold; empty if there is none."""
    return next((str(epoch["stage"]) for epoch in epochs if epoch["val_accuracy"] >= threshold), "")


def _mean_seconds(trainings: Sequence[Epochs], unit: str) -> float:
    return fmean(sum(epoch[unit] for epoch in epochs) for epochs in trainings)
