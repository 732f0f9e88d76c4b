"""How trials and cropping share a cluster. What could never be placed is an error before anything starts."""

from __future__ import annotations

from dataclasses import dataclass

from datasets.errors import UserError
from datasets.pipeline import CropResources
from orchestrator.cluster import Capacity
from orchestrator.spec import Spec
from trainables.layout import WorkerLayout


@dataclass(frozen=True)
class Placement:
    """How the trials and the cropping share the cluster."""

    layout: WorkerLayout
    concurrent_trials: int
    crops: CropResources
    one_machine: bool
    """Whether all workers run here, and so can read this machine's files."""


def place(spec: Spec, capacity: Capacity) -> Placement:
    """Fit trials and cropping onto the cluster. Raises UserError for what could never be placed."""
    gpus = spec.gpus_per_trial
    if gpus is None:  # one a worker, where there is any: workers of one trial cannot share a GPU
        gpus = float(spec.workers_per_trial) if capacity.gpus else 0.0
    layout = WorkerLayout(
        workers=spec.workers_per_trial,
        cpus_per_worker=spec.cpus_per_worker,
        gpus_per_worker=gpus / spec.workers_per_trial,
    )
    slots = capacity.slots(layout.cpus_per_worker, layout.gpus_per_worker)
    if slots < layout.workers:
        raise UserError(_why_not(layout, gpus, capacity))
    concurrent = min(slots // layout.workers, spec.max_concurrent_trials or slots)
    return Placement(layout, concurrent, _place_crops(spec, capacity), capacity.one_machine)


def _place_crops(spec: Spec, capacity: Capacity) -> CropResources:
    gpus = spec.gpus_per_crop_worker if spec.gpus_per_crop_worker is not None else min(1.0, capacity.gpus)
    slots = capacity.slots(1.0, gpus)
    wanted = spec.crop_workers or slots
    if slots < max(1, wanted):
        raise UserError(
            f"`crop_workers` {wanted} of 1 core and {gpus:g} GPUs do not fit: {capacity.description}. "
            "Lower --crop-workers or --gpus-per-crop-worker."
        )
    return CropResources(num_workers=wanted, num_gpus=gpus)


def _why_not(layout: WorkerLayout, gpus: float, capacity: Capacity) -> str:
    if gpus > capacity.gpus:
        return (
            f"`gpus_per_trial` asks for {gpus:g} GPUs, but there are {capacity.gpus:g}: {capacity.description}. "
            "Lower --gpus-per-trial (0 trains on the CPU)."
        )
    return (
        f"A trial of {layout.workers} workers of {layout.cpus_per_worker} cores and {layout.gpus_per_worker:g} GPUs "
        f"does not fit: {capacity.description}. Lower --workers-per-trial, --cpus-per-worker or --gpus-per-trial."
    )
