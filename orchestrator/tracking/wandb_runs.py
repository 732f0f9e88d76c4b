"""The folder `wandb/` of a run: one finished W&B run a trial, each whole, and sent by W&B's own program."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from orchestrator.tracking.child import ChildFailed, Children, reason_in
from orchestrator.tracking.content import RunContent

FOLDER = "wandb"
PARTIAL = ".partial-"
START_S, EACH_S = 45.0, 5.0
"""What a program may take to start, and for each run."""
PARALLEL = "4"


class WandbRuns:
    """Writes and sends runs. What is there under its final name is complete."""

    def __init__(self, local: Path, project: str, children: Children) -> None:
        self.folder = local / FOLDER
        self._project, self._children = project, children

    def has(self, run: RunContent) -> bool:
        """Whether it is written."""
        return self._file(run).exists()

    def write(self, runs: Sequence[RunContent]) -> None:
        """Write them, in place of earlier ones of the same ids. Raises ChildFailed unless all are there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for partial in self.folder.glob(f"{PARTIAL}*"):  # of a call that was killed
            shutil.rmtree(partial, ignore_errors=True)
        lines = "".join(json.dumps(run.to_dict()) + "\n" for run in runs)
        for run in runs:
            shutil.rmtree(self.folder / run.folder_name, ignore_errors=True)
        program = Path(__file__).with_name("wandb_writer.py")
        command = [sys.executable, "-P", str(program), str(self.folder), self._project, PARTIAL]
        output = self._run(command, given=lines, num_runs=len(runs), online=False)
        if not all(map(self.has, runs)):
            raise ChildFailed(reason_in(output))

    def send(self, runs: Sequence[RunContent]) -> None:
        """Send written runs to the project, also where they were sent before: an id is one run, the last sent holds.

        Raises ChildFailed unless all have arrived; `is_sent` then tells which.
        """
        for run in runs:
            for trace in self._file(run).parent.glob(
                "*.wandb.sync*"
            ):  # of an earlier sending, maybe to another project
                trace.unlink()
        command = [sys.executable, "-m", "wandb", "sync", "--project", self._project, "-n", PARALLEL]
        folders = [str(self.folder / run.folder_name) for run in runs]
        try:
            output = self._run([*command, *folders], given="", num_runs=len(runs), online=True)
        finally:
            for run in runs:
                shutil.rmtree(self._file(run).parent / "logs", ignore_errors=True)  # they name folders of this machine
        if not all(map(self.is_sent, runs)):
            raise ChildFailed(reason_in(output))

    def is_sent(self, run: RunContent) -> bool:
        """Whether W&B's program noted that all of it has arrived."""
        return self._file(run).with_suffix(".wandb.synced").exists()

    def _file(self, run: RunContent) -> Path:
        return self.folder / run.folder_name / f"run-{run.id}.wandb"

    def _run(self, command: Sequence[str], *, given: str, num_runs: int, online: bool) -> str:
        timeout_s = START_S + EACH_S * num_runs
        return self._children.run(command, given=given, timeout_s=timeout_s, online=online)
