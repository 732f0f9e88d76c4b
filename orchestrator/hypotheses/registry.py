"""`hypotheses.json` of a run folder: what was to be shown, written down before training, and every later change."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from datasets.folder import Folder
from orchestrator.hypotheses.model import Hypotheses, load_hypotheses
from orchestrator.report.wording import counted

HYPOTHESES_FILE = "hypotheses.json"


@dataclass(frozen=True)
class Registered:
    """Hypotheses, and how many trials were finished when they were written down; None if they never were.

    num_earlier: how many others were noted for the same run.
    """

    hypotheses: Hypotheses
    trials_finished: int | None = None
    registered_at: str = ""
    num_earlier: int = 0

    @property
    def line(self) -> str:
        """Their hash, and when they were written down."""
        text = self.hypotheses.sha256[:16]
        if self.trials_finished is None:
            return f"{text}, not written down before the report"
        when = "before any trial" if not self.trials_finished else f"after {self.trials_finished} finished trials"
        others = f"; {counted(self.num_earlier, 'other set')} written down for this run" if self.num_earlier else ""
        return f"{text}, written down {self.registered_at} {when}{others}"

    @property
    def note(self) -> str:
        """A warning where they could have been made to fit what was seen; else empty."""
        if not self.trials_finished:
            return ""
        changed = "changed" if self.num_earlier else "written down"
        return (
            f"The hypotheses were {changed} after {self.trials_finished} trials were finished: "
            "their verdicts are exploratory."
        )


def chosen(folder: Folder, path: str | None) -> Hypotheses:
    """Those of the file asked for; without one the last that were written down in the folder, else the study's own."""
    return load_hypotheses(path) if path is not None or not _entries(folder) else read_registered(folder).hypotheses


def register(folder: Folder, hypotheses: Hypotheses, trials_finished: int) -> None:
    """Note `hypotheses`, unless the last ones noted say the same. Those noted before keep the time of then."""
    entries = _entries(folder)
    if entries and entries[-1]["sha256"] == hypotheses.sha256:
        return
    known = next((entry for entry in entries if entry["sha256"] == hypotheses.sha256), None)
    entry = known or {
        "sha256": hypotheses.sha256,
        "registered_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "trials_finished": trials_finished,
        **hypotheses.model_dump(mode="json", exclude_none=True),
    }
    folder.write_text(HYPOTHESES_FILE, json.dumps([*entries, entry], indent=1, ensure_ascii=False) + "\n")


def read_registered(folder: Folder) -> Registered:
    """The last ones noted, or the study's own where none are."""
    entries = _entries(folder)
    if not entries:
        return Registered(load_hypotheses(None))
    last = entries[-1]
    hypotheses = Hypotheses.model_validate({"hypotheses": last["hypotheses"]})
    others = {entry["sha256"] for entry in entries} - {last["sha256"]}
    return Registered(hypotheses, last["trials_finished"], last["registered_at"], len(others))


def _entries(folder: Folder) -> list[dict[str, Any]]:
    return folder.read_json(HYPOTHESES_FILE) if folder.exists(HYPOTHESES_FILE) else []
