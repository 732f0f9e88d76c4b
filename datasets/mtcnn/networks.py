"""The weights of the reference's three networks, and the networks."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch

from datasets.mtcnn.arrays import Array

if TYPE_CHECKING:
    from facenet_pytorch.models.mtcnn import ONet, PNet, RNet

Name = Literal["pnet", "rnet", "onet"]


def load_weights(name: Name) -> dict[str, Array]:
    """The parameters of a network by name, from the file that facenet-pytorch ships.

    The package itself is not imported: with what it imports in turn it takes as long as torch.
    """
    (package,) = find_spec("facenet_pytorch").submodule_search_locations  # type: ignore[union-attr, misc]
    state: dict[str, Any] = torch.load(Path(package) / "data" / f"{name}.pt", weights_only=True)
    return {key: value.contiguous().numpy() for key, value in state.items()}


def load_networks(device: torch.device) -> tuple[PNet, RNet, ONet]:
    """P-Net, R-Net, O-Net in evaluation mode, with channels last, which is faster on CPU and GPU alike."""
    from facenet_pytorch.models.mtcnn import ONet, PNet, RNet

    networks = (PNet(), RNet(), ONet())
    for network in networks:
        network.eval().requires_grad_(False).to(device=device, memory_format=torch.channels_last)
    return networks
