"""TensorBoard: one event file a trial, always at the same place, so that logging it again replaces it."""

from __future__ import annotations

import calendar
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.ledger import Record
from orchestrator.tracking.content import CURVES
from orchestrator.tracking.trial import run_name

if TYPE_CHECKING:
    from tensorboardX import SummaryWriter

FOLDER = "tensorboard"
_FLAGS = ("condition", "protocol", "seed", "fold", "image_size", "weights")


def log_to_tensorboard(record: Record, local: Path) -> Path:
    """Curves by epoch (from 1) at the time when each ended, final metrics, and the settings as hparams; the file.

    Its name holds the time at which the trial ended in place of the machine's name.
    """
    from tensorboardX import SummaryWriter  # imports torch, which takes seconds

    ended_s = calendar.timegm(time.strptime(record["finished_at"], "%Y-%m-%dT%H:%M:%SZ"))
    folder = local / FOLDER / run_name(record)
    with tempfile.TemporaryDirectory() as scratch:
        with SummaryWriter(scratch) as writer:
            _write(writer, record, ended_s)
        (written,) = Path(scratch).iterdir()
        shutil.rmtree(folder, ignore_errors=True)  # of a call that was killed before it noted the trial
        folder.mkdir(parents=True)
        target = folder / f"events.out.tfevents.{ended_s}.facet"
        shutil.move(written, target)
    return target


def _write(writer: SummaryWriter, record: Record, ended_s: float) -> None:
    from tensorboardX.summary import hparams

    left_s = record["wall_s"]
    for epoch in record["epochs"]:
        left_s -= epoch["wall_s"]
        for name in CURVES:
            for tag in (name, f"{epoch['stage']}/{name}"):
                writer.add_scalar(tag, epoch[name], epoch["epoch"] + 1, walltime=ended_s - left_s)
    final = {f"final/{name}": value for name, value in record["metrics"].items() if value is not None}
    for name, value in final.items():
        writer.add_scalar(name, value, record["best_epoch"] + 1, walltime=ended_s)
    settings = {name: record[name] for name in _FLAGS} | record["definition"] | record["model"] | record["train"]
    for summary in hparams(settings, final):
        writer.file_writer.add_summary(summary, walltime=ended_s)
