"""R-Net and O-Net on a CPU, by the compiled loops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from datasets.mtcnn.arrays import Array
from datasets.mtcnn.compiled import compiled
from datasets.mtcnn.kernels import SPAN, Conv, conv, prelu
from datasets.mtcnn.networks import load_weights

ABREAST = 8
"""Crops that stand side by side as one wide picture: rows of 10 to 48 pixels are too short for the loops."""


class Layer(NamedTuple):
    """A convolution and the maximum that follows it."""

    conv: Conv
    pool: int
    """Side of the maximum's window; windows are 2 apart."""


class Dense(NamedTuple):
    """A layer that sums all its inputs, with PReLU."""

    w: Array  # (K, M), multiples of 4 and 16
    b: Array  # (M,)
    slope: Array  # (M,); ones where nothing is bent

    @classmethod
    def from_state(cls, state: Mapping[str, Array], names: Sequence[str], bend: str | None) -> Dense:
        """The named layers of the reference's `state_dict` side by side; their outputs are filled up with zeros."""
        w = np.concatenate([state[f"{name}.weight"].reshape(len(state[f"{name}.bias"]), -1) for name in names])
        b = np.concatenate([state[f"{name}.bias"] for name in names])
        slope = np.ones(len(b), np.float32) if bend is None else state[f"{bend}.weight"]
        fill = -len(b) % 16
        return cls(
            np.ascontiguousarray(np.pad(w, ((0, fill), (0, 0))).T), np.pad(b, (0, fill)), np.pad(slope, (0, fill))
        )


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


@compiled()
def _windows(features: Array, out: Array) -> None:
    """The 2x2 places of (n, C, 4, 4), column by column as the reference flattens them, to (n * 9, C * 4)."""
    at = 0
    for i in range(features.shape[0]):
        for x in range(3):
            for y in range(3):
                line = out[at]
                for c in range(features.shape[1]):
                    line[4 * c] = features[i, c, y, x]
                    line[4 * c + 1] = features[i, c, y, x + 1]
                    line[4 * c + 2] = features[i, c, y + 1, x]
                    line[4 * c + 3] = features[i, c, y + 1, x + 1]
                at += 1


@compiled(fused=True)
def _dense(values: Array, layer: Dense) -> Array:
    """values (n, K) times the weights (K, M), with bias and PReLU: (n, M).

    A library's product rounds a row by the number of rows beside it; here a photo's answer does not depend on the
    photos that it is searched with.
    """
    n, num_outputs = values.shape[0], layer.w.shape[1]
    sums = np.empty((n, num_outputs), np.float32)
    for start in range(0, n, ABREAST):
        stop = min(start + ABREAST, n)
        for i in range(start, stop):
            for j in range(num_outputs):
                sums[i, j] = layer.b[j]
        for k in range(0, values.shape[1], 4):
            w0, w1, w2, w3 = layer.w[k], layer.w[k + 1], layer.w[k + 2], layer.w[k + 3]
            for i in range(start, stop):
                a, b, c, d, line = values[i, k], values[i, k + 1], values[i, k + 2], values[i, k + 3], sums[i]
                for j in range(num_outputs):
                    line[j] += (a * w0[j] + b * w1[j]) + (c * w2[j] + d * w3[j])
        for i in range(start, stop):
            for j in range(num_outputs):
                sums[i, j] = prelu(sums[i, j], layer.slope[j])
    return sums


@compiled()
def _answer(crops: Array, layers: tuple[Layer, ...], dense: tuple[Dense, Dense, Dense]) -> Array:
    """Crops (n, 3, side, side) through a whole network: (n, 16) logits, no face and face first."""
    n, num_channels = len(crops), len(layers[-1].conv.b)
    features = np.empty((n, num_channels, 4, 4), np.float32)
    _features(crops, layers, features)
    windows = np.empty((n * 9, num_channels * 4), np.float32)
    _windows(features, windows)
    wide, hidden, heads = dense
    return _dense(_dense(_dense(windows, wide).reshape(n, 9 * len(wide.b)), hidden), heads)


class LaterNetwork:
    """R-Net or O-Net with the reference's weights, on the CPU."""

    def __init__(self, name: Literal["rnet", "onet"]) -> None:
        is_last, state = name == "onet", load_weights(name)
        self.side = 48 if is_last else 24
        self.num_answers = 15 if is_last else 5
        pools = (3, 3, 2) if is_last else (3, 3)
        self._layers = tuple(Layer(Conv.from_state(state, number), pool) for number, pool in enumerate(pools, start=1))
        number = len(pools) + 1  # of the 2x2 convolution; dense layers and heads follow
        heads = [f"dense{number + 2}_{head}" for head in ((1, 2, 3) if is_last else (1, 2))]
        self._dense = (
            Dense.from_state(state, [f"conv{number}"], f"prelu{number}"),
            Dense.from_state(state, [f"dense{number + 1}"], f"prelu{number + 1}"),
            Dense.from_state(state, heads, None),
        )

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        """Of (n, 3, side, side) crops: (n, 5) or (n, 15), the probability, four offsets, O-Net's landmarks."""
        logits = _answer(crops, self._layers, self._dense)
        logits[:, 1] = 1 / (1 + np.exp(logits[:, 0] - logits[:, 1]))
        return logits[:, 1 : self.num_answers + 1]
