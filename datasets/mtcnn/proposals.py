"""The first stage: P-Net over the levels of the pyramid proposes boxes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from datasets.mtcnn.arrays import Array
from datasets.mtcnn.boxes import correct, square, suppress
from datasets.mtcnn.compiled import compiled
from datasets.mtcnn.kernels import SPAN, Conv, conv, conv_dot, conv_pool, padded, prelu
from datasets.mtcnn.pyramid import CELL, area_resize

STRIDE = 2
"""Distance of neighbouring cells, in pixels of the level."""
THRESHOLD = 0.6
SCREEN = 0.59
"""Cells below it are not computed again: the screening pass is exact to some 1e-5."""
STRIP_VALUES = 1 << 18
"""Values that pass between the layers of one strip: about a megabyte."""
NUM_COLUMNS = 9
"""Columns of a candidate: left, top, right, bottom, probability, and the four offsets of its edges."""


class PNet(NamedTuple):
    """Weights of P-Net as the loops want them, for photos of C channels (3, or 1 where all are the same)."""

    w1: Array  # (10, C, 3, 3)
    b1: Array  # (10,)
    slope1: Array  # (10,)
    second: Conv  # for screening
    third: Conv
    w2: Array  # (90, 16), for the cells that pass
    w3: Array  # (144, 32)
    heads: Array  # (6, 32): no face, face, four offsets
    biases: Array  # (6,)

    @classmethod
    def from_state(cls, state: Mapping[str, Array], *, grey: bool) -> PNet:
        """From the arrays of the reference's `state_dict`."""
        w1, w2, w3 = (state[f"conv{number}.weight"] for number in (1, 2, 3))
        return cls(
            w1=np.ascontiguousarray(w1.sum(1, keepdims=True) if grey else w1),
            b1=state["conv1.bias"],
            slope1=state["prelu1.weight"],
            second=Conv.from_state(state, 2),
            third=Conv.from_state(state, 3),
            w2=np.ascontiguousarray(w2.reshape(16, 90).T),
            w3=np.ascontiguousarray(w3.reshape(32, 144).T),
            heads=np.concatenate([state["conv4_1.weight"], state["conv4_2.weight"]]).reshape(6, 32),
            biases=np.concatenate([state["conv4_1.bias"], state["conv4_2.bias"]]),
        )


@compiled(fused=True)
def _add_products(values: Array, w: Array, sums: Array) -> None:
    """values (K,) times w (K, O), added to sums (O,). 6 divides K."""
    for k in range(0, len(values), 6):
        a, b, c, d, e, f = values[k], values[k + 1], values[k + 2], values[k + 3], values[k + 4], values[k + 5]
        w0, w1, w2, w3, w4, w5 = w[k], w[k + 1], w[k + 2], w[k + 3], w[k + 4], w[k + 5]
        for o in range(sums.shape[0]):
            sums[o] += (a * w0[o] + b * w1[o] + c * w2[o]) + (d * w3[o] + e * w4[o] + f * w5[o])


@compiled()
def _window(pooled: Array, y: int, x: int, width: int, out: Array) -> None:
    """The 3x3 places of all channels at (y, x), to out (C * 9,). pooled: interleaved rows (C, 4, N)."""
    k = 0
    for c in range(pooled.shape[0]):
        for row in range(y, y + 3):
            at = row // 4 * width + x
            for i in range(at, at + 3):
                out[k] = pooled[c, row % 4, i]
                k += 1


@compiled(fused=True)
def _exact_cell(pooled: Array, y: int, x: int, width: int, net: PNet, out: Array) -> None:
    """The six outputs of one cell, by plain sums, to out (6,). pooled: interleaved rows (10, 4, N)."""
    window, sums2 = np.empty(90, np.float32), np.empty(16, np.float32)
    hidden, sums3 = np.empty((16, 3, 3), np.float32), np.empty(32, np.float32)
    for i in range(3):
        for j in range(3):
            _window(pooled, y + i, x + j, width, window)
            for o in range(16):
                sums2[o] = net.second.b[o]
            _add_products(window, net.w2, sums2)
            for o in range(16):
                hidden[o, i, j] = prelu(sums2[o], net.second.slope[o])
    for o in range(32):
        sums3[o] = net.third.b[o]
    _add_products(hidden.reshape(144), net.w3, sums3)
    for k in range(6):
        total = net.biases[k]
        for o in range(32):
            total += net.heads[k, o] * prelu(sums3[o], net.third.slope[o])
        out[k] = total


@compiled()
def _cells(pooled: Array, logits: Array, width: int, rows: tuple[int, int], scale: float, net: PNet) -> Array:
    """Candidates of a strip, (n, NUM_COLUMNS), in reading order. logits: interleaved rows (4, N).

    rows: the strip's first row in the level, and how many there are.
    """
    first_row, num_rows = rows
    num_columns = width - 4
    floor = np.float32(np.log(SCREEN / (1.0 - SCREEN)))
    one, divisor = np.float32(1.0), np.float32(scale)
    count = 0
    for y in range(num_rows):
        line = logits[y % 4, y // 4 * width :]
        for x in range(num_columns):
            count += line[x] >= floor
    found = np.empty((count, NUM_COLUMNS), np.float32)
    if count == 0:
        return found
    out = np.empty(6, np.float32)
    count = 0
    for y in range(num_rows):
        line = logits[y % 4, y // 4 * width :]
        for x in range(num_columns):
            if line[x] < floor:
                continue
            _exact_cell(pooled, y, x, width, net, out)
            probability = one / (one + np.exp(out[0] - out[1]))
            if probability < THRESHOLD:
                continue
            row, left, top = found[count], STRIDE * x, STRIDE * (first_row + y)
            row[0] = np.floor(np.float32(left + 1) / divisor)
            row[1] = np.floor(np.float32(top + 1) / divisor)
            row[2] = np.floor(np.float32(left + CELL) / divisor)
            row[3] = np.floor(np.float32(top + CELL) / divisor)
            row[4] = probability
            for k in range(4):
                row[5 + k] = out[2 + k]
            count += 1
    return found[:count]


@compiled()
def search_level(flat: Array, num_channels: int, net: PNet, scale: float) -> Array:
    """Candidates of one level, suppressed among themselves, best first: (n, NUM_COLUMNS) float32.

    flat: (H, W * C) uint8; the level has scale times the photo's sides. It is searched in strips of rows, so that what
    passes from layer to layer stays in the second-level cache.
    """
    photo_height, photo_width = flat.shape[0], flat.shape[1] // num_channels
    height, columns = int(photo_height * scale + 1), int(photo_width * scale + 1)
    width = (columns - 1) // 2
    num_rows = (height - 1) // 2 - 4
    tiles = min((num_rows + 3) // 4, max(1, STRIP_VALUES // (4 * 26 * width)))
    room = (tiles + 2) * width + SPAN + 2
    level = np.zeros((num_channels, min(height, 8 * tiles + 10), padded(columns)), np.float32)
    pooled, middle = np.zeros((10, 4, room), np.float32), np.zeros((16, 4, room), np.float32)
    logits = np.empty((4, room), np.float32)
    head, bias = net.heads[1] - net.heads[0], net.biases[1] - net.biases[0]
    found, zero = np.empty((0, NUM_COLUMNS), np.float32), np.int64(0)
    for first in range(0, num_rows, 4 * tiles):
        count = min(4 * tiles, num_rows - first)
        strip = min(height - STRIDE * first, 2 * count + 10)
        area_resize(flat, (zero, zero, photo_width, photo_height), level, (height, columns), STRIDE * first, strip)
        conv_pool(level, strip, columns, net.w1, net.b1, net.slope1, pooled)
        here = (count + 3) // 4
        conv(pooled, width, here + 1, net.second, middle)
        conv_dot(middle, width, here, net.third, head, bias, logits)
        more = _cells(pooled, logits, width, (first, count), scale, net)
        if len(more):
            found = np.concatenate((found, more))
    return found[suppress(found[:, :4].copy(), found[:, 4].copy(), 0.5)]


@compiled()
def merge_levels(found: Array) -> tuple[Array, Array]:
    """Candidates of all levels to squared boxes: indices kept, best first, and their boxes (n, 4)."""
    kept = suppress(found[:, :4].copy(), found[:, 4].copy(), 0.7)
    boxes = found[kept, :4].copy()
    correct(boxes, found[kept, 5:9], np.float32(0.0))
    square(boxes)
    return kept, boxes
