"""Horizontal flips and colour jitter, drawn once an epoch for every photo and applied a batch at a time on the device.

A photo's draw depends on seed, epoch and photo alone: conditions that see different subsets, and workers that share a
batch, use the same one.

Shapes: N photos of the whole set, B rows of a batch, C channels, H W pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor

from trainables.recipe import TrainConfig
from trainables.seeding import generator

_GREY_WEIGHTS = (0.2989, 0.587, 0.114)
_MIRRORED_POINTS = (1, 0, 2, 4, 3)
"""Left and right eye, and left and right corner of the mouth, change places."""


def draw_augmentation(num_photos: int, cfg: TrainConfig, *, seed: int, epoch: int) -> Tensor:
    """(N, 4): whether to flip (0 or 1), and the factors of brightness, contrast and saturation."""
    uniform = torch.rand((num_photos, 4), generator=generator(seed, "augment", epoch))
    flip = (uniform[:, :1] < cfg.flip_prob).float()
    factors = 1.0 + cfg.jitter * (2.0 * uniform[:, 1:] - 1.0)
    return torch.cat([flip, factors], dim=1)


def augment(x_BCHW: Tensor, draw_B4: Tensor) -> Tensor:
    """Flip, then scale brightness, contrast and saturation. Pixels are in [0, 1] before and after."""
    flip, brightness, contrast, saturation = (column.view(-1, 1, 1, 1) for column in draw_B4.unbind(dim=1))
    x_BCHW = torch.where(flip > 0, x_BCHW.flip(-1), x_BCHW)
    x_BCHW = (x_BCHW * brightness).clamp(0, 1)
    x_BCHW = _blend(x_BCHW, _grey(x_BCHW).mean(dim=(1, 2, 3), keepdim=True), contrast)
    return _blend(x_BCHW, _grey(x_BCHW), saturation)


def flip_landmarks(landmarks_BP2: Tensor, draw_B4: Tensor) -> Tensor:
    """The landmarks (B, 5, 2), as fractions of the frame, of photos flipped as `augment` flips them."""
    mirrored = landmarks_BP2[:, _MIRRORED_POINTS, :] * landmarks_BP2.new_tensor([-1.0, 1.0])
    mirrored = mirrored + landmarks_BP2.new_tensor([1.0, 0.0])
    return torch.where(draw_B4[:, 0].view(-1, 1, 1) > 0, mirrored, landmarks_BP2)


def _grey(x_BCHW: Tensor) -> Tensor:
    return (x_BCHW * x_BCHW.new_tensor(_GREY_WEIGHTS).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)


def _blend(x_BCHW: Tensor, other: Tensor, factor: Tensor) -> Tensor:
    return (factor * x_BCHW + (1.0 - factor) * other).clamp(0, 1)
