"""What a run will do, as `facet plan` prints it."""

from __future__ import annotations

from collections import Counter

from datasets.cropper import CropConfig
from datasets.reuse import plan_rows
from datasets.shards import read_manifest
from orchestrator.audit.place import PLAN_FILE
from orchestrator.cluster import Capacity
from orchestrator.ledger import Ledger
from orchestrator.placement import Placement
from orchestrator.report.wording import counted
from orchestrator.study import Study
from trainables.layout import WorkerLayout
from trainables.weights import describe_weights


def describe_plan(study: Study, placement: Placement, capacity: Capacity) -> dict[str, str]:
    """The plan, line by line, as `facet plan` prints it."""
    finished = Ledger(study.run_folder).keys() & _keys(study)
    num_jobs = len(study.jobs)
    splits = Counter(photo.split for photo in study.photos)
    return {
        "Data": f"{study.source.name}, {len(study.photos)} photos ({', '.join(f'{n} {s}' for s, n in splits.items())})",
        "Classes": ", ".join(study.source.classes) + f" (rare class: {study.rare_class})",
        "Data fingerprint": study.data_fingerprint,
        "Crops": f"{study.crop_folder} ({_describe_crops(study, placement)})",
        "Weights": f"{study.spec.backbone}, {describe_weights(study.spec.backbone, study.spec.weights)}",
        "Conditions": ", ".join(dict.fromkeys(job.name for job in study.jobs.values())),
        "Protocols": ", ".join(_describe_protocol(study, name) for name in study.protocols),
        "Trials": f"{num_jobs} ({_describe_grid(study)}): {len(finished)} done, {num_jobs - len(finished)} to run",
        "Cluster": capacity.description,
        "Each trial": _describe_layout(placement.layout),
        "At once": f"{placement.concurrent_trials} trials",
        "Run folder": str(study.run_folder),
    }


def _keys(study: Study) -> set[str]:
    """Of the study's trials, and of those that the run folder holds: what the photos are divided by is in the keys."""
    folder = study.run_folder
    held = folder.read_json(PLAN_FILE)["keys"] if folder.exists(PLAN_FILE) else []
    return {job.key for job in study.jobs.values()} | set(held)


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
    return f"{workers}, {layout.cpus_per_worker} cores and {layout.gpus_per_worker:g} GPUs a worker"
