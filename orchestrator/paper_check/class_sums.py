"""What scores by class say of the photos of a row: how many are right, and how many answers each class has."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.paper_check.tables import Scores
from orchestrator.paper_check.whole_numbers import neighbours, possible_answers, possible_right
from orchestrator.paper_check.words import span


@dataclass(frozen=True)
class Span:
    """A whole number of photos known within bounds."""

    least: int
    most: int

    def __str__(self) -> str:
        return span(self.least, self.most)


def right_of_class(scores: Scores, count: int) -> Span:
    """Right photos of a class; where no whole number has this recall, those beside it."""
    possible = possible_right(scores, count)
    beside = possible or neighbours(scores.recall or 0.0, count)
    return Span(beside[0], beside[-1])


def right_of(scores: dict[str, Scores], counts: dict[str, int]) -> Span:
    """Right photos of all classes in `counts`; of a class without a recall none to all."""
    parts = [right_of_class(scores.get(label, Scores()), count) for label, count in counts.items()]
    return Span(sum(part.least for part in parts), sum(part.most for part in parts))


def answers_of(scores: Scores, count: int, total: int) -> Span | None:
    """Answers of a class with `count` of `total` photos; None where no whole numbers have its scores."""
    possible = possible_answers(scores, count, total)
    return Span(min(part.least for part in possible), max(part.most for part in possible)) if possible else None
