"""Table 2: how soon trials reach a threshold, and how long they take, with the paper's values.

Its means over the trials that reached the threshold are what the paper's table holds; what to conclude from is the
restricted mean beside them, and the tables of staging.py, in which trials that never reach it are censored.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from statistics import fmean
from typing import Any

from orchestrator.ledger import Record
from orchestrator.paper import Paper
from orchestrator.report.censored import NOT_KNOWN, restricted_mean, waiting_times
from orchestrator.report.pooling import trainings_of
from orchestrator.report.results import Group, Results
from orchestrator.report.staging_pairs import COMPARED, common_horizon
from orchestrator.report.thresholds import Threshold, thresholds_of


def first_epoch_at(record: Record, threshold: float) -> float | None:
    """The first epoch, counted from 1, with a validation accuracy of at least `threshold`; None if there is none.

    Of a record of pooled folds the mean over folds; None if any of them never gets there.
    """
    firsts = [_first_at(epochs, threshold) for epochs in trainings_of(record)]
    return None if None in firsts else fmean(first for first in firsts if first is not None)


def _first_at(epochs: Sequence[Mapping[str, Any]], threshold: float) -> int | None:
    return next((epoch["epoch"] + 1 for epoch in epochs if epoch["val_accuracy"] >= threshold), None)


def epochs_or_censored(group: Group, threshold: float) -> dict[int, float]:
    """Epochs to the threshold by seed, over folds their mean; a training that never reaches it counts as one epoch
    more than it ran.
    """
    return {
        record["seed"]: fmean(_first_at(epochs, threshold) or len(epochs) + 1 for epochs in trainings_of(record))
        for record in group.records
    }


def ended_without(group: Group, seeds: Collection[int], threshold: float) -> tuple[int, int]:
    """Of the trainings of these seeds, every fold one, how many never reached the threshold; and how many there are."""
    courses = [epochs for record in group.records if record["seed"] in seeds for epochs in trainings_of(record)]
    return sum(_first_at(epochs, threshold) is None for epochs in courses), len(courses)


def table2_rows(results: Results, paper: Paper) -> list[dict[str, Any]]:
    """Two rows (two thresholds) a compared condition and protocol."""
    return [
        _row(results, group, paper, threshold)
        for condition in COMPARED
        for group in results.of(condition)
        for threshold in thresholds_of(group, paper)
    ]


def _row(results: Results, group: Group, paper: Paper, chosen: Threshold) -> dict[str, Any]:
    threshold, kind = chosen.value, chosen.kind
    reached = [(record, epoch) for record in group.records if (epoch := first_epoch_at(record, threshold))]
    horizon = common_horizon(results, group.protocol, "epochs")
    restricted = restricted_mean(waiting_times(group, threshold, "epochs"), horizon)
    reported = paper.table2.rows.get(group.condition) if kind == "paper" else None
    proposed = group.condition == "proposed"
    return {
        "condition": group.condition,
        "title": group.title,
        "protocol": group.protocol,
        "training": "staged" if group.records[0]["definition"]["staged"] else "end_to_end",
        "threshold": threshold,
        "threshold_kind": kind,
        "seeds": len(group.records),
        "seeds_reached": len(reached),
        "seeds_censored": len(group.records) - len(reached),
        "epoch_to_threshold_mean": fmean(epoch for _, epoch in reached) if reached else NOT_KNOWN,
        "epochs_restricted_mean": restricted.mean,
        "epochs_restricted_low": restricted.low,
        "epochs_restricted_high": restricted.high,
        "epochs_horizon": horizon,
        "epochs_run": max(len(record["epochs"]) for record in group.records),
        "accuracy_mean": fmean(group.metric("accuracy").values()),
        "paper_epoch_to_threshold": float(reported.epoch_to_threshold) if reported else NOT_KNOWN,
        "paper_minutes": reported.minutes if reported else NOT_KNOWN,
        "paper_time_reduction": paper.table2.time_reduction if reported and proposed else NOT_KNOWN,
        "compute_s_to_threshold_mean": fmean(_compute_s(record, threshold) for record, _ in reached)
        if reached
        else NOT_KNOWN,
        "compute_s_total_mean": fmean(record["compute_s"] for record in group.records),
        "wall_s_total_mean": fmean(record["wall_s"] for record in group.records),
        "time_reduction_vs_eca_mtcnn": time_reduction(results, group, "eca_mtcnn") if proposed else NOT_KNOWN,
        "time_reduction_vs_minus_staging": time_reduction(results, group, "minus_staging") if proposed else NOT_KNOWN,
    }


def time_reduction(results: Results, group: Group, other_name: str) -> float:
    """Share of the other condition's training time that `group` saves over the seeds that both have; else NaN."""
    other = results.group(other_name, group.protocol)
    shared = set(group.seeds) & set(other.seeds) if other else set()
    theirs = sum(record["compute_s"] for record in other.records if record["seed"] in shared) if other else 0.0
    if theirs == 0.0:
        return NOT_KNOWN
    return 1.0 - sum(record["compute_s"] for record in group.records if record["seed"] in shared) / theirs


def _compute_s(record: Record, threshold: float) -> float:
    """Seconds of training up to the threshold, which every training of the record reaches; mean over these."""
    until = [(epochs, _first_at(epochs, threshold) or len(epochs)) for epochs in trainings_of(record)]
    return fmean(sum(epoch["compute_s"] for epoch in epochs[:last]) for epochs, last in until)
