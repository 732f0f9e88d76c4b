"""W&B as a tracker: every finished trial is written into the run folder, and sent from there where that is asked."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from datasets.folder import Folder
from orchestrator.ledger import Ledger
from orchestrator.spec import Spec
from orchestrator.tracking.child import SAVED, ChildFailed, Children, reason_in
from orchestrator.tracking.content import RunContent
from orchestrator.tracking.summary import summary_content
from orchestrator.tracking.tracked import Tracked
from orchestrator.tracking.trial import trial_content
from orchestrator.tracking.wandb_runs import WandbRuns
from orchestrator.tracking.wrong_photos import wrong_photos

WRITTEN = "wandb-offline"
SENT = "wandb-online"
WAIT_S, LAST_WAIT_S = 300.0, 20.0
"""After a failure to send, so long nothing is sent; and at the end of a run."""
WORKSPACE_S = 30.0
AT_ONCE = 16
"""Runs that one program sends."""


class WandbLog:
    """Writes and sends trials and the summary, each once.

    not_sent: why the last sending failed; None if it did not.
    """

    def __init__(self, spec: Spec, ledger: Ledger, tracked: Tracked, local: Path, upload: Callable[[], None]) -> None:
        self._spec, self._ledger, self._tracked, self._upload = spec, ledger, tracked, upload
        self.children = Children()
        self._runs = WandbRuns(local, spec.wandb_project, self.children)
        self._sent = f"{SENT}/{spec.wandb_project}"
        self._seen: dict[str, None] = {}
        self._failed_at = -WAIT_S
        self.not_sent: str | None = None

    def log(self, keys: Sequence[str], *, last: bool) -> None:
        """Write the finished trials `keys` that are not written, then send what is not sent, if it is to be sent.

        last: nothing will follow; a failure to send is tried again. Raises ChildFailed where a trial cannot be written.
        """
        new = [self._content(key) for key in self._tracked.lacking(WRITTEN, keys)]
        if new:
            self._write(new)
            self._tracked.note(WRITTEN, [run.id for run in new])
        self._seen |= dict.fromkeys(keys)
        wait_s = LAST_WAIT_S if last else WAIT_S
        if self._spec.wandb == "online" and time.monotonic() >= self._failed_at + wait_s:
            self._send_all(self._tracked.lacking(self._sent, self._seen))

    def log_summary(self, crops: Folder, keys: Sequence[str]) -> None:
        """The comparison of the finished trials `keys` as it stands, where it is not what was logged last.

        Raises ChildFailed.
        """
        records = self._ledger.read_all(keys)
        if not records:
            return
        photos = {}
        if self._spec.wandb_images:
            predictions = self._ledger.read_predictions(records)
            photos = wrong_photos(predictions, crops, records[0]["data_fingerprint"])
        run = summary_content(self._ledger.run_folder, records, photos)
        if self._tracked.other("summary", WRITTEN) != run.fingerprint:
            self._write([run])
            self._tracked.note_other("summary", WRITTEN, run.fingerprint)
        if self._spec.wandb == "online" and self.not_sent is None:
            self._send_summary(run)

    def _content(self, key: str) -> RunContent:
        record = self._ledger.read(key)
        return trial_content(record, self._ledger.read_predictions([record]))

    def _write(self, runs: Sequence[RunContent]) -> None:
        self._runs.write(runs)
        self._upload()

    def _send_all(self, keys: Sequence[str]) -> None:
        """Send these trials, one and then some at a time, up to the first that does not arrive."""
        self.not_sent = None
        chunks = [keys[:1], *(keys[start : start + AT_ONCE] for start in range(1, len(keys), AT_ONCE))]
        try:
            for chunk in chunks if keys else ():
                self._send_trials([self._content(key) for key in chunk])
        except ChildFailed as failed:
            self._failed_at, self.not_sent = time.monotonic(), str(failed)

    def _send_trials(self, runs: Sequence[RunContent]) -> None:
        self._write_again(runs)
        try:
            self._runs.send(runs)
        finally:
            self._tracked.note(self._sent, [run.id for run in runs if self._runs.is_sent(run)])

    def _write_again(self, runs: Sequence[RunContent]) -> None:
        """Those that were cleaned away, or that an earlier call wrote for a remote run folder."""
        gone = [run for run in runs if not self._runs.has(run)]
        if gone:
            self._write(gone)

    def _send_summary(self, run: RunContent) -> None:
        try:
            if self._tracked.other("summary", self._sent) != run.fingerprint:
                self._write_again([run])
                self._runs.send([run])
                self._tracked.note_other("summary", self._sent, run.fingerprint)
            self._save_workspace(run)
        except ChildFailed as failed:
            self.not_sent = str(failed)

    def _save_workspace(self, run: RunContent) -> None:
        """Save the workspace where its panels are not those that were saved last; a saved one is updated."""
        asked = {
            "project": self._spec.wandb_project,
            "spec_hash": run.config["spec_hash"],
            "tables": list(run.tables),
            "pictures": list(run.pictures),
        }
        earlier = self._tracked.other("workspace", self._sent) or {}
        if earlier.get("asked") == asked:
            return
        given = asked | {name: earlier[name] for name in ("id", "name") if name in earlier}
        command = [sys.executable, "-m", "orchestrator.tracking.workspace"]
        output = self.children.run(command, given=json.dumps(given), timeout_s=WORKSPACE_S, online=True)
        saved = next((line for line in output.splitlines() if line.startswith(SAVED)), None)
        if saved is None:
            raise ChildFailed(f"the workspace was not saved: {reason_in(output)}")
        self._tracked.note_other("workspace", self._sent, json.loads(saved.removeprefix(SAVED)) | {"asked": asked})
