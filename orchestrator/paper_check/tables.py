"""The parts of the reported values: a row, a table of scores, a confusion matrix, convergence, drops."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BeforeValidator, Field, StrictBool, model_validator

from datasets.config import Config
from orchestrator.printed import Change, Count, CountFromOne, Positive, Share


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Name = Annotated[str, BeforeValidator(_as_text)]


class Row(Config):
    """One row of the table of accuracies."""

    accuracy: Share
    """Share of the scored photos that are right."""
    without: tuple[Name, ...] = ()
    """Classes whose photos are not scored."""
    photos: CountFromOne | None = None
    """Photos scored, where these are not all photos of the scored split and the row's classes."""
    approximate: StrictBool = False
    """Whether the study marks the number as approximate."""


class Scores(Config):
    """Scores of one class; what is not reported is left out."""

    precision: Share | None = None
    """Share of the answers of this class that are right."""
    recall: Share | None = None
    """Share of the photos of this class that are found."""
    f1: Share | None = None
    """Harmonic mean of the two."""


class ClassTable(Config):
    """Scores by class, of one row."""

    of: Name
    """The row."""
    scores: dict[Name, Scores] = Field(min_length=1)
    """By class."""


class Confusion(Config):
    """A confusion matrix, of one row."""

    of: Name
    """The row."""
    classes: tuple[Name, ...] = Field(min_length=2)
    """Classes, in the order of the counts."""
    counts: tuple[tuple[Count, ...], ...]
    """One line a true class, one number an answer."""

    @model_validator(mode="after")
    def _square(self) -> Self:
        size = len(self.classes)
        if len(self.counts) != size or any(len(line) != size for line in self.counts):
            raise ValueError(f"`counts` with {size} lines of {size} numbers, one for each of its classes")
        if len(set(self.classes)) != size:
            raise ValueError("`classes` without repetition")
        return self


class Speed(Config):
    """Convergence of one row."""

    accuracy: Share | None = None
    """Its accuracy, as this table has it."""
    epoch_to_threshold: CountFromOne | None = None
    """First epoch at or above the threshold."""
    minutes: Positive | None = None
    """Training time (any unit, the same in all rows)."""


class TimeReduction(Config):
    """Training time that one row saves against another."""

    share: Change
    """Share of the time of `against`."""
    of: Name
    """The faster row."""
    against: Name
    """The slower row."""


class Convergence(Config):
    """The table of convergence."""

    threshold: Share | None = None
    """Accuracy to be reached."""
    time_reduction: TimeReduction | None = None
    """Time saved."""
    rows: dict[Name, Speed] = Field(default_factory=dict)
    """By row of `rows`."""


class Drops(Config):
    """Drops in accuracy when a component is left out, measured on the photos of the row `of`."""

    of: Name
    """The row with all components."""
    rows: dict[Name, Change] = Field(min_length=1)
    """Drop by what is left out; the name of a row of `rows` where that is the same model."""
