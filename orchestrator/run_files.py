"""What a run folder says of its run beside the ledger: identity, environment, detection, sessions, the Optuna study."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from optuna.storages import BaseStorage

from datasets.errors import UserError
from datasets.folder import Folder
from orchestrator.cluster import Capacity
from orchestrator.detection.files import write_crop_report
from orchestrator.detection.photos import PHOTOS_FILE, to_photos_csv
from orchestrator.energy import Energy
from orchestrator.environment import describe_environment
from orchestrator.ledger import Ledger
from orchestrator.spec import write_yaml
from orchestrator.study import STUDY_FILE, Study, holds_other_files, study_text

OPTUNA_FILE = "optuna.db"
SESSIONS_FILE = "sessions.json"
LOCK_FILE = ".lock"


@dataclass
class Session:
    """What this call adds to `sessions.json`."""

    started_at: str = field(default_factory=lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    cluster: str = ""
    crop_s: float = 0.0
    cropped: int = 0
    grid_s: float = 0.0
    concurrent: int = 1
    trials: int = 0
    training_s: float = 0.0
    energy_j: float | None = None
    energy_of: str = ""

    def add_energy(self, energy: Energy) -> None:
        """Add that of a step. Where one could not be measured, the whole is not."""
        if self.energy_of:
            energy = Energy(self.energy_j, self.energy_of).plus(energy)
        self.energy_j, self.energy_of = energy.joules, energy.of

    def overhead_s(self) -> float | None:
        """Slot seconds that no trial trained in, a trial: start-up, scheduling, recording, and idling at the end."""
        return (self.grid_s * self.concurrent - self.training_s) / self.trials if self.trials else None


@contextmanager
def locked(folder: Folder) -> Iterator[None]:
    """Hold the run folder, so that no second call works in it at once. Raises UserError if one does, or if it cannot be
    written. A remote folder has no lock.
    """
    if not folder.is_local:
        yield
        return
    try:
        Path(folder.base).mkdir(parents=True, exist_ok=True)
        lock = os.open(folder.path(LOCK_FILE), os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise UserError(f"`out` {folder} cannot be written ({error.strerror}). Choose another --out.") from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(f"Another `facet run` works in `out` {folder}. Wait, or choose another --out.") from None
        yield
    finally:
        os.close(lock)


@contextmanager
def study_storage(run_folder: Folder) -> Iterator[BaseStorage]:
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


def write_identity(study: Study, capacity: Capacity) -> None:
    """`study.json`, `spec.yaml`, `environment.json` and `plan.json`: what this run is, and what it was asked for."""
    folder = study.run_folder
    folder.write_text("spec.yaml", write_yaml(study.spec))
    folder.write_text("environment.json", json.dumps(describe_environment(capacity.description), indent=1) + "\n")
    plan = {
        "keys": [job.key for job in study.jobs.values()],
        "data_name": study.source.name,
        "generated": study.source.generated,
        "left_out": study.source.left_out,
        "crops": study.spec.crops,
        "crop_fingerprint": study.crop_fingerprint,
    }
    folder.write_text("plan.json", json.dumps(plan, indent=1, ensure_ascii=False) + "\n")
    folder.write_text(STUDY_FILE, study_text(study))  # last: with it the folder is a run's


def write_detection(study: Study) -> None:
    """`photos.csv`: what cropping found in each photo; beside the crops also the table and the contact sheets."""
    photos = write_crop_report(study.crop_folder)
    study.run_folder.write_text(PHOTOS_FILE, to_photos_csv(photos))


def note_session(study: Study, ledger: Ledger, session: Session, before: Set[str]) -> None:
    """Add this call to `sessions.json`, with the time that scheduling cost it. before: trials finished before it."""
    session.trials = len({job.key for job in study.jobs.values()} & ledger.keys() - before)
    if not session.trials and not session.crop_s:
        return  # a call that computed nothing leaves no trace
    folder = study.run_folder
    earlier = folder.read_json(SESSIONS_FILE) if folder.exists(SESSIONS_FILE) else []
    entry = {**session.__dict__, "overhead_s": session.overhead_s()}
    folder.write_text(SESSIONS_FILE, json.dumps([*earlier, entry], indent=1) + "\n")


def set_aside(folder: Folder) -> None:
    """Rename an earlier run out of the way; nothing is deleted. Raises UserError for a folder of other files."""
    if not folder.is_local:
        raise UserError(f"`--fresh` cannot rename {folder}. Choose another --out.")
    if not folder.exists(STUDY_FILE) and holds_other_files(folder):
        raise UserError(f"`out` {folder} is not empty and holds no run. Choose another --out.")
    aside = f"{folder.base}.before-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}"
    Path(folder.base).rename(aside)
