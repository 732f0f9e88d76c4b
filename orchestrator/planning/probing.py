"""Starts the processes of a probe, early, since their libraries take seconds to load, and asks them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from orchestrator.planning.measured import Need, ProbeRequest, Timings

MOST_PROCESSES = 4
"""More than that at once would tell little more about how trials slow each other down."""
LIMIT_S = 120.0
_COMMAND = (sys.executable, "-P", "-m", "orchestrator.planning.probe")
_ROOT = Path(__file__).resolve().parents[2]


class ProbeError(Exception):
    """A probe that gave no answer; the text says why, and follows `since`."""


@dataclass(frozen=True)
class Probed:
    """What a probe found. `start_s`: until the first process was ready, from its start to its first step's end."""

    timings: tuple[Timings, ...]
    """One a process, all at work at once."""
    start_s: float

    @property
    def need(self) -> Need:
        """Of the process that needed most."""
        return max((timings.need for timings in self.timings), key=lambda need: need.own)

    @property
    def num_steps(self) -> int:
        """How many steps were timed."""
        return sum(len(steps.wall_s) for timings in self.timings for steps in timings.steps)


class Probes:
    """Processes that wait for a request; a context manager, which leaves none behind."""

    def __init__(self, count: int, command: Sequence[str] = _COMMAND) -> None:
        self._command, self._started = command, time.monotonic()
        self._said = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        self._processes = [self._start() for _ in range(min(count, MOST_PROCESSES))]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            self._end(process)
        self._said.close()

    def ask(self, requests: Sequence[ProbeRequest], room: Callable[[Need], int]) -> Probed:
        """Warm the first process up; then time as many at once as `room` says its need leaves room for.

        requests: one a process wanted, alike but for the device. Raises ProbeError.
        """
        timer = threading.Timer(LIMIT_S, self._end_all)
        timer.start()
        try:
            first, *others = self._processes[: len(requests)]
            self._write(first, requests[0].model_dump_json())
            need = Need.model_validate_json(self._read(first))
            start_s = time.monotonic() - self._started
            at_work = [first, *others[: max(0, room(need) - 1)]]
            for process, request in zip(at_work[1:], requests[1:], strict=False):
                self._write(process, request.model_dump_json())
            for process in at_work[1:]:
                self._read(process)
            for process in at_work:
                self._write(process, "go")
            return Probed(tuple(Timings.model_validate_json(self._read(process)) for process in at_work), start_s)
        finally:
            timer.cancel()

    def _start(self) -> subprocess.Popen[str]:
        paths = os.pathsep.join([str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        return subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            env=os.environ | {"PYTHONPATH": paths, "PYTHONWARNINGS": "ignore"},
            start_new_session=True,  # Ctrl-C is the planner's, which ends them
        )

    def _write(self, process: subprocess.Popen[str], line: str) -> None:
        assert process.stdin is not None
        with suppress(OSError):  # it has ended: what it said is read next
            process.stdin.write(line + "\n")
            process.stdin.flush()

    def _read(self, process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise ProbeError(self._why(process))
        return line

    def _why(self, process: subprocess.Popen[str]) -> str:
        code = process.wait()
        self._said.seek(0)
        said = [line.strip() for line in self._said.read().splitlines() if line.strip()]
        if code < 0 and time.monotonic() - self._started > LIMIT_S:
            return f"a probe of a few steps took longer than {LIMIT_S:g} s"
        return f"the probe ended with code {code}" + (f" ({said[-1]})" if said else "")

    def _end_all(self) -> None:
        for process in self._processes:
            process.kill()

    def _end(self, process: subprocess.Popen[str]) -> None:
        process.kill()
        for stream in (process.stdin, process.stdout):
            assert stream is not None
            with suppress(OSError):  # what was still to be written has no reader
                stream.close()
        process.wait()
