"""One trial as plain values: what is asked of it, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from trainables.condition import Condition
from trainables.recipe import ModelConfig, TrainConfig

if TYPE_CHECKING:  # torch takes seconds to import, and a study is planned without
    from torch import Tensor

FORMAT = 1
"""Raised when the same job would give other numbers: it is part of every trial's key."""
Part = tuple[str, int, int]
"""Protocol, seed, fold."""


class Cell(NamedTuple):
    """What names a trial in Tune and Optuna. `fold` is 0 where the protocol has no folds."""

    condition: str
    protocol: str
    seed: int
    fold: int

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """The cell that a ledger record, or the parameters of a trial, names."""
        return cls(*(values[name] for name in cls._fields))

    @property
    def part(self) -> Part:
        """What decides who plays which role: all but the condition."""
        return self.protocol, self.seed, self.fold


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialJob:
    """Everything that decides a trial's numbers but the photos. `key` names the trial in the ledger."""

    key: str
    name: str
    protocol: str
    seed: int
    fold: int = 0
    num_folds: int = 1
    condition: Condition
    model: ModelConfig
    train: TrainConfig
    rare_class: str

    @property
    def cell(self) -> Cell:
        """Condition, protocol, seed and fold."""
        return Cell(self.name, self.protocol, self.seed, self.fold)


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochRecord:
    """One epoch. Losses and accuracies are means a row; val_* are of the photos that the epoch is chosen on.

    wall_s: training and evaluation, by the clock. compute_s: training alone, in seconds of the processor that runs it
    (of the training thread on a CPU, of the device on a GPU), so that trials running beside it do not lengthen it.
    """

    epoch: int
    stage: str
    learning_rate: float
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    val_macro_f1: float
    wall_s: float
    compute_s: float

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self)


@dataclass(slots=True, kw_only=True)
class TrialState:
    """How far a trial has come; what a checkpoint holds. The best epoch is the first of the highest val_accuracy.

    best_logits_EK: of the E photos that the epoch is chosen on.
    """

    epochs: list[EpochRecord] = field(default_factory=list)
    best_epoch: int = -1
    best_logits_EK: Tensor | None = None
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    interruptions: int = 0

    @property
    def best(self) -> EpochRecord:
        """The record of the best epoch."""
        return self.epochs[self.best_epoch]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the model of the best epoch says to E photos; a label may be none of its K classes. logits_EK: float32."""

    paths: tuple[str, ...]
    labels: tuple[str, ...]
    found: tuple[bool, ...]
    logits_EK: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialOutcome:
    """A finished trial.

    reported: the photos that loss, accuracy and macro_f1 are of. excluded: photos that would be reported, were their
    class not left out. train_counts, select_counts: photos by class that were trained on, and that the epoch was chosen
    on (none where it was chosen on the reported ones). num_dropped: faceless photos that were not reported for that.
    """

    state: TrialState
    classes: tuple[str, ...]
    reported: Answers
    excluded: Answers
    loss: float
    accuracy: float
    macro_f1: float
    train_counts: dict[str, int]
    select_counts: dict[str, int]
    num_dropped: int
    num_parameters: int
