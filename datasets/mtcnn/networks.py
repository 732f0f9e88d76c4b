"""The reference's three networks with the weights that it ships."""

from __future__ import annotations

import numpy as np
import torch
from facenet_pytorch.models.mtcnn import ONet, PNet, RNet
from torch import nn


def load_networks(device: torch.device) -> tuple[PNet, RNet, ONet]:
    """P-Net, R-Net, O-Net in evaluation mode, with channels last, which is faster on CPU and GPU alike."""
    networks = (PNet(), RNet(), ONet())
    for network in networks:
        network.eval().requires_grad_(False).to(device=device, memory_format=torch.channels_last)
    return networks


def state_arrays(network: nn.Module) -> dict[str, np.ndarray]:
    """The parameters by name."""
    return {name: value.detach().cpu().contiguous().numpy() for name, value in network.state_dict().items()}
