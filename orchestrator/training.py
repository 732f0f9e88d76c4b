"""The training step of a run: what is not in the ledger yet, through Ray Tune."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from optuna.storages import BaseStorage

from datasets.store import PhotoArrays, load_arrays
from orchestrator.cropping import whole_crops
from orchestrator.division import Division, roles_of
from orchestrator.energy import energy_of
from orchestrator.ledger import Ledger
from orchestrator.placement import Placement
from orchestrator.progress import LiveView
from orchestrator.run_files import Session, study_storage
from orchestrator.schedule import STALLED_AFTER_S, Failure, run_trials, start_recorder
from orchestrator.study import Study
from orchestrator.tracking import Tracker
from search_spaces.grid import sync_study
from trainables.job import Cell
from trainables.layout import WorkerLayout
from trainables.weights import describe_weights, imagenet_state


def train_cells(
    study: Study,
    division: Division,
    todo: Sequence[Cell],
    *,
    placement: Placement,
    session: Session,
    live: LiveView,
    tracker: Tracker,
) -> list[Failure]:
    """Train the cells of `todo` on the study's crops; the trials that failed for good. Needs a running Ray."""
    with whole_crops(study.crop_folder):
        arrays = replace(load_arrays(study.crop_folder), label=division.label_N)
    with study_storage(study.run_folder) as storage, energy_of(session.add_energy):
        return _train(study, arrays, division, todo, placement, _Listeners(live, tracker, study, session), storage)


def _train(
    study: Study,
    arrays: PhotoArrays,
    division: Division,
    todo: Sequence[Cell],
    placement: Placement,
    listeners: _Listeners,
    storage: BaseStorage,
) -> list[Failure]:
    spec, ledger, session, live = study.spec, Ledger(study.run_folder), listeners.session, listeners.live
    started = time.monotonic()
    finished = {cell: ledger.read(job.key) for cell, job in study.jobs.items() if cell not in set(todo)}
    sync_study(storage, study.cells, finished)
    imagenet = imagenet_state(spec.backbone, spec.weights)
    live.start_trials(total=len(study.jobs), finished=len(finished), epochs=spec.epochs)
    session.concurrent = min(placement.concurrent_trials, len(todo))
    try:
        return run_trials(
            study.jobs,
            todo,
            arrays=arrays,
            roles=roles_of(study, division, todo),
            imagenet=None if imagenet is None else {name: tensor.numpy() for name, tensor in imagenet.items()},
            layout=_with_real_gpus(placement, live),
            concurrent=placement.concurrent_trials,
            recorder=start_recorder(study.run_folder, _provenance(study)),
            storage=storage,
            listener=listeners,
        )
    finally:
        session.grid_s = time.monotonic() - started


class _Listeners:
    """Passes a trial's news to the live view, the trackers and the session's account of time."""

    def __init__(self, live: LiveView, tracker: Tracker, study: Study, session: Session) -> None:
        self.live, self._tracker, self._jobs, self.session = live, tracker, study.jobs, session
        self.trial_started, self.trial_failed, self.stalled = live.trial_started, live.trial_failed, live.stalled

    def epoch_done(self, cell: Cell, epoch: int, wall_s: float) -> None:
        """A trial reported an epoch."""
        self.live.epoch_done(cell, epoch, wall_s)
        self.session.training_s += wall_s

    def trial_done(self, cell: Cell, accuracy: float) -> None:
        """A trial is in the ledger."""
        self.live.trial_done(cell, accuracy)
        self._tracker.trial_done(self._jobs[cell].key)


def _with_real_gpus(placement: Placement, live: LiveView) -> WorkerLayout:
    """Ask a worker whether torch sees the GPU that Ray counts: it decides how DDP workers talk."""
    layout = placement.layout
    if layout.workers == 1 or layout.gpus_per_worker == 0:
        return layout
    import ray

    @ray.remote
    def sees_gpu() -> bool:
        import torch

        return torch.cuda.is_available()

    answer = sees_gpu.options(num_cpus=0, num_gpus=layout.gpus_per_worker).remote()
    while not ray.wait([answer], timeout=STALLED_AFTER_S)[0]:
        live.stalled(f"No machine with {layout.gpus_per_worker:g} GPUs has joined for {STALLED_AFTER_S:g} s. Waiting.")
    return replace(layout, gpus_real=ray.get(answer))


def _provenance(study: Study) -> dict[str, Any]:
    """What every record of the run shares."""
    return {
        "spec_hash": study.spec_hash,
        "data_fingerprint": study.data_fingerprint,
        "data_name": study.source.name,
        "data_generated": study.source.generated,
        "image_size": study.spec.image_size,
        "weights": describe_weights(study.spec.backbone, study.spec.weights),
    }
