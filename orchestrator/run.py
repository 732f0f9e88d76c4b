"""A whole run, step by step: photos, crops, trials, tables, figures, report."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd
from optuna.storages import BaseStorage

from datasets.cropper import CropConfig
from datasets.errors import UserError
from datasets.folder import Folder
from datasets.pipeline import crop_photos
from datasets.sample import write_sample
from datasets.shards import CropManifest, read_manifest, read_rows
from datasets.sources import SAMPLE
from datasets.store import load_arrays
from orchestrator.cluster import Capacity, connect, find_address, local_capacity, quiet_environment
from orchestrator.environment import describe_environment
from orchestrator.ledger import Ledger
from orchestrator.plan import (
    STUDY_FILE,
    Placement,
    Study,
    check_run_folder,
    make_study,
    place,
    sample_folder,
    study_text,
)
from orchestrator.progress import LiveView
from orchestrator.quiet import quiet
from orchestrator.rebuild import rebuild_report
from orchestrator.spec import Spec, write_yaml
from orchestrator.tracking import Tracker
from search_spaces.grid import Cell, sync_study
from trainables.weights import describe_weights, ensure_weights, imagenet_state

OPTUNA_FILE = "optuna.db"
SESSIONS_FILE = "sessions.json"


@dataclass
class RunResult:
    """What a call of `facet run` did."""

    run_folder: Folder
    num_planned: int
    num_finished: int
    num_run: int = 0
    failures: list[Any] = field(default_factory=list)
    summary: dict[str, str] = field(default_factory=dict)


@dataclass
class _Session:
    """What this call adds to `sessions.json`."""

    started_at: str = field(default_factory=lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    cluster: str = ""
    crop_s: float = 0.0
    grid_s: float = 0.0
    concurrent: int = 1
    trials: int = 0
    training_s: float = 0.0

    def overhead_s(self) -> float | None:
        """Slot seconds that no trial trained in, a trial: start-up, scheduling, recording, and idling at the end."""
        return (self.grid_s * self.concurrent - self.training_s) / self.trials if self.trials else None


def run_study(spec: Spec, *, fresh: bool = False, verbose: bool = False, view: LiveView | None = None) -> RunResult:
    """Do what `spec` says and is not done yet, then write all tables, figures and the report.

    Raises UserError before anything is computed, where the spec cannot be run. A trial that fails is in the result's
    `failures`; all others are kept.
    """
    quiet_environment()
    with view or LiveView() as live:
        study, capacity, placement = prepare(spec, live, verbose=verbose, fresh=fresh)
        ledger, session = Ledger(study.run_folder), _Session(cluster=capacity.description)
        _write_identity(study, capacity)
        todo = _left(study, ledger)
        result = RunResult(study.run_folder, len(study.jobs), len(study.jobs) - len(todo), num_run=len(todo))
        with Tracker(spec, ledger, [job.key for job in study.jobs.values()]) as tracker:
            if todo or read_manifest(study.crop_folder) is None:
                with quiet(not verbose):
                    result.failures = _compute(study, todo, placement, session, live, tracker, verbose=verbose)
        result.num_finished = len(study.jobs) - len(_left(study, ledger))
        _note_session(study, ledger, session, todo)
        result.summary = rebuild_report(study.run_folder, problems=tracker.problems)
        return result


def prepare(spec: Spec, live: LiveView, *, verbose: bool, fresh: bool = False) -> tuple[Study, Capacity, Placement]:
    """Everything that can be wrong is found here. Raises UserError."""
    ensure_weights(spec.backbone, spec.weights, offline=spec.offline)
    if spec.data == SAMPLE:
        write_sample(sample_folder(spec), progress=live.counter("Drawing the sample", "photos"))
    study = make_study(spec)
    if fresh:
        _set_aside(study.run_folder)
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
    session: _Session,
    live: LiveView,
    tracker: Tracker,
    *,
    verbose: bool,
) -> list[Any]:
    live.say(f"Using {connect(study.spec.address, verbose=verbose).description}.")
    if read_manifest(study.crop_folder) is None:
        started = time.monotonic()
        crop_study(study, placement, live)
        session.crop_s = time.monotonic() - started
    _write_detection(study)
    if not todo:
        return []
    with _study_storage(study.run_folder) as storage:
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
    session: _Session,
    live: LiveView,
    tracker: Tracker,
    storage: BaseStorage,
) -> list[Any]:
    from orchestrator.schedule import run_trials, start_recorder

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


@contextmanager
def _study_storage(run_folder: Folder) -> Iterator[BaseStorage]:
    """The Optuna storage `optuna.db` of the run folder; a remote folder gets a copy when the block ends."""
    from optuna.storages import RDBStorage

    if run_folder.is_local:
        yield RDBStorage(f"sqlite:///{run_folder.path(OPTUNA_FILE)}")
        return
    scratch = Path(tempfile.mkdtemp(prefix="facet-optuna-"))
    if run_folder.exists(OPTUNA_FILE):
        (scratch / OPTUNA_FILE).write_bytes(run_folder.read_bytes(OPTUNA_FILE))
    try:
        yield RDBStorage(f"sqlite:///{scratch / OPTUNA_FILE}")
    finally:
        run_folder.write_bytes(OPTUNA_FILE, (scratch / OPTUNA_FILE).read_bytes())
        shutil.rmtree(scratch, ignore_errors=True)


def _write_identity(study: Study, capacity: Capacity) -> None:
    folder = study.run_folder
    folder.write_text(STUDY_FILE, study_text(study))
    folder.write_text("spec.yaml", write_yaml(study.spec))
    folder.write_text("environment.json", json.dumps(describe_environment(capacity.description), indent=1) + "\n")
    plan = {
        "keys": [job.key for job in study.jobs.values()],
        "data_name": study.source.name,
        "generated": study.source.generated,
        "left_out": study.source.left_out,
    }
    folder.write_text("plan.json", json.dumps(plan, indent=1, ensure_ascii=False) + "\n")


def _write_detection(study: Study) -> None:
    """`detection.csv`: photos, faces found, photos without a face and unreadable ones, by split and class."""
    rows = read_rows(study.crop_folder, ["split", "label", "status"]).to_pandas()
    counts = rows.groupby(["split", "label"], sort=False)["status"]
    table = pd.DataFrame(
        {
            "photos": counts.size(),
            "faces": counts.agg(lambda status: int((status == "ok").sum())),
            "no_face": counts.agg(lambda status: int((status == "no_face").sum())),
            "unreadable": counts.agg(lambda status: int((~status.isin(["ok", "no_face"])).sum())),
        }
    )
    order = {name: index for index, name in enumerate(study.source.classes)}
    table = table.reset_index().sort_values(["split", "label"], key=lambda column: column.map(order).fillna(column))
    study.run_folder.write_text("detection.csv", table.to_csv(index=False))


def _note_session(study: Study, ledger: Ledger, session: _Session, todo: Sequence[Cell]) -> None:
    done = [study.jobs[cell].key for cell in todo if study.jobs[cell].key in ledger.keys()]
    if not done and not session.crop_s:
        return  # a call that computed nothing leaves no trace
    session.trials = len(done)
    session.training_s = sum(record["wall_s"] for record in ledger.read_all(done))
    folder = study.run_folder
    earlier = json.loads(folder.read_bytes(SESSIONS_FILE)) if folder.exists(SESSIONS_FILE) else []
    entry = {**session.__dict__, "overhead_s": session.overhead_s()}
    folder.write_text(SESSIONS_FILE, json.dumps([*earlier, entry], indent=1) + "\n")


def _set_aside(folder: Folder) -> None:
    """Rename an earlier run out of the way; nothing is deleted."""
    if not folder.exists():
        return
    if not folder.is_local:
        raise UserError(f"`--fresh` cannot rename {folder}. Choose another --out.")
    if not folder.exists(STUDY_FILE) and any(Path(folder.base).iterdir()):
        raise UserError(f"`out` {folder} is not empty and holds no run. Choose another --out.")
    aside = f"{folder.base}.before-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}"
    Path(folder.base).rename(aside)


def describe_result(result: RunResult) -> list[str]:
    """The closing summary: what was done, and where to look."""
    lines = [f"{result.num_finished} of {result.num_planned} trials finished ({result.num_run} in this call)."]
    lines += [f"{title}: {text}" for title, text in result.summary.items()]
    lines += [f"FAILED {failure.cell[0]} (seed {failure.cell[2]}): {failure.reason}" for failure in result.failures]
    return lines
