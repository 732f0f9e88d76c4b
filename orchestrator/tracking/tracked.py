"""`tracked.json`: what has been logged where, so that nothing is logged twice."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import Any

from datasets.folder import Folder

TRACKED_FILE = "tracked.json"


class Tracked:
    """By backend, the trials that it has; and what stands in its summary run and its workspace.

    Backends: `tensorboard`, `wandb-offline` (written into the run folder), `wandb-online/<project>` (sent).
    """

    def __init__(self, run_folder: Folder) -> None:
        self._folder = run_folder
        self._held: dict[str, Any] = run_folder.read_json(TRACKED_FILE) if run_folder.exists(TRACKED_FILE) else {}

    def lacking(self, backend: str, keys: Iterable[str]) -> list[str]:
        """Those of `keys` that the backend does not have, in order."""
        there = set(self._held.get(backend, ()))
        return [key for key in keys if key not in there]

    def note(self, backend: str, keys: Collection[str]) -> None:
        """The backend has these now."""
        if new := self.lacking(backend, keys):
            self._held.setdefault(backend, []).extend(new)
            self._write()

    def other(self, kind: str, backend: str) -> Any:
        """What is noted of the backend's `summary` or `workspace`; None if nothing is."""
        return self._held.get(kind, {}).get(backend)

    def note_other(self, kind: str, backend: str, value: Any) -> None:
        """Note it, in place of what was noted before."""
        self._held.setdefault(kind, {})[backend] = value
        self._write()

    def _write(self) -> None:
        self._folder.write_text(TRACKED_FILE, json.dumps(self._held, indent=1) + "\n")
