"""W&B and TensorBoard, written from ledger records in a thread of the driver: no tracker can slow or stop a trial.

The ledger stays the primary record. Nothing but numbers, names of conditions and settings is logged: no photo, no path.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import tempfile
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from datasets.errors import UserError
from datasets.folder import Folder
from orchestrator.ledger import Ledger, Record
from orchestrator.spec import Spec

TRACKED_FILE = "tracked.json"
CLOSE_TIMEOUT_S = 90.0
INTERRUPTED_TIMEOUT_S = 5.0
_CURVES = (
    "train_loss",
    "train_accuracy",
    "val_loss",
    "val_accuracy",
    "val_macro_f1",
    "learning_rate",
    "wall_s",
    "compute_s",
)


class Tracker:
    """Logs each finished trial once to each backend, even over interrupted runs. Use as a context manager."""

    def __init__(self, spec: Spec, ledger: Ledger, keys: Iterable[str]) -> None:
        self._ledger, self._keys = ledger, tuple(keys)
        self._folder = ledger.run_folder
        self._local = (
            Path(self._folder.base) if self._folder.is_local else Path(tempfile.mkdtemp(prefix="facet-track-"))
        )
        self._backends = _backends(spec, self._local)
        self._tracked = _read_tracked(self._folder)
        self._uploaded: set[Path] = set()
        self._pending: queue.Queue[str | None] = queue.Queue()
        self._thread = threading.Thread(target=self._work, name="tracking", daemon=True)
        self.problems: dict[str, str] = {}

    def __enter__(self) -> Tracker:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is None:
            for key in self._keys:
                self._pending.put(key)  # what was finished before, or while nobody listened
        self._pending.put(None)
        self._thread.join(CLOSE_TIMEOUT_S if kind is None else INTERRUPTED_TIMEOUT_S)
        if self._thread.is_alive():
            self.problems["tracking"] = f"not finished after {CLOSE_TIMEOUT_S:g} s; the ledger has everything"

    def trial_done(self, key: str) -> None:
        """Log a trial that is now in the ledger."""
        self._pending.put(key)

    def _work(self) -> None:
        while (key := self._pending.get()) is not None:
            for name, log in self._backends.items():
                if key not in self._tracked.get(name, []) and name not in self.problems:
                    self._try(name, log, key)

    def _try(self, name: str, log: Callable[[Record], None], key: str) -> None:
        if not self._ledger.has(key):
            return  # not finished: a later run will log it
        try:
            log(self._ledger.read(key))
            self._upload_new()
            self._tracked.setdefault(name, []).append(key)
            self._folder.write_text(TRACKED_FILE, json.dumps(self._tracked, indent=1) + "\n")
        except Exception as error:  # whatever a tracker raises, the run goes on
            self.problems[name] = (str(error) or type(error).__name__).splitlines()[0][:200]

    def _upload_new(self) -> None:
        """Bring what a trial's log added to a remote run folder, before the trial counts as tracked."""
        if self._folder.is_local:
            return
        for path in sorted(path for path in self._local.rglob("*") if path.is_file() and path not in self._uploaded):
            self._folder.write_bytes(path.relative_to(self._local).as_posix(), path.read_bytes())
            self._uploaded.add(path)


def check_tracking(spec: Spec) -> None:
    """Raise UserError where W&B would have to ask for a key: nobody can answer a thread."""
    if spec.wandb != "online":
        return
    import wandb

    if not wandb.login(prompt=False, verify=False):
        raise UserError(
            "`wandb` online needs an API key. Run `wandb login`, set WANDB_API_KEY, or write --wandb offline."
        )


def _backends(spec: Spec, local: Path) -> dict[str, Callable[[Record], None]]:
    backends: dict[str, Callable[[Record], None]] = {}
    if spec.tensorboard:
        backends["tensorboard"] = lambda record: log_to_tensorboard(record, local / "tensorboard")
    if spec.wandb != "off":
        backends[f"wandb-{spec.wandb}"] = lambda record: log_to_wandb(
            record, local, project=spec.wandb_project, mode=spec.wandb
        )
    return backends


def log_to_tensorboard(record: Record, folder: Path) -> None:
    """One event file: curves by epoch, and the trial's settings."""
    from tensorboardX import SummaryWriter

    with SummaryWriter(str(folder / _run_name(record))) as writer:
        for epoch in record["epochs"]:
            for name in _CURVES:
                writer.add_scalar(name, epoch[name], epoch["epoch"])
        for name, value in record["metrics"].items():
            if value is not None:
                writer.add_scalar(f"final/{name}", value, record["best_epoch"])


def log_to_wandb(record: Record, folder: Path, *, project: str, mode: str) -> None:
    """One run a trial: group is the condition, job type the protocol, the id is stable.

    Raises whatever W&B raises.
    """
    os.environ.setdefault("WANDB_SILENT", "true")
    import wandb

    logging.getLogger("wandb").setLevel(logging.CRITICAL)
    settings = wandb.Settings(
        console="off",
        disable_git=True,
        init_timeout=30,
        save_code=False,
        silent=True,
        x_disable_meta=True,  # host name, paths and command line stay here
        x_disable_stats=True,
    )
    run = wandb.init(
        project=project,
        id=record["key"],
        name=_run_name(record),
        group=record["condition"],
        job_type=record["protocol"],
        config=_wandb_config(record),
        dir=str(folder),
        mode=mode,  # type: ignore[arg-type]
        resume="allow" if mode == "online" else None,
        reinit="create_new",
        settings=settings,
    )
    for epoch in record["epochs"]:
        run.log({"epoch": epoch["epoch"], "stage": epoch["stage"], **{name: epoch[name] for name in _CURVES}})
    run.summary.update(
        {"best_epoch": record["best_epoch"], **{f"best/{name}": value for name, value in record["metrics"].items()}}
    )
    run.finish()


def _run_name(record: Record) -> str:
    fold = f"-f{record['fold']}" if record["num_folds"] > 1 else ""
    return f"{record['condition']}-{record['protocol']}-s{record['seed']}{fold}"


def _wandb_config(record: Record) -> dict[str, Any]:
    copied = (
        "condition",
        "protocol",
        "seed",
        "fold",
        "definition",
        "model",
        "train",
        "weights",
        "data_fingerprint",
        "spec_hash",
    )
    return {name: record[name] for name in (*copied, "classes", "num_train", "num_eval", "device", "versions")}


def _read_tracked(folder: Folder) -> dict[str, list[str]]:
    return folder.read_json(TRACKED_FILE) if folder.exists(TRACKED_FILE) else {}
