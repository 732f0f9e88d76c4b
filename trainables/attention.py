"""Efficient Channel Attention. Source: Wang et al., 2020, arXiv 1910.03151, section 3.2 and equation 12.

Shapes: B rows, C channels, H W pixels.
"""

from __future__ import annotations

import math

from torch import Tensor, nn


def eca_kernel_size(num_channels: int, *, gamma: int = 2, bias: int = 1) -> int:
    """The odd number of neighbouring channels that interact: |(log2 C + b) / gamma|, made odd (equation 12)."""
    size = int(abs((math.log2(num_channels) + bias) / gamma))
    return size if size % 2 else size + 1


class EfficientChannelAttention(nn.Module):
    """Weighs each channel by a sigmoid of a 1-D convolution over the pooled channels. (B, C, H, W) in and out."""

    def __init__(self, num_channels: int) -> None:
        super().__init__()
        size = eca_kernel_size(num_channels)
        self.conv = nn.Conv1d(1, 1, size, padding=size // 2, bias=False)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """The map with every channel scaled."""
        pooled_B1C = x_BCHW.mean(dim=(2, 3)).unsqueeze(1)
        weight_BC = self.conv(pooled_B1C).squeeze(1).sigmoid()
        return x_BCHW * weight_BC[:, :, None, None]
