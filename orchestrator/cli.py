"""The command line: `facet run`, `plan`, `crop`, `audit`, `check-paper`, `report`, `compare` and others."""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from datasets.errors import FailedError, FindingsError, UserError
from orchestrator.cli_parser import complain, make_parser
from orchestrator.exit_codes import EXIT_FAILED, EXIT_FINDINGS, EXIT_INTERRUPTED, EXIT_UNREAD, EXIT_USER
from orchestrator.quiet import log_path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code: 0 done, 1 failed, 2 a user's mistake, 3 findings, 130 interrupted.

    141, without a word, where whoever reads the output has stopped, as `head` does.
    """
    try:
        try:
            return _main(arguments)
        finally:  # also after --help, which leaves by SystemExit
            sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what Python still writes when it ends
        return EXIT_UNREAD


def _main(arguments: Sequence[str] | None) -> int:
    signal.signal(signal.SIGTERM, _interrupt)
    options, unknown = make_parser().parse_known_args(arguments)
    if unknown:
        options.parser.reject(unknown[0])
    try:
        return options.command(options)
    except UserError as error:
        complain(str(error))
        return EXIT_USER
    except FindingsError as error:
        complain(str(error))
        return EXIT_FINDINGS
    except FailedError as error:
        complain(str(error))
        if os.path.exists(log_path()):
            complain(f"What Ray wrote: {log_path()}")
        return EXIT_FAILED
    except OSError as error:
        if isinstance(error, BrokenPipeError) and _nobody_reads():
            raise
        complain(f"{error}. What is finished is kept: mend that, and give the same command again.")
        return EXIT_FAILED
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not break the clean-up
        complain("Interrupted. Finished trials are kept; the same command goes on from there.")
        return EXIT_INTERRUPTED
    finally:
        _leave_ray()


def _nobody_reads() -> bool:
    """Whether it is the pipe behind stdout that is broken, and not one to some other program."""
    waiting = select.poll()
    waiting.register(sys.stdout.fileno(), 0)
    return any(event & select.POLLERR for _, event in waiting.poll(0))


def _interrupt(signum: int, frame: Any) -> NoReturn:
    raise KeyboardInterrupt


def _leave_ray() -> None:
    ray = sys.modules.get("ray")
    if ray is not None and ray.is_initialized():
        ray.shutdown()


if __name__ == "__main__":
    sys.exit(main())
