"""What an earlier run tells of the next: how long its epochs took, what lay between its trials, how fast it cropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from datasets.errors import UserError
from datasets.folder import Folder
from orchestrator.ledger import Ledger, Record
from orchestrator.placement import Placement
from orchestrator.planning.pace import Pace, from_records
from orchestrator.report.wording import counted
from orchestrator.run_files import SESSIONS_FILE
from orchestrator.study import Study


@dataclass(frozen=True)
class EarlierRun:
    """Records and sessions of a run folder."""

    records: Sequence[Record]
    sessions: Sequence[dict[str, Any]]
    name: str
    """`this run`, or the folder's name."""

    def pace(self) -> Pace:
        """How fast its trials were, by the clock."""
        source = f"{counted(len(self.records), 'finished trial')} of {self.name}"
        trials = [session for session in self.sessions if session["overhead_s"] is not None]
        overhead_s = sum(session["overhead_s"] * session["trials"] for session in trials)
        num_trials = sum(session["trials"] for session in trials)
        return from_records(self.records, source, trial_s=overhead_s / num_trials if num_trials else 0.0)

    def crop_rate(self) -> float | None:
        """Photos a second, by the clock, over its calls that cropped and noted how many."""
        noted = [session for session in self.sessions if session.get("cropped") and session["crop_s"]]
        seconds = sum(session["crop_s"] for session in noted)
        return sum(session["cropped"] for session in noted) / seconds if seconds else None


def own_earlier_run(study: Study, placement: Placement) -> EarlierRun:
    """What the study's own run folder holds: maybe nothing."""
    folder = study.run_folder
    records = [record for record in Ledger(folder).read_all() if why_not(record, study, placement) is None]
    return EarlierRun(records, _sessions(folder), "this run")


def named_earlier_run(location: str, study: Study, placement: Placement) -> EarlierRun:
    """The run in `location`. Raises UserError where there is none, or one whose times say nothing about this study."""
    folder = Folder.at(location)
    records = Ledger(folder).read_all() if folder.exists() else []
    if not records:
        raise UserError(f"`--from-run {location}` holds no finished trial. Give the folder that `facet run` named.")
    reasons = [why_not(record, study, placement) for record in records]
    usable = [record for record, reason in zip(records, reasons, strict=True) if reason is None]
    if not usable:
        raise UserError(
            f"`--from-run {location}` tells nothing about this study: {reasons[0]}. Leave it away, and a few steps are "
            "tried on this machine."
        )
    return EarlierRun(usable, _sessions(folder), PurePosixPath(folder.base).name)


def why_not(record: Record, study: Study, placement: Placement) -> str | None:
    """Why a trial's times say nothing about those of `study`, such as `image_size` 64 there and 224 here; else None."""
    spec, layout = study.spec, placement.layout
    on_gpu = layout.gpus_per_worker > 0
    if (record["device"] != "cpu") != on_gpu:
        return f"its trials ran on `{record['device']}`, these will on {'a GPU' if on_gpu else 'processor cores'}"
    pairs = {
        "image_size": (record["image_size"], spec.image_size),
        "backbone": (record["model"]["backbone"], spec.backbone),
        "batch_size": (record["train"]["batch_size"], spec.batch_size),
        "workers_per_trial": (record["workers"], layout.workers),
    }
    for name, (there, here) in pairs.items():
        if there != here:
            return f"`{name}` is {there} there and {here} here"
    return None


def _sessions(folder: Folder) -> list[dict[str, Any]]:
    held = folder.read_json(SESSIONS_FILE) if folder.exists(SESSIONS_FILE) else []
    return [session for session in held if session.get("overhead_s") is not None or session.get("crop_s")]
