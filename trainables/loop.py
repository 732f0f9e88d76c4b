"""One pass of training, one pass of evaluation. B rows, K classes, E reported photos."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer

from trainables.batches import Batch
from trainables.team import Team


@dataclass(frozen=True, slots=True)
class EpochStats:
    """Means over the rows of an epoch, all workers together."""

    loss: float
    accuracy: float
    num_rows: int


def train_one_epoch(
    model: nn.Module, batches: Iterable[Batch], optimizer: Optimizer, *, loss_fn: nn.Module, team: Team
) -> EpochStats:
    """One pass over `batches`; changes `model` and `optimizer` only. The scores are those of the model as it moves."""
    model.train()
    sums = torch.zeros(3, dtype=torch.float64, device=team.device)
    for batch in batches:
        optimizer.zero_grad(set_to_none=True)
        logits_BK = model(batch.x_BCHW, batch.landmarks_BF)
        loss_B = loss_fn(logits_BK, batch.label_B)
        # Workers average their gradients: scaled so, the average is that of the mean over the whole batch.
        (loss_B.sum() * (team.size / batch.num_rows)).backward()
        optimizer.step()
        right_B = logits_BK.detach().argmax(dim=1) == batch.label_B
        sums += torch.stack([loss_B.detach().double().sum(), right_B.double().sum(), sums.new_tensor(len(right_B))])
    loss_sum, num_right, num_rows = team.sum(sums).tolist()
    return EpochStats(loss_sum / num_rows, num_right / num_rows, int(num_rows))


@torch.no_grad()
def predict(model: nn.Module, batches: Iterable[Batch], *, team: Team) -> Tensor:
    """Logits (E, K) of every reported photo, in order, on the CPU; the same on every worker."""
    model.eval()
    mine = [model(batch.x_BCHW, batch.landmarks_BF).float().cpu() for batch in batches]
    parts = team.gather(torch.cat(mine) if mine else None)
    num_classes = next(part for part in parts if part is not None).shape[1]
    logits_EK = torch.empty(sum(len(part) for part in parts if part is not None), num_classes)
    for rank, part in enumerate(parts):
        if part is not None:
            logits_EK[rank :: len(parts)] = part
    return logits_EK


def evaluate(logits_EK: Tensor, label_E: Tensor) -> EpochStats:
    """Mean cross-entropy (of the plain logits, whatever the training loss) and accuracy."""
    loss = functional.cross_entropy(logits_EK.double(), label_E).item()
    accuracy = (logits_EK.argmax(dim=1) == label_E).double().mean().item()
    return EpochStats(loss, accuracy, len(label_E))
