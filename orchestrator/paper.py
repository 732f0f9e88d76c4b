"""The values that the study reports (paper.yaml), typed, so that every table can print them beside ours."""

from __future__ import annotations

from functools import cache
from importlib import resources

import yaml

from datasets.config import Config


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

    photos: int
    """Photos looked at."""
    faces: int
    """Photos with a face found."""


class Convergence(Config):
    """One row of Table 2."""

    accuracy: float
    """Best validation accuracy."""
    epoch_to_threshold: int
    """First epoch, counted from 1, at or above the threshold."""
    minutes: float
    """Training time."""


class ConvergenceTable(Config):
    """Table 2."""

    threshold: float
    """Validation accuracy to be reached."""
    time_reduction: float
    """Share of the end-to-end training time that staged training saved."""
    rows: dict[str, Convergence]
    """By condition."""


class ClassScores(Config):
    """One row of Table 3."""

    precision: float
    """Share of the predictions of the class that are right."""
    recall: float
    """Share of the photos of the class that are found."""
    f1: float
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
    table1: dict[str, float]
    """Best validation accuracy, by condition, in the order of its rows."""
    table2: ConvergenceTable
    """Convergence."""
    table3: dict[str, ClassScores]
    """Scores of the proposed condition, by class."""
    table4: dict[str, float]
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
    return Paper.model_validate(yaml.safe_load(text))
