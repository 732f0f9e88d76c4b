"""EfficientNet with Efficient Channel Attention and optional landmark fusion.

Shapes: B rows, C channels, H W pixels, F features, K classes.
Source: the paper's section "Enhanced Network Design"; where ECA stands is our reading: after the last feature map.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import timm
import torch
from torch import Tensor, nn

from trainables.attention import EfficientChannelAttention
from trainables.condition import Attention, Condition
from trainables.recipe import ModelConfig, Stage
from trainables.seeding import global_seed

LANDMARK_INPUTS = 11
"""Five points, x and y, and whether a face was found."""


class EmotionNet(nn.Module):
    """Face or frame in, one logit a class out. Normalisation is part of the model."""

    mean: Tensor
    std: Tensor
    backbone: Any
    """A timm EfficientNet without classifier and pooling; timm adds attributes that torch's types do not know."""

    def __init__(self, backbone: Any, attention: nn.Module, landmark_net: nn.Module | None, num_classes: int) -> None:
        super().__init__()
        cfg = backbone.pretrained_cfg
        self.register_buffer("mean", torch.tensor(cfg["mean"]).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(cfg["std"]).view(1, 3, 1, 1))
        self.backbone, self.attention, self.landmark_net = backbone, attention, landmark_net
        num_features = int(backbone.num_features)
        if landmark_net is not None:
            num_features += next(reversed(list(landmark_net.parameters()))).numel()  # its last bias
        self.classifier = nn.Linear(num_features, num_classes)
        self.head_only = False
        self.backbone_learns = True

    def forward(self, x_BCHW: Tensor, landmarks_BF: Tensor | None = None) -> Tensor:
        """Logits (B, K) of pixels in [0, 1], and (B, 11) landmarks where the model fuses them."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.backbone_learns):
            map_BCHW = self.backbone.forward_features((x_BCHW - self.mean) / self.std)
        features_BF = self.attention(map_BCHW).mean(dim=(2, 3))
        if self.landmark_net is not None:
            features_BF = torch.cat([features_BF, self.landmark_net(landmarks_BF)], dim=1)
        return self.classifier(features_BF)

    def train(self, mode: bool = True) -> EmotionNet:
        """As usual, but a frozen backbone stays in eval mode: its batch norm must not drift."""
        super().train(mode)
        if self.head_only:
            self.backbone.eval()
        return self

    def set_stage(self, stage: Stage, *, head_trains_attention: bool = False) -> None:
        """Freeze what the stage freezes: in stage `head` all but the classifier (and the landmark network)."""
        self.head_only = stage == "head"
        self.backbone.requires_grad_(not self.head_only)
        for module in self.modules():
            if isinstance(module, EfficientChannelAttention):  # `eca_blocks` puts them inside the backbone
                module.requires_grad_(not self.head_only or head_trains_attention)
        self.backbone_learns = any(parameter.requires_grad for parameter in self.backbone.parameters())


def build_model(
    condition: Condition, cfg: ModelConfig, *, num_classes: int, seed: int, imagenet: Mapping[str, Tensor] | None
) -> EmotionNet:
    """The network of one condition. Each new part has its own draw, so conditions of one seed share what they can.

    `imagenet`: the backbone's tensors (see `weights.imagenet_state`), or None to start from random weights.
    """
    with global_seed(seed, "init", "backbone"):
        backbone = timm.create_model(cfg.backbone, pretrained=False, num_classes=0, global_pool="")
    if imagenet is not None:
        backbone.load_state_dict(imagenet)
    with global_seed(seed, "init", "attention"):
        attention = _attention(backbone, condition.attention)
    with global_seed(seed, "init", "landmarks"):
        landmark_net = _landmark_net(cfg.landmark_features) if condition.landmarks else None
    with global_seed(seed, "init", "classifier"):
        return EmotionNet(backbone, attention, landmark_net, num_classes)


def _attention(backbone: Any, kind: Attention) -> nn.Module:
    if kind == "eca":
        return EfficientChannelAttention(backbone.num_features)
    if kind == "eca_blocks":
        for block in (block for stage in backbone.blocks for block in stage if hasattr(block, "se")):
            block.se = EfficientChannelAttention(block.conv_dw.out_channels)
    return nn.Identity()


def _landmark_net(width: int) -> nn.Module:
    return nn.Sequential(nn.Linear(LANDMARK_INPUTS, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
