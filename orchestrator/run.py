"""A whole run, step by step: photos, crops, trials, tables, figures, report."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
from datasets.copies import find_photographs
from optuna.storages import BaseStorage

from datasets.assembly import PhotoChangedError
from datasets.crop_set import drop_damaged
from datasets.cropper import CropConfig
from datasets.errors import FailedError, UserError
from datasets.folder import Folder
from datasets.photo import READABLE
from datasets.pipeline import crop_photos
from datasets.sample import write_sample
from datasets.shards import CropManifest, read_manifest, read_rows
from datasets.sources import SAMPLE
from datasets.splits import check_sides
from datasets.store import PhotoArrays, load_arrays
from orchestrator.cluster import Capacity, connect, find_address, local_capacity, quiet_environment
from orchestrator.division import Division, check_before_cropping, divide, write_account
from orchestrator.ledger import Ledger
from orchestrator.placement import Placement, place
from orchestrator.progress import LiveView
from orchestrator.quiet import quiet
from orchestrator.rebuild import rebuild_report
from orchestrator.run_files import (
    Session,
    locked,
    note_session,
    set_aside,
    study_storage,
    write_detection,
    write_identity,
)
from orchestrator.schedule import STALLED_AFTER_S, Failure, run_trials, start_recorder
from orchestrator.spec import Spec
from orchestrator.study import Study, check_run_folder, make_study, sample_folder
from orchestrator.tracking import Tracker, check_tracking
from search_spaces.grid import sync_study
from trainables.job import Cell
from trainables.weights import describe_weights, ensure_weights, imagenet_state
from trainables.worker import WorkerLayout


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

    `fresh`: rename an earlier run in the run folder first. Raises UserError before anything is computed, where the spec
    cannot be run. A trial that fails is in the result's `failures`; all others are kept.
    """
    quiet_environment()
    check_tracking(spec)
    with view or LiveView() as live:
        study, capacity, placement = prepare(spec, live, verbose=verbose, check_folder=not fresh)
        if fresh and study.run_folder.exists():
            with locked(study.run_folder):  # never under a call that still works in it
                set_aside(study.run_folder)
        with locked(study.run_folder):
            return _run_locked(study, capacity, placement, live, verbose=verbose)


def _run_locked(study: Study, capacity: Capacity, placement: Placement, live: LiveView, *, verbose: bool) -> RunResult:
    ledger, session = Ledger(study.run_folder), Session(cluster=capacity.description)
    write_identity(study, capacity)
    todo = _left(study, ledger)
    result = RunResult(study.run_folder, len(study.jobs), len(study.jobs) - len(todo), num_run=len(todo))
    with Tracker(study.spec, ledger, [job.key for job in study.jobs.values()]) as tracker:
        try:
            if todo or read_manifest(study.crop_folder) is None:
                with quiet(not verbose) as result.log:
                    result.failures = _compute(study, todo, placement, session, live, tracker, verbose=verbose)
        finally:
            note_session(study, ledger, session, todo)
    result.num_finished = len(study.jobs) - len(_left(study, ledger))
    result.summary = rebuild_report(study.run_folder, problems=dict(tracker.problems))
    return result


def prepare(
    spec: Spec, live: LiveView, *, verbose: bool, check_folder: bool = True, train: bool = True, dry: bool = False
) -> tuple[Study, Capacity, Placement]:
    """Settle what can be settled before anything is computed; the generated sample is drawn if it is asked for.

    `train`: whether models are wanted, and so their starting weights. `dry`: nothing will be computed, and nothing is
    to be written. Raises UserError for whatever is wrong.
    """
    if train:
        ensure_weights(spec.backbone, spec.weights, offline=spec.offline)
    if spec.data == SAMPLE:
        write_sample(sample_folder(spec), progress=live.counter("Drawing the sample", "photos"))
    study = make_study(spec, live.counter("Reading", "photos"), keep_hashes=not dry, train=train)
    if train:
        check_before_cropping(study)
    if check_folder:
        check_run_folder(study)
    capacity = _capacity(spec, verbose=verbose)
    return study, capacity, place(spec, capacity)


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
    with whole_crops(study.crop_folder):
        _check_readable(study)
        write_detection(study)
        division = divide(study, _photographs(study))
        write_account(study, division)
        arrays = replace(load_arrays(study.crop_folder), label=division.label_N) if todo else None
    if arrays is None:
        return []
    with study_storage(study.run_folder) as storage:
        return _train(study, arrays, division, todo, placement, session, live, tracker, storage)


def _photographs(study: Study) -> np.ndarray:
    columns = ["file_sha256", "pixel_sha256", "signature"]
    rows = read_rows(study.crop_folder, columns)
    return find_photographs(*(rows.column(name).to_pylist() for name in columns)).group


@contextmanager
def whole_crops(folder: Folder) -> Iterator[None]:
    """Reads a finished set of crops. A shard that proves damaged is removed, and FailedError says what to do."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        damaged = drop_damaged(folder)
        if not damaged:
            raise
        raise FailedError(
            f"{', '.join(damaged)} of the crops in {folder} cannot be read ({str(error).splitlines()[0]}). What was "
            "left of it is removed; run again, and its photos and those after it are cropped anew."
        ) from error


def _check_readable(study: Study) -> None:
    """Raise UserError if unreadable photos leave a class without a photo to train or report on."""
    statuses = read_rows(study.crop_folder, ["status"]).column("status").to_pylist()
    readable = [photo for photo, status in zip(study.photos, statuses, strict=True) if status in READABLE]
    if {photo.label for photo in readable} != set(study.source.classes):
        raise UserError(f"`--data {study.source.name}`: a class has no readable photo. See {study.crop_folder}.")
    check_sides(readable, study.source.name)


def crop_study(study: Study, placement: Placement, live: LiveView) -> CropManifest:
    """Crop the study's photos into its crop folder. Needs a running Ray. Raises FailedError if that fails."""
    try:
        return crop_photos(
            study.source,
            study.photos,
            CropConfig.part_of(study.spec),
            study.crop_folder,
            name=study.data_fingerprint,
            resources=placement.crops,
            expected_sha256=study.hashes,
            shared_disk=placement.one_machine,
            news=_CropNews(live),
        )
    except PhotoChangedError:
        study.hash_cache.forget()  # a file can change behind its size and time
        raise


class _CropNews:
    """Passes what the cropping says to the live view."""

    def __init__(self, live: LiveView) -> None:
        self.progress, self.say = live.counter("Cropping faces", "photos"), live.say


def _train(
    study: Study,
    arrays: PhotoArrays,
    division: Division,
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
            arrays=arrays,
            roles=division.roles,
            imagenet=None if imagenet is None else {name: tensor.numpy() for name, tensor in imagenet.items()},
            layout=_with_real_gpus(placement, live),
            concurrent=placement.concurrent_trials,
            recorder=start_recorder(study.run_folder, _provenance(study)),
            storage=storage,
            listener=_Listeners(live, tracker, study, session),
        )
    finally:
        session.grid_s = time.monotonic() - started


class _Listeners:
    """Passes a trial's news to the live view, the trackers and the session's account of time."""

    def __init__(self, live: LiveView, tracker: Tracker, study: Study, session: Session) -> None:
        self._live, self._tracker, self._jobs, self._session = live, tracker, study.jobs, session
        self.trial_started, self.trial_failed, self.stalled = live.trial_started, live.trial_failed, live.stalled

    def epoch_done(self, cell: Cell, epoch: int, wall_s: float) -> None:
        """A trial reported an epoch."""
        self._live.epoch_done(cell, epoch, wall_s)
        self._session.training_s += wall_s

    def trial_done(self, cell: Cell, accuracy: float) -> None:
        """A trial is in the ledger."""
        self._live.trial_done(cell, accuracy)
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


def describe_result(result: RunResult) -> list[str]:
    """The closing summary: what was done, and where to look."""
    lines = [f"{result.num_finished} of {result.num_planned} trials finished ({result.num_run} in this call)."]
    lines += [f"{title}: {text}" for title, text in result.summary.items()]
    lines += [f"FAILED {_name(failure.cell)}: {failure.reason}" for failure in result.failures]
    if result.failures:
        lines.append(f"What Ray and the trials wrote: {result.log}")
    return lines


def _name(cell: Cell) -> str:
    fold = f", fold {cell.fold}" if cell.protocol == "grouped_kfold" else ""
    return f"{cell.condition} ({cell.protocol}, seed {cell.seed}{fold})"
