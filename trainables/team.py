"""The workers of one trial: alone in a process, or several that train together by distributed data parallelism."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
import torch.distributed as dist
from timm.layers import BatchNormAct2d
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True, slots=True)
class Team:
    """This worker's place among those of its trial, and its device."""

    rank: int = 0
    size: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    def share(self, model: nn.Module) -> nn.Module:
        """The model to call in training. Gradients are averaged over workers; batch norm sees the whole batch."""
        if self.size == 1:
            return model
        for module in model.modules():
            if isinstance(module, BatchNormAct2d) and not isinstance(module, TeamBatchNorm):
                module.__class__ = TeamBatchNorm  # keeps parameters and their names
        ids = [self.device.index or 0] if self.device.type == "cuda" else None
        return DistributedDataParallel(model, device_ids=ids, broadcast_buffers=False)

    def sum(self, values: Tensor) -> Tensor:
        """Elementwise sum over workers."""
        if self.size > 1:
            dist.all_reduce(values)
        return values

    def gather(self, value: Any) -> list[Any]:
        """Every worker's value, by rank, on every worker."""
        if self.size == 1:
            return [value]
        values: list[Any] = [None] * self.size
        dist.all_gather_object(values, value)
        return values


class TeamBatchNorm(BatchNormAct2d):
    """Batch norm over the rows of all workers, on any device (torch's own needs a GPU).

    Sums are taken around the running mean, which all workers share, so that one exchange is enough and exact.
    """

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Normalised, scaled, activated. In eval mode exactly as without workers."""
        if not self.training:
            return super().forward(x_BCHW)
        # timm's batch norms have all of them
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        shift_C = self.running_mean.detach().clone()
        centred = x_BCHW - shift_C.view(1, -1, 1, 1)
        num_values = x_BCHW.new_full((1,), float(x_BCHW.numel() // x_BCHW.shape[1]))
        sums = all_reduce(torch.cat([centred.sum(dim=(0, 2, 3)), centred.square().sum(dim=(0, 2, 3)), num_values]))
        sum_C, square_C, count = sums[: len(shift_C)], sums[len(shift_C) : -1], sums[-1].detach()
        mean_C = sum_C / count
        var_C = (square_C / count - mean_C.square()).clamp_min(0.0)
        with torch.no_grad():
            self.num_batches_tracked.add_(1)
            self.running_mean.lerp_(mean_C + shift_C, self.momentum)
            self.running_var.lerp_(var_C * (count / (count - 1)), self.momentum)
        scale_C = self.weight * torch.rsqrt(var_C + self.eps)
        normal = (centred - mean_C.view(1, -1, 1, 1)) * scale_C.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)
        return self.act(self.drop(normal))
