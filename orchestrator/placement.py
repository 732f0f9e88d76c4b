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


def describe_placement(placement: Placement, capacity: Capacity) -> str:
    """That every trial has a place, and what that rests on."""
    layout, at_once = placement.layout, placement.concurrent_trials
    used = f"{_amount(at_once * layout.workers * layout.cpus_per_worker, 'core')}"
    if layout.gpus_per_worker:
        used += f" and {_amount(at_once * layout.workers * layout.gpus_per_worker, 'GPU')}"
    text = f"every trial can be placed: {at_once} at a time on {used}"
    if capacity.present is None:
        return text
    there = sum(node.fits(layout.cpus_per_worker, layout.gpus_per_worker) for node in capacity.present)
    now = min(at_once, there // layout.workers)
    there_now = f"{now} of them on the machines that are there" if now else "none of them before a machine is started"
    return f"{text} once the autoscaler has started its machines, {there_now}"


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
    cores, worker_gpus = layout.cpus_per_worker, layout.gpus_per_worker
    places = capacity.slots(cores, worker_gpus)
    workers = "1 worker" if layout.workers == 1 else f"{layout.workers} workers"
    asked = f"A trial of {workers} of {_amount(cores, 'core')} and {_amount(worker_gpus, 'GPU')} does not fit"
    if places:
        lacking = f"only {_amount(places, 'worker')} of that size would have a place"
        way_out = f"Lower --workers-per-trial to {places} or less, or --cpus-per-worker."
    elif not capacity.slots(cores, 0):
        most = max((node.cpus for node in capacity.nodes), default=0.0)
        lacking = f"cores lack, no machine has more than {most:g}"
        way_out = f"Lower --cpus-per-worker to {most:g} or less." if most >= 1 else "Add a machine with cores."
    elif not capacity.slots(0, worker_gpus):
        lacking = f"GPUs lack, no machine has more than {max(node.gpus for node in capacity.nodes):g}"
        way_out = "Lower --gpus-per-trial, or spread it over more --workers-per-trial."
    else:
        lacking = "no machine has both the cores and the GPUs"
        way_out = "Lower --cpus-per-worker or --gpus-per-trial."
    return f"{asked} ({lacking}): {capacity.description}. {way_out}"


def _amount(count: float, noun: str) -> str:
    return f"{count:g} {noun}{'' if count == 1 else 's'}"
