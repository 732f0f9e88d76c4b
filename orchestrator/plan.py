"""What a run will do and what it takes, as `facet plan` prints it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from datasets.cropper import CropConfig
from datasets.reuse import plan_rows
from datasets.shards import read_manifest
from orchestrator.cluster import Capacity
from orchestrator.placement import Placement, describe_placement
from orchestrator.planning.outlook import Outlook
from orchestrator.report.wording import counted
from orchestrator.study import Study
from trainables.layout import WorkerLayout
from trainables.weights import describe_weights


def describe_plan(
    study: Study, placement: Placement, capacity: Capacity, outlook: Outlook, power: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The plan, line by line, as `facet plan` prints it. power: lines on what the design can show."""
    num_jobs, num_done = len(study.jobs), len(outlook.done)
    splits = Counter(photo.split for photo in study.photos)
    return {
        "Data": f"{study.source.name}, {len(study.photos)} photos ({', '.join(f'{n} {s}' for s, n in splits.items())})",
        "Classes": ", ".join(study.source.classes) + f" (rare class: {study.rare_class})",
        "Data fingerprint": study.data_fingerprint,
        "Crops": f"{study.crop_folder} ({_describe_crops(study, placement)})",
        "Weights": f"{study.spec.backbone}, {describe_weights(study.spec.backbone, study.spec.weights)}",
        "Conditions": ", ".join(dict.fromkeys(job.name for job in study.jobs.values())),
        "Protocols": ", ".join(_describe_protocol(study, name) for name in study.protocols),
        "Trials": f"{num_jobs} ({_describe_grid(study)}): {num_done} done, {num_jobs - num_done} to run",
        **_by_protocol(study, outlook),
        "Cluster": capacity.description,
        "Each trial": _describe_layout(placement.layout),
        "Placement": describe_placement(placement, capacity),
        "Time": outlook.hours.describe(),
        **outlook.memory.lines(),
        **(power or {}),
        "Run folder": str(study.run_folder),
    }


def plan_document(
    study: Study, placement: Placement, capacity: Capacity, outlook: Outlook, power: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The plan as plain JSON: `docs/plan.md` has every key. power: what the design can show, by protocol."""
    hours, memory, layout = outlook.hours, outlook.memory, placement.layout
    need = memory.need
    largest = max(memory.machines, key=memory.at_once, default=None) if need else None
    return {
        "data": {"name": study.source.name, "photos": len(study.photos), "fingerprint": study.data_fingerprint},
        "spec_hash": study.spec_hash,
        "run_folder": str(study.run_folder),
        "trials": [
            {**job.cell._asdict(), "folds": job.num_folds, "done": cell in outlook.done, **_rows_of(job, outlook)}
            for cell, job in study.jobs.items()
        ],
        "smallest_gain": dict(power or {}),
        "placement": {
            "every_trial_placed": True,  # else there is no plan, but an error that says what is missing
            "at_once": placement.concurrent_trials,
            "workers": layout.workers,
            "cpus_per_worker": layout.cpus_per_worker,
            "gpus_per_worker": layout.gpus_per_worker,
            "cluster": capacity.description,
        },
        "time": {
            "seconds": hours.span._asdict() if hours.span else None,
            "training_s": hours.training_s,
            "crop_s": hours.crop_s,
            "source": hours.source or None,
            "not_estimated": hours.why or None,
        },
        "memory": {
            "trial_bytes": memory.trial() if need else None,
            "machine_bytes": memory.at_once(largest) if largest else None,
            "machine_free_bytes": largest.free if largest else None,
            "photos_bytes": memory.photos,
            "gpu_bytes": need.gpu if need else None,
            "gpu_total_bytes": need.gpu_total if need else None,
            "warnings": memory.warnings(),
            "not_measured": memory.why or None,
        },
    }


def _rows_of(job: Any, outlook: Outlook) -> dict[str, int | None]:
    rows = outlook.sizes.of(job)
    return {"num_train": rows.train if rows else None, "num_select": rows.select if rows else None}


def _by_protocol(study: Study, outlook: Outlook) -> dict[str, str]:
    """A line for each protocol, where there are several."""
    lines = {}
    for protocol in study.protocols if len(study.protocols) > 1 else ():
        cells = [cell for cell in study.cells if cell.protocol == protocol]
        conditions, seeds = len({cell.condition for cell in cells}), len({cell.seed for cell in cells})
        folds = len({cell.fold for cell in cells})
        text = f"{counted(conditions, 'condition')} x {counted(seeds, 'seed')}"
        text += f" x {counted(folds, 'fold')}" if folds > 1 else ""
        done = sum(cell in outlook.done for cell in cells)
        lines[f"  {protocol}"] = f"{len(cells)} ({text}): {done} done, {len(cells) - done} to run"
    return lines


def _describe_grid(study: Study) -> str:
    seeds = counted(study.spec.seeds, "seed")
    return f"{seeds}, {study.spec.folds} folds of grouped_kfold" if "grouped_kfold" in study.protocols else seeds


def _describe_protocol(study: Study, name: str) -> str:
    return f"{name} (left out if the photos prove not to support it)" if name in study.may_refuse else name


def _describe_crops(study: Study, placement: Placement) -> str:
    if read_manifest(study.crop_folder) is not None:
        return "there"
    rows = plan_rows(study.hashes, study.crop_folder, CropConfig.part_of(study.spec))
    reused = f", {rows.num_reused} of {len(rows.row)} photos copied from other sets" if rows.num_reused else ""
    return f"to be made by {placement.crops.num_workers} workers{reused}"


def _describe_layout(layout: WorkerLayout) -> str:
    workers = "in one process" if layout.workers == 1 else f"{layout.workers} workers (DDP)"
    cores = counted(layout.cpus_per_worker, "core")
    gpus = f"{layout.gpus_per_worker:g} GPU{'' if layout.gpus_per_worker == 1 else 's'}"
    return f"{workers}, {cores} and {gpus} a worker"
