"""Where trackers write: the run folder, or, where that is remote, a temporary folder that is copied into it."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path

from datasets.folder import Folder
from orchestrator.tracking.wandb_runs import PARTIAL


class Place:
    """`local`: a folder on this machine; `upload` brings what was added to it into a remote run folder."""

    def __init__(self, run_folder: Folder) -> None:
        self._run_folder = run_folder
        self._uploaded: set[tuple[Path, int]] = set()
        if run_folder.is_local:
            self.local = Path(run_folder.base)
            return
        self.local = Path(tempfile.mkdtemp(prefix="facet-track-"))
        weakref.finalize(self, shutil.rmtree, self.local, ignore_errors=True)

    def upload(self) -> None:
        """Copy what is new or has changed. Does nothing for a local run folder."""
        if self._run_folder.is_local:
            return
        for path in sorted(path for path in self.local.rglob("*") if path.is_file() and _is_ours(path)):
            version = (path, path.stat().st_mtime_ns)
            if version not in self._uploaded:
                self._run_folder.write_bytes(path.relative_to(self.local).as_posix(), path.read_bytes())
                self._uploaded.add(version)


def _is_ours(path: Path) -> bool:
    """Not what W&B's program notes while it sends, nor what it has only begun to write."""
    return ".wandb.sync" not in path.name and not any(part.startswith(PARTIAL) or part == "logs" for part in path.parts)
