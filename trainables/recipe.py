"""What all conditions share: backbone, optimiser, epochs, augmentation."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from datasets.config import Config

Backbone = Literal["tf_efficientnet_lite0", "efficientnet_b0"]
Stage = Literal["head", "finetune", "end_to_end"]


class ModelConfig(Config):
    """The network that every condition varies."""

    backbone: Backbone = "tf_efficientnet_lite0"
    """tf_efficientnet_lite0 (its ImageNet weights are installed) or efficientnet_b0 (weights from timm's hub)."""
    weights: Literal["imagenet", "random"] = "imagenet"
    """Where training starts."""
    landmark_features: int = Field(default=32, ge=1)
    """Width of the small network that reads the landmarks."""


class TrainConfig(Config):
    """How every condition is trained."""

    epochs: int = Field(default=20, ge=1)
    """Passes over the training photos, the same number for staged and end-to-end training."""
    head_epochs: int = Field(default=5, ge=1)
    """How many of them a staged condition spends on the classifier alone."""
    batch_size: int = Field(default=32, ge=2)
    """Photos a step, over all workers of a trial."""
    end_to_end_lr: float = Field(default=1e-3, gt=0)
    """Learning rate of end-to-end training."""
    head_lr: float = Field(default=1e-3, gt=0)
    """Learning rate of stage 1."""
    finetune_lr: float = Field(default=1e-4, gt=0)
    """Learning rate of stage 2, small by the method."""
    weight_decay: float = Field(default=0.0, ge=0)
    """Of Adam."""
    head_trains_attention: bool = False
    """Whether stage 1 trains the attention module beside the classifier."""
    focal_gamma: float = Field(default=2.0, ge=0)
    """Focusing parameter of the focal loss."""
    logit_tau: float = Field(default=1.0, ge=0)
    """Weight of the log prior in logit adjustment."""
    no_face: Literal["full_frame", "drop"] = "full_frame"
    """What becomes of a photo without a face: its full frame stands in for the crop, or no condition uses it."""
    flip_prob: float = Field(default=0.5, ge=0, le=1)
    """Probability of a horizontal flip."""
    jitter: float = Field(default=0.2, ge=0, lt=1)
    """Colour jitter: brightness, contrast and saturation are each scaled by a factor in [1 - jitter, 1 + jitter]."""

    @model_validator(mode="after")
    def _head_leaves_epochs(self) -> Self:
        if self.head_epochs >= self.epochs:
            raise ValueError(
                f"`head_epochs` must be smaller than `epochs`, got {self.head_epochs} and {self.epochs}: "
                "staged training needs at least one epoch of fine-tuning. Lower --head-epochs or raise --epochs."
            )
        return self

    def stage_of(self, epoch: int, *, staged: bool) -> Stage:
        """The stage that epoch `epoch` (from 0) belongs to."""
        if not staged:
            return "end_to_end"
        return "head" if epoch < self.head_epochs else "finetune"

    def learning_rate(self, stage: Stage) -> float:
        """The learning rate of a stage."""
        return {"head": self.head_lr, "finetune": self.finetune_lr, "end_to_end": self.end_to_end_lr}[stage]
