"""The live view: photos cropped, trials done, running and left, the best so far, the time left."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from orchestrator.quiet import own_stderr

if TYPE_CHECKING:  # it imports torch and timm, which cropping does without
    from trainables.job import Cell

LINE_EVERY_S = 15.0
"""How often a line is written where there is no terminal to draw on."""


class LiveView:
    """A bar on a terminal, a line now and then elsewhere. Everything goes to stderr."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(file=own_stderr(), highlight=False)
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self._console,
        )
        self._note = Text(overflow="fold")
        view = Group(self._bars, self._note)
        self._live = Live(
            view, console=self._console, refresh_per_second=4, redirect_stdout=False, redirect_stderr=False
        )
        self._counts = _TrialCounts()
        self._said_at = 0.0

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def say(self, text: str) -> None:
        """One line of news."""
        self._console.print(text, markup=False, soft_wrap=True)

    def counter(self, title: str, unit: str) -> Counter:
        """A view of one count, such as photos cropped."""
        return Counter(self, title, unit)

    def start_trials(self, *, total: int, finished: int, epochs: int) -> None:
        """Begin to show the grid: `total` trials of `epochs` epochs, some `finished` by earlier calls."""
        self._counts = _TrialCounts(total=total, done=finished, epochs=epochs, started_at=time.monotonic())
        self._trial_task = self._bars.add_task("Training (epochs)", total=(total - finished) * epochs)
        self._show_trials(force=True)

    def trial_started(self, cell: Cell) -> None:
        """A trial begins."""
        self._counts.running[cell] = 0
        self._show_trials()

    def epoch_done(self, cell: Cell, epoch: int, wall_s: float) -> None:
        """A trial reported an epoch."""
        self._counts.running[cell] = epoch + 1
        self._show_trials()

    def trial_done(self, cell: Cell, accuracy: float) -> None:
        """A trial is finished."""
        counts = self._counts
        counts.running.pop(cell, None)
        counts.done += 1
        counts.epochs_done += counts.epochs
        if accuracy > counts.best[0] and cell[1] != "grouped_kfold":  # a fold is a part of the photos
            counts.best = (accuracy, f"{cell[0]} ({cell[1]}, seed {cell[2]})")
        self._show_trials()

    def trial_failed(self, cell: Cell) -> None:
        """A trial failed for good."""
        self._counts.running.pop(cell, None)
        self._counts.failed += 1
        self.say(f"{cell[0]} ({cell[1]}, seed {cell[2]}{f', fold {cell[3]}' if cell[3] else ''}) failed.")

    def stalled(self, message: str) -> None:
        """Nothing runs."""
        self.say(message)

    def _show_trials(self, *, force: bool = False) -> None:
        counts = self._counts
        now_done = counts.epochs_done + sum(counts.running.values())
        self._bars.update(self._trial_task, completed=now_done)
        self._note.plain = counts.describe()
        self.line(f"Training: {counts.describe()}, {counts.time_left(now_done)}", force=force or counts.left == 0)

    def line(self, text: str, *, force: bool = False) -> None:
        """A line where there is no terminal, not more often than LINE_EVERY_S."""
        if self._console.is_terminal or not (force or time.monotonic() - self._said_at > LINE_EVERY_S):
            return
        self._said_at = time.monotonic()
        self.say(text)


class Counter:
    """Shows `done of total`; made by `LiveView.counter`. Call it with both numbers."""

    def __init__(self, view: LiveView, title: str, unit: str) -> None:
        self._view, self._title, self._unit = view, title, unit
        self._task = view._bars.add_task(f"{title} ({unit})", total=None, visible=False)

    def __call__(self, done: int, total: int) -> None:
        """Show both numbers."""
        self._view._bars.update(self._task, completed=done, total=total, visible=True)
        self._view.line(f"{self._title}: {done} of {total} {self._unit}", force=done == total)


class _TrialCounts:
    def __init__(self, total: int = 0, done: int = 0, epochs: int = 1, started_at: float = 0.0) -> None:
        self.total, self.done, self.failed, self.epochs = total, done, 0, epochs
        self.running: dict[Cell, int] = {}
        self.epochs_done = 0
        self.epochs_todo = (total - done) * epochs
        self.best = (-1.0, "")
        self.started_at = started_at

    @property
    def left(self) -> int:
        return max(0, self.total - self.done - self.failed - len(self.running))

    def describe(self) -> str:
        failed = f", {self.failed} failed" if self.failed else ""
        best = f", best {self.best[0]:.1%} {self.best[1]}" if self.best[1] else ""
        return f"{self.done} of {self.total} trials done, {len(self.running)} running, {self.left} left{failed}{best}"

    def time_left(self, epochs_done: int) -> str:
        if epochs_done == 0:
            return "time left unknown"
        seconds = (time.monotonic() - self.started_at) * (self.epochs_todo - epochs_done) / epochs_done
        return f"about {duration(seconds)} left"


def duration(seconds: float) -> str:
    """`45 s`, `3 min 20 s`, `2 h 05 min`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
