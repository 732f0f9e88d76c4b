"""A whole run, step by step: photos, crops, trials, tables, figures, report."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from optuna.storages import BaseStorage

from datasets.cropper import CropConfig
from datasets.folder import Folder
from datasets.pipeline import crop_photos
from datasets.sample import write_sample
from datasets.shards import CropManifest, read_manifest
from datasets.sources import SAMPLE
from datasets.store import load_arrays
from orchestrator.cluster import Capacity, connect, find_address, local_capacity, quiet_environment
from orchestrator.ledger import Ledger
from orchestrator.placement import Placement, place
from orchestrator.progress import LiveView
from orchestrator.quiet import quiet
from orchestrator.rebuild import rebuild_report
from orchestrator.run_files import Session, note_session, set_aside, study_storage, write_detection, write_identity
from orchestrator.schedule import Failure, run_trials, start_recorder
from orchestrator.spec import Spec
from orchestrator.study import Study, check_run_folder, make_study, sample_folder
from orchestrator.tracking import Tracker, check_tracking
from search_spaces.grid import Cell, sync_study
from trainables.weights import describe_weights, ensure_weights, imagenet_state


@dataclass
class RunResult:
    """What a call of `facet run` did."""

    run_folder: Folder
    num_planned: int
    num_finished: int
    num_run: int = 0
    failures: list[Failure] = field(default_factory=list)
    log: str = ""
    summary: dict[str, str] = field(default_factory=dict)


def run_study(spec: Spec, *, fresh: bool = False, verbose: bool = False, view: LiveView | None = None) -> RunResult:
    """Do what `spec` says and is not done yet, then write all tables, figures and the report.

    Raises UserError before anything is computed, where the spec cannot be run. A trial that fails is in the result's
    `failures`; all others are kept.
    """
    quiet_environment()
    with view or LiveView() as live:
        study, capacity, placement = prepare(spec, live, verbose=verbose, fresh=fresh)
        ledger, session = Ledger(study.run_folder), Session(cluster=capacity.description)
        write_identity(study, capacity)
        todo = _left(study, ledger)
        result = RunResult(study.run_folder, len(study.jobs), len(study.jobs) - len(todo), num_run=len(todo))
        with Tracker(spec, ledger, [job.key for job in study.jobs.values()]) as tracker:
            try:
                if todo or read_manifest(study.crop_folder) is None:
                    with quiet(not verbose) as result.log:
                        result.failures = _compute(study, todo, placement, session, live, tracker, verbose=verbose)
            finally:
                note_session(study, ledger, session, todo)
        result.num_finished = len(study.jobs) - len(_left(study, ledger))
        result.summary = rebuild_report(study.run_folder, problems=tracker.problems)
        return result


def prepare(spec: Spec, live: LiveView, *, verbose: bool, fresh: bool = False) -> tuple[Study, Capacity, Placement]:
    """Everything that can be wrong is found here. Raises UserError."""
    check_tracking(spec)
    ensure_weights(spec.backbone, spec.weights, offline=spec.offline)
    if spec.data == SAMPLE:
        write_sample(sample_folder(spec), progress=live.counter("Drawing the sample", "photos"))
    study = make_study(spec)
    if not fresh:
        check_run_folder(study)
    capacity = _capacity(spec, verbose=verbose)
    placement = place(spec, capacity)
    if fresh:
        set_aside(study.run_folder)
    return study, capacity, placement


def _capacity(spec: Spec, *, verbose: bool) -> Capacity:
    """What is there, without starting a local Ray before it is needed."""
    import ray

    if ray.is_initialized() or find_address(spec.address) is not None:
        return connect(spec.address, verbose=verbose)
    return local_capacity()


def _left(study: Study, ledger: Ledger) -> list[Cell]:
    finished = ledger.keys()
    return [cell for cell, job in study.jobs.items() if job.key not in finished]


def _compute(
    study: Study,
    todo: Sequence[Cell],
    placement: Placement,
    session: Session,
    live: LiveView,
    tracker: Tracker,
    *,
    verbose: bool,
) -> list[Failure]:
    live.say(f"Using {connect(study.spec.address, verbose=verbose).description}.")
    if read_manifest(study.crop_folder) is None:
        started = time.monotonic()
        crop_study(study, placement, live)
        session.crop_s = time.monotonic() - started
    write_detection(study)
    if not todo:
        return []
    with study_storage(study.run_folder) as storage:
        return _train(study, todo, placement, session, live, tracker, storage)


def crop_study(study: Study, placement: Placement, live: LiveView) -> CropManifest:
    """Crop the study's photos into its crop folder. Needs a running Ray."""
    return crop_photos(
        study.source,
        study.photos,
        CropConfig.part_of(study.spec),
        study.crop_folder,
        name=study.data_fingerprint,
        resources=placement.crops,
        progress=live.counter("Cropping faces", "photos"),
    )


def _train(
    study: Study,
    todo: Sequence[Cell],
    placement: Placement,
    session: Session,
    live: LiveView,
    tracker: Tracker,
    storage: BaseStorage,
) -> list[Failure]:
    spec, ledger = study.spec, Ledger(study.run_folder)
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
            arrays=load_arrays(study.crop_folder),
            imagenet=None if imagenet is None else {name: tensor.numpy() for name, tensor in imagenet.items()},
            layout=_with_real_gpus(placement),
            concurrent=placement.concurrent_trials,
            recorder=start_recorder(study.run_folder, _provenance(study)),
            storage=storage,
            listener=_Listeners(live, tracker, study),
        )
    finally:
        session.grid_s = time.monotonic() - started


class _Listeners:
    """Passes a trial's news to the live view and to the trackers."""

    def __init__(self, live: LiveView, tracker: Tracker, study: Study) -> None:
        self._live, self._tracker, self._jobs = live, tracker, study.jobs
        self.trial_started, self.epoch_done = live.trial_started, live.epoch_done
        self.trial_failed, self.stalled = live.trial_failed, live.stalled

    def trial_done(self, cell: Cell, accuracy: float) -> None:
        """A trial is in the ledger."""
        self._live.trial_done(cell, accuracy)
        self._tracker.trial_done(self._jobs[cell].key)


def _with_real_gpus(placement: Placement) -> Any:
    """Ask a worker whether torch sees the GPU that Ray counts: it decides how DDP workers talk."""
    layout = placement.layout
    if layout.workers == 1 or layout.gpus_per_worker == 0:
        return layout
    import ray

    @ray.remote
    def sees_gpu() -> bool:
        import torch

        return torch.cuda.is_available()

    return replace(layout, gpus_real=ray.get(sees_gpu.options(num_cpus=0, num_gpus=layout.gpus_per_worker).remote()))


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


def describe_result(result: RunResult) -> list[str]:
    """The closing summary: what was done, and where to look."""
    lines = [f"{result.num_finished} of {result.num_planned} trials finished ({result.num_run} in this call)."]
    lines += [f"{title}: {text}" for title, text in result.summary.items()]
    lines += [f"FAILED {failure.cell[0]} (seed {failure.cell[2]}): {failure.reason}" for failure in result.failures]
    if result.failures:
        lines.append(f"What Ray and the trials wrote: {result.log}")
    return lines
