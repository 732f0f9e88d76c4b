"""W&B's library runs in programs of its own, with a time limit each, so that no network can hold up a run."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress

SAVED = "saved-workspace "
"""Begins the line in which orchestrator/tracking/workspace.py tells the id and the name of what it saved."""
_ACCESS = ("WANDB_API_KEY", "WANDB_BASE_URL", "WANDB_ENTITY", "WANDB_IDENTITY_TOKEN_FILE", "WANDB_CREDENTIALS_FILE")
_LIMITS = {
    "WANDB_HTTP_TIMEOUT": "10",
    "WANDB__GRAPHQL_RETRY_MAX": "2",
    "WANDB__FILE_STREAM_RETRY_MAX": "2",
    "WANDB__FILE_TRANSFER_RETRY_MAX": "2",
}
_STOPPED = "stopped before it was done"
_REFUSED = re.compile(r"not authenticated|\b40[13]\b|permission|api key", re.IGNORECASE)
_UNREACHABLE = re.compile(r"connection refused|no such host|timeout|deadline exceeded|giving up", re.IGNORECASE)
_HIDDEN = re.compile(r"\w+://\S+|(?<!\w)[/~]\S+|\b\w{32,}\b")


class ChildFailed(Exception):
    """A program did not do its work; the message is fit for the summary: no address, no path."""


class Children:
    """Runs one program at a time, in the thread that asks; any thread may end it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._stopped = False

    def run(self, command: Sequence[str], *, given: str = "", timeout_s: float, online: bool) -> str:
        """All that the program writes, whatever its exit status. given: its standard input. It runs in an empty folder.

        online: whether it may know how to reach W&B. Raises ChildFailed when the time is over, or after `stop`.
        """
        with (
            tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as cwd,
            self._start(command, cwd, online) as process,
        ):
            try:
                output, _ = process.communicate(given, timeout=timeout_s)
            except subprocess.TimeoutExpired:
                raise ChildFailed(f"no answer within {timeout_s:g} s") from None
            finally:
                _end(process)  # and what it started
        if self._stopped:
            raise ChildFailed(_STOPPED)
        return output

    def _start(self, command: Sequence[str], cwd: str, online: bool) -> subprocess.Popen[str]:
        with self._lock:
            if self._stopped:
                raise ChildFailed(_STOPPED)
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                cwd=cwd,
                env=child_environment(os.environ, online=online) | {"WANDB_CACHE_DIR": cwd, "WANDB_DATA_DIR": cwd},
                start_new_session=True,
            )
            return self._process

    def stop(self) -> None:
        """End what runs, and let nothing start any more."""
        with self._lock:
            self._stopped = True
            if self._process is not None and self._process.poll() is None:
                _end(self._process)


def child_environment(variables: dict[str, str] | os._Environ[str], *, online: bool) -> dict[str, str]:
    """`variables` with none of W&B's but those that a run may depend on; the key only where it is needed."""
    kept = ("WANDB_CONFIG_DIR", *(_ACCESS if online else ()))
    plain = {name: value for name, value in variables.items() if not name.startswith("WANDB_") or name in kept}
    return (
        plain
        | _LIMITS
        | {
            "WANDB_PROGRAM": "facet",  # else the path of the program would be sent
            "WANDB_ERROR_REPORTING": "false",
            "NO_COLOR": "1",
        }
    )


def reason_in(output: str) -> str:
    """Why a program failed, in a few words: no address, no path and no key."""
    if _REFUSED.search(output):
        return "the server does not accept the key, or not for this project"
    if _UNREACHABLE.search(output):
        return "the server cannot be reached"
    lines = [line for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    last = ["it said nothing", *lines, *errors][-1]
    return " ".join(_HIDDEN.sub("...", last).split())[:160]


def _end(process: subprocess.Popen[str]) -> None:
    with suppress(OSError):  # it is over
        os.killpg(process.pid, signal.SIGKILL)
