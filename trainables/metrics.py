"""Scores of predictions. E reported photos, K classes."""

from __future__ import annotations

from sklearn.metrics import f1_score
from torch import Tensor


def macro_f1(logits_EK: Tensor, label_E: Tensor) -> float:
    """Unweighted mean of the F1 of every class of the condition; a class never predicted and never true counts as 0."""
    num_classes = logits_EK.shape[1]
    predicted = logits_EK.argmax(dim=1).numpy()
    return float(f1_score(label_E.numpy(), predicted, labels=range(num_classes), average="macro", zero_division=0.0))
