"""What distinguishes one condition of the ablation from another. Everything else is the recipe, the same for all."""

from __future__ import annotations

from typing import Literal

from datasets.config import Config

Attention = Literal["none", "eca", "eca_blocks"]
LossName = Literal["cross_entropy", "logit_adjusted_focal"]


class Condition(Config):
    """One cell of the ablation, as the paper's Table 1 describes its rows."""

    crop: bool = False
    """Train on the face crop instead of the full frame."""
    attention: Attention = "none"
    """none, one ECA after the last feature map (eca), or ECA in every block in place of squeeze-and-excitation."""
    staged: bool = False
    """Train the classifier on the frozen backbone first, then everything at a small learning rate."""
    rare_class_excluded: bool = False
    """Leave the photos and the output of the rare class out."""
    loss: LossName = "cross_entropy"
    """The training loss."""
    landmarks: bool = False
    """Join the five facial landmarks to the pooled features."""
