"""One trial as plain values: what is asked of it, and what it answers."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from torch import Tensor

from trainables.condition import Condition
from trainables.recipe import ModelConfig, TrainConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialJob:
    """Everything that decides a trial's numbers but the photos. `key` names the trial in the ledger."""

    key: str
    name: str
    protocol: str
    seed: int
    condition: Condition
    model: ModelConfig
    train: TrainConfig
    rare_class: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochRecord:
    """One epoch. Losses and accuracies are means a row; val_* are of the reported photos.

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
    """How far a trial has come; what a checkpoint holds. The best epoch is the first of the highest val_accuracy."""

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
class TrialOutcome:
    """A finished trial: its state, the classes of its outputs, and the photos reported on."""

    state: TrialState
    classes: tuple[str, ...]
    eval_paths: tuple[str, ...]
    eval_labels: tuple[str, ...]
    eval_found: tuple[bool, ...]
    num_train: int
    num_parameters: int
