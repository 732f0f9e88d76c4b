"""How fast trials train, from a probe of this machine or from trials that have run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from orchestrator.ledger import Record
from orchestrator.planning.probing import Probed
from orchestrator.planning.sizes import Rows
from trainables.condition import Attention
from trainables.job import TrialJob

BUSY = 1.25
"""How much longer than of its processor a step takes by the clock where other programs take a part of it."""


class Seconds(NamedTuple):
    """What is likely, and the lowest and highest that was seen."""

    low: float
    likely: float
    high: float

    def times(self, factor: float) -> Seconds:
        """All three, scaled."""
        return Seconds(*(value * factor for value in self))

    def plus(self, other: Seconds) -> Seconds:
        """The sum, end by end."""
        return Seconds(*(one + two for one, two in zip(self, other, strict=True)))


NOTHING = Seconds(0.0, 0.0, 0.0)


class Family(NamedTuple):
    """Epochs that take alike: of conditions with the same input and attention, with a frozen backbone or without."""

    crop: bool
    attention: Attention
    head: bool


class Rate(NamedTuple):
    """Seconds a photo that is trained on, and a photo that is answered."""

    train: Seconds
    answer: Seconds


@dataclass(frozen=True)
class Pace:
    """Seconds a photo by family, and seconds that a trial, and a trial's place, take beside training."""

    rates: Mapping[Family, Rate]
    source: str
    """Where the numbers come from, in words."""
    busy: bool = False
    """Whether other programs slowed the machine while it was probed."""
    trial_s: float = 0.0
    """Seconds a trial beside its epochs."""
    place_s: float = 0.0
    """Seconds until a place's first trial starts."""

    def trial(self, job: TrialJob, rows: Rows) -> Seconds | None:
        """Seconds of a whole trial; None where nothing like it was measured."""
        total = Seconds(self.trial_s, self.trial_s, self.trial_s)
        for head, epochs in epochs_of(job).items():
            rate = self._rate(Family(job.condition.crop, job.condition.attention, head))
            if rate is None:
                return None
            total = total.plus(rate.train.times(rows.train).plus(rate.answer.times(rows.select)).times(epochs))
        return total

    def _rate(self, wanted: Family) -> Rate | None:
        """Of the family itself; else of one that differs in what costs next to nothing: crop, or a single ECA."""
        alike = [family for family in self.rates if family.head == wanted.head and _cost(family) == _cost(wanted)]
        best = max(alike, key=lambda family: (family == wanted, family.attention == wanted.attention), default=None)
        return None if best is None else self.rates[best]


def epochs_of(job: TrialJob) -> dict[bool, int]:
    """Epochs with a frozen backbone (True) and without (False)."""
    head = job.train.head_epochs if job.condition.staged else 0
    return {frozen: epochs for frozen, epochs in ((True, head), (False, job.train.epochs - head)) if epochs}


def from_probe(probed: Probed) -> Pace:
    """The pace of a probe: the median step by the clock; at best the fastest in seconds of the processor, as if nothing
    else ran, and at worst the slowest by the clock.
    """
    times: dict[tuple[Attention, bool | None], list[tuple[float, float]]] = defaultdict(list)
    for steps in (steps for timings in probed.timings for steps in timings.steps):
        kind = steps.attention, None if steps.stage is None else steps.stage == "head"
        pairs = zip(steps.wall_s, steps.compute_s, strict=True)
        times[kind] += [(wall_s / steps.rows, compute_s / steps.rows) for wall_s, compute_s in pairs]
    spreads = {kind: _spread_of_steps(pairs) for kind, pairs in times.items()}
    rates = {
        Family(False, attention, head): Rate(seconds, spreads[attention, None])
        for (attention, head), seconds in spreads.items()
        if head is not None
    }
    wall_s, compute_s = np.sum([pair for pairs in times.values() for pair in pairs], axis=0).tolist()
    at_once = len(probed.timings)
    source = f"a probe of {probed.num_steps} steps on this machine"
    source += f", {at_once} processes at once" if at_once > 1 else ""
    return Pace(rates, source, busy=wall_s > BUSY * compute_s, place_s=probed.start_s)


def from_records(records: Iterable[Record], source: str, *, trial_s: float = 0.0) -> Pace:
    """The pace of finished trials: median, and the range that holds eight in ten epochs. An epoch counts whole, so a
    photo that is trained on carries the seconds of those that are answered.
    """
    walls: dict[Family, list[float]] = defaultdict(list)
    for record in records:
        definition = record["definition"]
        for epoch in record["epochs"]:
            family = Family(definition["crop"], definition["attention"], epoch["stage"] == "head")
            walls[family].append(epoch["wall_s"] / record["num_train"])
    rates = {
        family: Rate(Seconds(*np.percentile(seconds, [10, 50, 90]).tolist()), NOTHING)
        for family, seconds in walls.items()
    }
    return Pace(rates, source, trial_s=trial_s)


def _spread_of_steps(pairs: list[tuple[float, float]]) -> Seconds:
    """Of seconds by the clock and of the processor."""
    walls, computes = zip(*pairs, strict=True)
    return Seconds(min(*computes, *walls), float(np.median(walls)), max(walls))


def _cost(family: Family) -> bool:
    """One ECA at the end costs next to nothing, one in every block does not."""
    return family.attention == "eca_blocks"
