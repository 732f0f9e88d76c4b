"""Convergence with censoring: how long each condition takes to a threshold, and staged against end-to-end."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from orchestrator.paper import Paper
from orchestrator.report.censored import (
    NOT_KNOWN,
    UNITS,
    Unit,
    Waiting,
    horizon_of,
    log_rank_p,
    median_time,
    reached_curve,
    restricted_by_seed,
    restricted_mean,
    waiting_times,
)
from orchestrator.report.intervals import paired_difference
from orchestrator.report.results import Group, Results
from orchestrator.report.staging_pairs import StagingPair, common_horizon, groups_shown, staging_pairs
from orchestrator.report.thresholds import Threshold, thresholds_of

Row = dict[str, Any]


def convergence_rows(results: Results, paper: Paper) -> list[Row]:
    """Two rows (two thresholds) a condition and protocol; the horizons are common to a protocol."""
    rows = []
    for protocol in results.protocols:
        horizons = {unit: common_horizon(results, protocol, unit) for unit in UNITS}
        for group in groups_shown(results, protocol):
            rows += [_row(group, threshold, horizons) for threshold in thresholds_of(group, paper)]
    return rows


def convergence_compared_rows(results: Results, paper: Paper) -> list[Row]:
    """Two rows (two thresholds) a pair and protocol for which the two share a seed."""
    rows = []
    for protocol in results.protocols:
        for pair in staging_pairs(results, protocol):
            seeds = set(pair.staged.seeds) & set(pair.end_to_end.seeds)
            both = zip(thresholds_of(pair.staged, paper), thresholds_of(pair.end_to_end, paper), strict=True)
            rows += [_compared_row(pair, first, second, seeds) for first, second in both if seeds]
    return rows


def _row(group: Group, threshold: Threshold, horizons: dict[Unit, float]) -> Row:
    epochs = waiting_times(group, threshold.value, "epochs")
    _, share = reached_curve(epochs)
    row: Row = {
        "condition": group.condition,
        "title": group.title,
        "protocol": group.protocol,
        "training": "staged" if group.records[0]["definition"]["staged"] else "end_to_end",
        "threshold": threshold.value,
        "threshold_kind": threshold.kind,
        "seeds": len(group.records),
        "trainings": len(epochs),
        "reached": sum(one.reached for one in epochs),
        "reached_share": float(share[-1]) if len(share) else 0.0,
    }
    for unit in UNITS:
        times = waiting_times(group, threshold.value, unit)
        mean = restricted_mean(times, horizons[unit])
        row[f"{unit}_median"] = median_time(times)
        row |= {f"{unit}_restricted_{part}": getattr(mean, part) for part in ("mean", "low", "high")}
        row[f"{unit}_horizon"] = horizons[unit]
    return row


def _compared_row(pair: StagingPair, first: Threshold, second: Threshold, seeds: Collection[int]) -> Row:
    times = {
        unit: (_times(pair.staged, first, unit, seeds), _times(pair.end_to_end, second, unit, seeds)) for unit in UNITS
    }
    reached, reached_other = (sum(one.reached for one in of_group) for of_group in times["epochs"])
    row: Row = {
        "condition": pair.staged.condition,
        "other": pair.end_to_end.condition,
        "protocol": pair.staged.protocol,
        "differing": " ".join(pair.differing),
        "threshold_kind": first.kind,
        "threshold": first.value,
        "threshold_other": second.value,
        "seeds": len(seeds),
        "reached": reached,
        "reached_other": reached_other,
    }
    for unit, (staged, other) in times.items():
        row |= _difference(staged, other, unit)
    return row


def _times(group: Group, threshold: Threshold, unit: Unit, seeds: Collection[int]) -> list[Waiting]:
    return [one for one in waiting_times(group, threshold.value, unit) if one.seed in seeds]


def _difference(staged: Sequence[Waiting], other: Sequence[Waiting], unit: Unit) -> Row:
    """Staged minus end-to-end, restricted to what both of these ran."""
    horizon = horizon_of([*staged, *other])
    paired = paired_difference(restricted_by_seed(staged, horizon), restricted_by_seed(other, horizon))
    return {
        f"{unit}_difference_mean": paired.interval.mean if paired else NOT_KNOWN,
        f"{unit}_difference_low": paired.interval.low if paired else NOT_KNOWN,
        f"{unit}_difference_high": paired.interval.high if paired else NOT_KNOWN,
        f"{unit}_p_value": paired.p_value if paired else NOT_KNOWN,
        f"{unit}_log_rank_p": log_rank_p(staged, other),
        f"{unit}_pair_horizon": horizon,
    }
