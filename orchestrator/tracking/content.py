"""What one W&B run is to hold, as plain values: made here, and written by a program of its own (wandb_writer.py)."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

CURVES = (
    "train_loss",
    "train_accuracy",
    "val_loss",
    "val_accuracy",
    "val_macro_f1",
    "learning_rate",
    "wall_s",
    "compute_s",
)
"""The fields of an epoch's record that are drawn."""
STAGES = ("head", "finetune", "end_to_end")


@dataclass(frozen=True)
class Table:
    """Numbers and words in rows; None where a cell is empty."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str | float | None]]


@dataclass(frozen=True)
class Confusion:
    """K classes; counts_KK[true class][answer] photos."""

    classes: Sequence[str]
    counts_KK: Sequence[Sequence[int]]


@dataclass(frozen=True)
class Picture:
    """An encoded picture (PNG or JPEG) and the words under it."""

    encoded: bytes
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class RunContent:
    """All of one run. Equal contents have equal fingerprints, whenever they are made."""

    id: str
    """Names the run in its project: the same id is the same run."""
    name: str
    group: str
    job_type: str
    finished_at: str
    """Such as 2026-01-02T03:04:05Z; names the folder, so that the run is always written to the same place."""
    config: Mapping[str, Any]
    history: Sequence[Mapping[str, str | float]] = ()
    """One entry an epoch, with the field `epoch`, from 1."""
    summary: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)
    confusion: Mapping[str, Confusion] = field(default_factory=dict)
    pictures: Mapping[str, Sequence[Picture]] = field(default_factory=dict)

    @property
    def folder_name(self) -> str:
        """As `wandb sync` expects it: offline-run-<date>_<time>-<id>."""
        date, _, time = self.finished_at.rstrip("Z").partition("T")
        return f"offline-run-{date.replace('-', '')}_{time.replace(':', '')}-{self.id}"

    @property
    def fingerprint(self) -> str:
        """Of all that the run holds."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()[:16]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON; pictures in base64."""
        pictures = {
            key: [{"encoded": base64.b64encode(one.encoded).decode(), "caption": one.caption} for one in several]
            for key, several in self.pictures.items()
        }
        plain = {name: value for name, value in self.__dict__.items() if name not in ("tables", "confusion")}
        parts = {
            name: {key: asdict(one) for key, one in self.__dict__[name].items()} for name in ("tables", "confusion")
        }
        return {**plain, **parts, "pictures": pictures, "folder": self.folder_name}
