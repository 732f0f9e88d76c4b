"""The values that the study reports (paper.yaml), typed, so that every table can print them beside ours."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Literal

from datasets.config import Config
from orchestrator.printed import Change, Count, CountFromOne, Positive, Share, load_printed

SelectedOn = Literal["reported", "held_out", "unknown"]
"""Photos on which the best epoch was chosen: the very photos that are reported, others, or the study does not say."""


class PaperData(Config):
    """The photos of the study, by class."""

    name: str
    """The public set."""
    train: dict[str, int]
    """Photos a class in Train/."""
    test: dict[str, int]
    """Photos a class in Test/."""


class Detection(Config):
    """How many faces were found."""

    photos: CountFromOne
    """Photos looked at."""
    faces: Count
    """Photos with a face found."""


class Convergence(Config):
    """One row of Table 2."""

    accuracy: Share
    """Best validation accuracy."""
    epoch_to_threshold: int
    """First epoch, counted from 1, at or above the threshold."""
    minutes: Positive
    """Training time."""


class ConvergenceTable(Config):
    """Table 2."""

    threshold: Share
    """Validation accuracy to be reached."""
    time_reduction: Share
    """Share of the end-to-end training time that staged training saved."""
    rows: dict[str, Convergence]
    """By condition."""


class ClassScores(Config):
    """One row of Table 3."""

    precision: Share
    """Share of the predictions of the class that are right."""
    recall: Share
    """Share of the photos of the class that are found."""
    f1: Share
    """Harmonic mean of the two."""


class Assumption(Config):
    """One row of Table 5."""

    claim: str
    """What is assumed, in short."""
    evidence: str
    """What the study gives for it."""
    verdict: str
    """The study's own verdict."""


class Paper(Config):
    """Everything that is reported. Shares are in [0, 1]."""

    title: str
    """Title of the study, shortened."""
    year: int
    """Year of publication."""
    licence: str
    """Licence of its text."""
    data: PaperData
    """Its photos."""
    detection: Detection
    """Its faces."""
    seeds: int
    """Trainings a condition."""
    selected_on: SelectedOn
    """Photos on which the best epoch was chosen."""
    table1: dict[str, Share]
    """Best validation accuracy, by condition, in the order of its rows."""
    approximate: tuple[str, ...]
    """Conditions whose accuracy the study marks with a tilde."""
    excluded: dict[str, tuple[str, ...]]
    """Classes that a condition of Table 1 leaves out, in training and in its accuracy."""
    table2: ConvergenceTable
    """Convergence."""
    table3: dict[str, ClassScores]
    """Scores of the proposed condition, by class."""
    table4: dict[str, Change]
    """Drop in accuracy, by the condition that leaves a component out."""
    table5: dict[str, Assumption]
    """Assumptions A1 to A4."""

    def class_scores(self, label: str) -> ClassScores | None:
        """Table 3's row of a class, whatever the letter case of its name."""
        by_name = {name.casefold(): scores for name, scores in self.table3.items()}
        return by_name.get(label.casefold())


@cache
def load_paper() -> Paper:
    """The reported values, read from the package once."""
    text = resources.files("orchestrator").joinpath("paper.yaml").read_text(encoding="utf-8")
    return Paper.model_validate(load_printed(text))
