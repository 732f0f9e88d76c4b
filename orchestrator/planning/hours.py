"""How long the trials that are left will take, at so many at a time."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.planning.pace import Pace, Seconds
from orchestrator.planning.sizes import Sizes
from orchestrator.progress import duration
from trainables.job import TrialJob


@dataclass(frozen=True)
class Hours:
    """What is left to compute. `span`: by the clock; None where it is not estimated, for the reason `why`."""

    span: Seconds | None
    training_s: float = 0.0
    """Seconds of all trials together."""
    crop_s: float | None = None
    """Part of `span` that cropping takes; None where that is not known, 0 where there is nothing to crop."""
    source: str = ""
    why: str = ""
    busy: bool = False

    def describe(self) -> str:
        """One line."""
        if self.span is None:
            return self.why
        low, likely, high = (rough(seconds) for seconds in self.span)
        text = f"about {likely}" + (f" ({low} to {high})" if low != high else "") + f", from {self.source}"
        if self.busy:
            text += " (slowed by other programs meanwhile, so maybe less)"
        if self.crop_s is None:
            return text + "; not counted: cropping, the audit and the report"
        cropping = f"; {rough(self.crop_s)} of it cropping" if self.crop_s else ""
        return text + cropping + "; not counted: the audit and the report"


def estimate_hours(todo: Iterable[TrialJob], sizes: Sizes, pace: Pace, *, places: int, crop_s: float | None) -> Hours:
    """Trials in their order, each on the first of `places` that is free, after cropping."""
    trials = []
    for job in todo:
        rows = sizes.of(job)
        if rows is None:
            continue  # its protocol will be left out
        seconds = pace.trial(job, rows)
        if seconds is None:
            return Hours(None, why=f"not estimated: nothing like `{job.name}` was measured")
        trials.append(seconds)
    ends = [makespan(column, places, start_s=pace.place_s) for column in zip(*trials, strict=True)] or [0.0] * 3
    span = Seconds(*(end + (crop_s or 0.0) for end in ends))
    training_s = sum(seconds.likely for seconds in trials)
    return Hours(span, training_s, crop_s, source=pace.source, busy=pace.busy)


def makespan(seconds: Iterable[float], places: int, *, start_s: float = 0.0) -> float:
    """When the last of these tasks ends, each taken in its order by the first place that is free.

    A place is ready after `start_s`.
    """
    free_at = [start_s] * places
    last = 0.0
    for task_s in seconds:
        end = heapq.heappop(free_at) + task_s
        heapq.heappush(free_at, end)
        last = max(last, end)
    return last


def rough(seconds: float) -> str:
    """`40 s`, `8 min`, `2 h 10 min`: with no more digits than an estimate has."""
    if seconds < 55:
        return duration(max(5, 5 * round(seconds / 5)))
    if seconds < 3600 - 30:
        return f"{max(1, round(seconds / 60))} min"
    if seconds < 36000:
        return duration(600 * round(seconds / 600)).replace(" 00 min", "")
    return f"{round(seconds / 3600)} h"
