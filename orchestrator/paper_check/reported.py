"""What a study reports, in the form that the checks read. All parts are optional; docs/check-paper.md explains each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, model_validator

from datasets.config import Config
from orchestrator.paper import Detection, SelectedOn
from orchestrator.paper_check.tables import ClassTable, Confusion, Convergence, Drops, Name, Row, Scores
from orchestrator.printed import MOST_PHOTOS, Count, CountFromOne


class Reported(Config):
    """A study's reported values. Accuracies are counted on `scored_split`."""

    title: str = "A study"
    """Its title."""
    counts: dict[Name, Annotated[dict[Name, Count], Field(min_length=1)]] = Field(default_factory=dict)
    """Photos by split and class."""
    scored_split: Name | None = None
    """Split that is reported; by default test, or the only one."""
    photos: CountFromOne | None = None
    """Photos of all splits, as stated."""
    detection: Detection | None = None
    """Faces found."""
    rows: dict[Name, Row] = Field(default_factory=dict)
    """Accuracies."""
    class_scores: ClassTable | None = None
    """Scores by class."""
    confusion: Confusion | None = None
    """Confusion matrix."""
    convergence: Convergence | None = None
    """Epochs and time."""
    drops: Drops | None = None
    """Ablation."""
    seeds: CountFromOne | None = None
    """Trainings of each row, under seeds of their own."""
    epochs: CountFromOne | None = None
    """Epochs of which the best was taken."""
    selected_on: SelectedOn | None = None
    """Photos on which the best epoch was chosen."""

    @property
    def scored_counts(self) -> dict[str, int]:
        """Photos of the scored split, by class; empty where no counts are given."""
        split = self.scored_split or ("test" if "test" in self.counts else next(iter(self.counts), None))
        return self.counts[split] if split is not None else {}

    def counts_of(self, name: str) -> dict[str, int]:
        """Scored photos of a row, by class; empty where the counts do not tell, as they do not if some are left out."""
        row = self.rows[name]
        counts = {label: count for label, count in self.scored_counts.items() if label not in row.without}
        total = sum(counts.values())
        return counts if total and row.photos in (None, total) else {}

    def photos_of(self, name: str) -> int:
        """Scored photos of a row; 0 where they are not known."""
        return self.rows[name].photos or sum(self.counts_of(name).values())

    @model_validator(mode="after")
    def _few_enough(self) -> Self:
        total = sum(sum(counts.values()) for counts in self.counts.values())
        if total > MOST_PHOTOS:
            raise ValueError(
                f"`counts` holds {total} photos altogether; at most {MOST_PHOTOS} can be checked. Give the reported "
                "split alone."
            )
        return self

    @model_validator(mode="after")
    def _scored_split_is_there(self) -> Self:
        if self.scored_split is not None and self.scored_split not in self.counts:
            raise ValueError(f"`scored_split` is a split of `counts` ({_all(self.counts)}), got `{self.scored_split}`.")
        if len(self.counts) > 1 and self.scored_split is None and "test" not in self.counts:
            raise ValueError(f"`scored_split` says which of the splits ({_all(self.counts)}) is reported. Give it.")
        return self

    @model_validator(mode="after")
    def _rows_are_there(self) -> Self:
        named = [("class_scores.of", self.class_scores), ("confusion.of", self.confusion), ("drops.of", self.drops)]
        references = [(field, part.of) for field, part in named if part is not None]
        if self.convergence is not None:
            references += [("convergence.rows", name) for name in self.convergence.rows]
            saved = self.convergence.time_reduction
            pair = [] if saved is None else [("of", saved.of), ("against", saved.against)]
            references += [(f"convergence.time_reduction.{end}", name) for end, name in pair]
        for field, name in references:
            if name not in self.rows:
                raise ValueError(f"`{field}` names a row of `rows` ({_all(self.rows)}), got `{name}`.")
        return self

    @model_validator(mode="after")
    def _classes_are_there(self) -> Self:
        classes = {f"rows.{name}.without": row.without for name, row in self.rows.items()}
        if self.class_scores is not None:
            classes["class_scores.scores"] = tuple(self.class_scores.scores)
        if self.confusion is not None:
            classes["confusion.classes"] = self.confusion.classes
        known = self.scored_counts
        for field, names in classes.items():
            unknown = [name for name in names if name not in known]
            if known and unknown:
                raise ValueError(f"`{field}` names classes of `counts` ({_all(known)}), got `{unknown[0]}`.")
        return self

    @model_validator(mode="after")
    def _classes_are_scored(self) -> Self:
        tables = [(table.of, table.scores) for table in (self.class_scores,) if table is not None]
        tables += [
            (table.of, dict.fromkeys(table.classes, Scores())) for table in (self.confusion,) if table is not None
        ]
        for name, scores in tables:
            both = [label for label in scores if label in self.rows[name].without]
            if both:
                raise ValueError(f"Class `{both[0]}` has scores of the row `{name}`, whose `without` leaves it out.")
        for name, row in self.rows.items():
            if self.scored_counts and not set(self.scored_counts) - set(row.without):
                raise ValueError(f"`rows.{name}.without` leaves out every class. Name those that are not scored.")
        return self


def _all(names: Mapping[str, object]) -> str:
    return ", ".join(names) or "none given"
