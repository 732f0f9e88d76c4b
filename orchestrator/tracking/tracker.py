"""What is finished goes from the ledger to the trackers, in a thread of the driver: none can slow or stop a trial.

The ledger stays the primary record. Nothing but numbers, names of conditions and settings is logged: no photo, no path.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from datasets.folder import Folder
from orchestrator.ledger import Ledger
from orchestrator.spec import Spec
from orchestrator.tracking.place import Place
from orchestrator.tracking.tensorboard_log import log_to_tensorboard
from orchestrator.tracking.tracked import Tracked
from orchestrator.tracking.wandb_log import SENT, WRITTEN, WandbLog

TENSORBOARD = "tensorboard"
CLOSE_TIMEOUT_S = 90.0
INTERRUPTED_TIMEOUT_S = 5.0
BATCH = 16
"""So many trials go to a tracker together, where so many wait."""


class Tracker:
    """Logs each finished trial once to each tracker, even over interrupted runs. Use as a context manager.

    `problems`: by tracker, why it lacks something. Never raises for a tracker's sake.
    """

    def __init__(self, spec: Spec, ledger: Ledger, keys: Iterable[str]) -> None:
        self._ledger, self._keys = ledger, tuple(keys)
        self._place, self._tracked = Place(ledger.run_folder), Tracked(ledger.run_folder)
        self._tensorboard = spec.tensorboard
        self._wandb: WandbLog | None = None
        if spec.wandb != "off":
            self._wandb = WandbLog(spec, ledger, self._tracked, self._place.local, self._place.upload)
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
        timeout_s = CLOSE_TIMEOUT_S if kind is None else INTERRUPTED_TIMEOUT_S
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            if self._wandb is not None:
                self._wandb.children.stop()
            self.problems["tracking"] = f"not finished after {timeout_s:g} s; the next call goes on"

    def trial_done(self, key: str) -> None:
        """Log a trial that is now in the ledger."""
        self._pending.put(key)

    def log_summary(self, crops: Folder) -> dict[str, str]:
        """Log the comparison to W&B, after the report is written; the lines to add to the closing summary.

        crops: the set of crops of the study, of which nothing is read unless photos are to be sent.
        """
        if self._wandb is None or self._thread.is_alive() or WRITTEN in self.problems:
            return {}
        before = dict(self.problems)
        self._guarded(WRITTEN, partial(self._wandb.log_summary, crops, self._keys))
        self._note_sending()
        return {f"Not tracked ({name})": text for name, text in self.problems.items() if before.get(name) != text}

    def _work(self) -> None:
        last = False
        while not last:
            keys, last = self._next()
            finished = [key for key in keys if self._ledger.has(key)]  # others will be logged by a later call
            if self._tensorboard:
                self._guarded(TENSORBOARD, partial(self._log_to_tensorboard, finished))
            if self._wandb is not None:
                self._guarded(WRITTEN, partial(self._log_to_wandb, self._wandb, finished, last))

    def _next(self) -> tuple[list[str], bool]:
        """What waits, at least one and at most BATCH trials, and whether it is all there will ever be."""
        keys: list[str] = []
        while len(keys) < BATCH:
            try:
                key = self._pending.get(block=not keys)
            except queue.Empty:
                break
            if key is None:
                return keys, True
            keys.append(key)
        return keys, False

    def _guarded(self, name: str, log: Callable[[], None]) -> None:
        if name in self.problems:
            return
        try:
            log()
        except Exception as error:  # whatever a tracker raises, the run goes on
            self.problems[name] = (str(error) or type(error).__name__).splitlines()[0][:200]

    def _log_to_tensorboard(self, keys: Sequence[str]) -> None:
        for key in self._tracked.lacking(TENSORBOARD, keys):
            log_to_tensorboard(self._ledger.read(key), self._place.local)
            self._place.upload()
            self._tracked.note(TENSORBOARD, [key])

    def _log_to_wandb(self, log: WandbLog, keys: Sequence[str], last: bool) -> None:
        log.log(keys, last=last)
        self._note_sending()

    def _note_sending(self) -> None:
        """Sending is tried again, so its problem may pass."""
        self.problems.pop(SENT, None)
        if self._wandb is not None and self._wandb.not_sent is not None:
            text = "runs wait in wandb/, and the next call sends them"
            self.problems[SENT] = f"{self._wandb.not_sent}; {text}"
