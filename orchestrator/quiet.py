"""Keeps the chatter of Ray's processes and libraries off the terminal, and in a file in case it is wanted."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

LOG_FILE = "ray.log"
_LAST_WORDS = (
    "facet: This process was ended from outside, or lost its Ray, or the memory was full. What is finished is kept; "
    "the same command goes on from there. What Ray wrote: {}"
)


def own_stderr() -> IO[str]:
    """A stream to today's stderr that goes on reaching it while `quiet` holds."""
    try:
        return os.fdopen(os.dup(sys.stderr.fileno()), "w", buffering=1, encoding="utf-8", errors="replace")
    except (OSError, ValueError, AttributeError):  # no real file behind it, as in a notebook
        return sys.stderr


def log_path() -> str:
    """Where `quiet` sends the chatter of this process."""
    return os.path.join(tempfile.gettempdir(), f"facet-{os.getpid()}-{LOG_FILE}")


@contextmanager
def quiet(enabled: bool) -> Iterator[str]:
    """Send what this process and its C++ threads write to stdout and stderr into a file; the file's path.

    Python's tracebacks are not lost: an exception leaves the block before it is printed.
    """
    path = log_path()
    if not enabled:
        yield path
        return
    sys.stdout.flush()
    sys.stderr.flush()
    kept = {number: os.dup(number) for number in (1, 2)}
    with open(path, "ab") as log:
        for number in kept:
            os.dup2(log.fileno(), number)
    try:
        with _last_words(_LAST_WORDS.format(path), kept[2]):
            yield path
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, copy in kept.items():
            os.dup2(copy, number)
            os.close(copy)


@contextmanager
def _last_words(text: str, stream: int) -> Iterator[None]:
    """Have a shell write `text` to the file descriptor `stream` if this process ends inside the block.

    Ray's C++ threads end a process whose raylet is gone, and the system ends one that takes too much memory, both
    without a word and without a chance for Python to say one.
    """
    script = ["sh", "-c", 'read -r left || printf "%s\\n" "$1" >&2', "sh", text]
    try:
        heir = subprocess.Popen(script, stdin=subprocess.PIPE, stderr=stream, start_new_session=True)
    except OSError:
        yield
        return
    try:
        yield
    finally:
        with suppress(OSError):
            heir.communicate(b"\n")
