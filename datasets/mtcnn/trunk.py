"""R-Net and O-Net on a CPU: their 3x3 convolutions by the compiled loops, the small layers at their end by torch."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from facenet_pytorch.models.mtcnn import ONet, RNet

from datasets.mtcnn.arrays import Array
from datasets.mtcnn.compiled import compiled
from datasets.mtcnn.kernels import SPAN, Conv, conv
from datasets.mtcnn.networks import state_arrays

ABREAST = 8
"""Crops that stand side by side as one wide picture: rows of 10 to 48 pixels are too short for the loops."""


class Layer(NamedTuple):
    """A convolution and the maximum that follows it."""

    conv: Conv
    pool: int
    """Side of the maximum's window; windows are 2 apart."""


@compiled()
def _lay_out(crops: Array, out: Array) -> None:
    """crops (n, C, side, side) side by side, to interleaved rows (C, 4, >= tiles * n * side)."""
    n, num_channels, side = crops.shape[0], crops.shape[1], crops.shape[2]
    for i in range(n):
        for c in range(num_channels):
            for y in range(side):
                line, row = out[c, y % 4, (y // 4 * n + i) * side :], crops[i, c, y]
                for x in range(side):
                    line[x] = row[x]


@compiled(fused=True)
def _pool(src: Array, n: int, side: int, window: int, out: Array) -> int:
    """Maximum over window x window places 2 apart, in ceil mode, of n pictures of `side` + 2 columns and `side` rows.

    src, out: interleaved rows. Returns the side of the result.
    """
    width = n * (side + 2)
    new_side = (side - window + 1) // 2 + 1
    highest = np.empty(width + 2, np.float32)
    for c in range(src.shape[0]):
        for row in range(new_side):
            first, last = 2 * row, min(2 * row + window, side)
            line = src[c, first % 4, first // 4 * width :]
            for x in range(width):
                highest[x] = line[x]
            for y in range(first + 1, last):
                line = src[c, y % 4, y // 4 * width :]
                for x in range(width):
                    highest[x] = max(highest[x], line[x])
            target = out[c, row % 4, row // 4 * n * new_side :]
            for i in range(n):
                part = highest[i * (side + 2) :]
                goal = target[i * new_side :]
                for x in range((side - window) // 2 + 1):
                    value = max(part[2 * x], part[2 * x + 1])
                    goal[x] = max(value, part[2 * x + 2]) if window == 3 else value
                if new_side > (side - window) // 2 + 1:  # the last window reaches over the edge
                    x = new_side - 1
                    goal[x] = part[2 * x]
                    if 2 * x + 1 < side:
                        goal[x] = max(goal[x], part[2 * x + 1])
    return new_side


@compiled()
def _room(num_channels: int, n: int, side: int) -> Array:
    """Interleaved rows for n pictures of `side`. Zeros: the transform of a group mixes in rows past the end."""
    return np.zeros((num_channels, 4, ((side + 3) // 4 + 2) * n * side + SPAN + 2), np.float32)


@compiled(fused=True)
def _features(crops: Array, layers: tuple[Layer, ...], out: Array) -> None:
    """crops (n, C, side, side) through the layers, to out (n, O, s, s)."""
    for start in range(0, len(crops), ABREAST):
        group = crops[start : start + ABREAST]
        n, side = len(group), crops.shape[2]
        src = _room(crops.shape[1], n, side)
        _lay_out(group, src)
        for layer in layers:
            made = np.empty((len(layer.conv.b), 4, src.shape[2]), np.float32)
            conv(src, n * side, (side + 1) // 4, layer.conv, made)
            src = _room(len(layer.conv.b), n, side // 2 + 1)
            side = _pool(made, n, side - 2, layer.pool, src)
        for i in range(n):
            for c in range(out.shape[1]):
                for y in range(side):
                    line = src[c, y % 4, (y // 4 * n + i) * side :]
                    for x in range(side):
                        out[start + i, c, y, x] = line[x]


class LaterNetwork:
    """R-Net or O-Net with the reference's weights, on the CPU."""

    def __init__(self, network: RNet | ONet) -> None:
        self._network = network
        self._is_last = isinstance(network, ONet)
        self.side = 48 if self._is_last else 24
        state = state_arrays(network)
        pools = (3, 3, 2) if self._is_last else (3, 3)
        self._layers = tuple(Layer(Conv.from_state(state, number), pool) for number, pool in enumerate(pools, start=1))

    def __call__(self, crops: np.ndarray) -> list[np.ndarray]:
        """Of (n, 3, side, side) crops: the offsets (n, 4), of O-Net the landmarks (n, 10), the probability (n,)."""
        features = np.empty((len(crops), len(self._layers[-1].conv.b), 4, 4), np.float32)
        _features(crops, self._layers, features)
        with torch.inference_mode():
            *others, logits = self._o_end(features) if self._is_last else self._r_end(features)
            probabilities = torch.softmax(logits, dim=1)[:, 1].contiguous()
        return [*(output.numpy() for output in others), probabilities.numpy()]

    def _r_end(self, features: np.ndarray) -> list[torch.Tensor]:
        net = self._network
        x = net.prelu3(net.conv3(torch.from_numpy(features)))
        x = net.prelu4(net.dense4(x.permute(0, 3, 2, 1).flatten(1)))
        return [net.dense5_2(x), net.dense5_1(x)]

    def _o_end(self, features: np.ndarray) -> list[torch.Tensor]:
        net = self._network
        x = net.prelu4(net.conv4(torch.from_numpy(features)))
        x = net.prelu5(net.dense5(x.permute(0, 3, 2, 1).flatten(1)))
        return [net.dense6_2(x), net.dense6_3(x), net.dense6_1(x)]
