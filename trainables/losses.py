"""Training losses, one value a row. B rows, K classes."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from trainables.condition import LossName
from trainables.recipe import TrainConfig


class CrossEntropy(nn.Module):
    """Plain cross-entropy, not averaged."""

    def forward(self, logits_BK: Tensor, label_B: Tensor) -> Tensor:
        """Loss (B,)."""
        return functional.cross_entropy(logits_BK, label_B, reduction="none")


class LogitAdjustedFocal(nn.Module):
    """Focal loss (arXiv 1708.02002, equation 4) on logits plus tau times the log prior (arXiv 2007.07314, equation 10).

    The prior is that of the training rows; prediction uses the logits without it.
    """

    log_prior: Tensor

    def __init__(self, prior_K: Tensor, *, gamma: float, tau: float) -> None:
        super().__init__()
        # A class without a training row keeps a finite prior, so that its logit is pushed down and nothing is NaN.
        self.register_buffer("log_prior", prior_K.clamp_min(1e-12).log())
        self.gamma, self.tau = gamma, tau

    def forward(self, logits_BK: Tensor, label_B: Tensor) -> Tensor:
        """Loss (B,)."""
        entropy_B = functional.cross_entropy(logits_BK + self.tau * self.log_prior, label_B, reduction="none")
        missed_B = 1.0 - torch.exp(-entropy_B)
        return missed_B.clamp_min(1e-8) ** self.gamma * entropy_B  # the power's slope at 0 is not finite for gamma < 1


def build_loss(name: LossName, cfg: TrainConfig, *, train_labels: Tensor, num_classes: int) -> nn.Module:
    """The loss of a condition; class priors come from `train_labels` (N,) alone."""
    if name == "cross_entropy":
        return CrossEntropy()
    counts = torch.bincount(train_labels, minlength=num_classes).float()
    return LogitAdjustedFocal(counts / counts.sum(), gamma=cfg.focal_gamma, tau=cfg.logit_tau)
