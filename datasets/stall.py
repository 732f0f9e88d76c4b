"""Says that cropping waits, and for what, where a cluster has no place for a single cropping worker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import ray

STALLED_AFTER_S = 30.0


class StallWatch:
    """While in its block, asks `missing` whenever nothing has arrived for `after_s` seconds, and says the answer.

    `missing` returns what is waited for, or None where work is under way. It runs in a thread of its own, since the
    caller waits in Ray for the next batch.
    """

    def __init__(
        self, say: Callable[[str], None], missing: Callable[[], str | None], *, after_s: float | None = None
    ) -> None:
        self._say, self._missing = say, missing
        self._after_s = STALLED_AFTER_S if after_s is None else after_s
        self._since = time.monotonic()
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="stall-watch", daemon=True)

    def __enter__(self) -> Self:
        self._since = time.monotonic()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left.set()
        self._thread.join()

    def arrived(self) -> None:
        """Something came: the wait begins anew."""
        self._since = time.monotonic()

    def _watch(self) -> None:
        while not self._left.wait(self._after_s / 10):
            if time.monotonic() - self._since < self._after_s:
                continue
            self._since = time.monotonic()
            missing = self._missing()
            if missing is not None:
                self._say(f"No photo has been cropped for {self._after_s:g} s: {missing}")


def missing_worker(class_name: str, num_cpus: float, num_gpus: float) -> str | None:
    """What keeps every cropping actor of this job from starting; None if one runs, or if Ray does not say."""
    from ray._private.state import actors  # the public list of actors needs the dashboard

    try:
        job = ray.get_runtime_context().get_job_id()
        alive = actors(actor_state_name="ALIVE").values()
        if any(actor["JobID"] == job and class_name in actor["ActorClassName"] for actor in alive):
            return None
        offered = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        free = ray.available_resources()
    except Exception:  # the cluster is in trouble, of which the pipeline itself will say more
        return None
    worker = _amount(num_cpus, "core") + (f" and {_amount(num_gpus, 'GPU')}" if num_gpus else "")
    if not any(node.get("CPU", 0) >= num_cpus and node.get("GPU", 0) >= num_gpus for node in offered):
        return f"waiting for a machine with {worker} for a cropping worker. None has joined."
    return (
        f"waiting for a cropping worker to start, which needs {worker}. "
        f"Free: {_amount(free.get('CPU', 0), 'core')} and {_amount(free.get('GPU', 0), 'GPU')}."
    )


def _amount(count: float, noun: str) -> str:
    return f"{count:g} {noun}{'' if count == 1 else 's'}"
