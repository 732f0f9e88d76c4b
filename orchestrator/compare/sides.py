"""What each run measured on, side by side: photos, baselines, times; and the runs as wholes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from orchestrator.compare.runs import Run
from orchestrator.report.detection import status_counts
from orchestrator.report.intervals import wilson_interval
from orchestrator.report.results import Group, protocol_rank
from orchestrator.report.wording import duration, listing, percent_interval


def measured_rows(runs: tuple[Run, Run]) -> list[dict[str, Any]]:
    """One row a condition and protocol of either run: on all that each reports, not on what they share."""
    first, second = (run.results for run in runs)
    both = {(group.protocol, group.condition): None for results in (first, second) for group in results.groups}
    cells = sorted(both, key=lambda cell: protocol_rank(cell[0]))
    return [_row(first.group(name, protocol), second.group(name, protocol)) for protocol, name in cells]


def overview_rows(runs: tuple[Run, Run]) -> list[dict[str, str]]:
    """The runs as wholes, one row a fact, as texts."""
    facts = {
        "Run folder": [run.name for run in runs],
        "Photos": [str(run.plan["data_name"]) for run in runs],
        "Photos, generated": ["yes" if run.plan["generated"] else "no" for run in runs],
        "Photos with a face": [_faces(run) for run in runs],
        "Trials finished": [f"{len(run.records)} of {run.num_planned}" for run in runs],
        "Seeds": [listing([str(seed) for seed in run.seeds]) for run in runs],
        "Protocols": [listing(run.results.protocols) for run in runs],
        "Hypotheses": [run.registered.line for run in runs],
        "Training, compute in all": [duration(sum(record["compute_s"] for record in run.records)) for run in runs],
        "Training, by the clock": [duration(sum(record["wall_s"] for record in run.records)) for run in runs],
    }
    return [{"fact": name, "a": texts[0], "b": texts[1]} for name, texts in facts.items()]


def _faces(run: Run) -> str:
    if run.photos is None or not len(run.photos):
        return ""
    found = status_counts(run.photos)["found"]
    share = wilson_interval(found, len(run.photos))
    return f"{found} of {len(run.photos)}, {percent_interval(share.mean, share.low, share.high)}"


def _row(first: Group | None, second: Group | None) -> dict[str, Any]:
    named = first or second
    assert named is not None  # a cell is one of either run
    row: dict[str, Any] = {"condition": named.condition, "title": named.title, "protocol": named.protocol}
    row |= _side("a", first) | _side("b", second)
    return row | {"compute_ratio": row["compute_s_b"] / row["compute_s_a"] if row["compute_s_a"] else math.nan}


def _side(side: str, group: Group | None) -> dict[str, Any]:
    """The numbers of one run; unknown, and no seed and no photo, where it does not have the condition."""
    if group is None:
        unknown = dict.fromkeys((f"{side}_mean", f"{side}_low", f"{side}_high", f"majority_{side}"), math.nan)
        counts = ("seeds", "photos", "photos_with_face", "train_photos")
        return unknown | {f"{name}_{side}": 0 for name in counts} | {f"compute_s_{side}": math.nan}
    accuracy = group.accuracy_interval
    return {
        f"{side}_mean": accuracy.mean,
        f"{side}_low": accuracy.low,
        f"{side}_high": accuracy.high,
        f"majority_{side}": group.majority_accuracy,
        f"seeds_{side}": len(group.seeds),
        f"photos_{side}": group.photos,
        f"photos_with_face_{side}": min(record["num_eval_with_face"] for record in group.records),
        f"train_photos_{side}": min(record["num_train"] for record in group.records),
        f"compute_s_{side}": float(np.mean([record["compute_s"] for record in group.records])),
    }
