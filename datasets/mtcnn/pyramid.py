"""The image pyramid: mean pixel values over windows ("area" interpolation)."""

from __future__ import annotations

import numpy as np

from datasets.mtcnn.arrays import Array, Scalar
from datasets.mtcnn.compiled import compiled

FACTOR = 0.709
"""Ratio of the sides of neighbouring pyramid levels."""
Box = tuple[Scalar, Scalar, Scalar, Scalar]
"""Left, top, right, bottom in whole pixels, the last two exclusive."""
MAX_ASPECT = 1000
CELL = 12
"""Side of the square that P-Net looks at, in pixels of its level."""


def pyramid_scales(height: int, width: int, min_face_size: float) -> list[float]:
    """Scale of every level, finest first; empty for a photo that holds no face of `min_face_size` pixels.

    Also for a ribbon more than `MAX_ASPECT` times as long as wide: it is no photo, and its rows would fill memory.
    """
    scales: list[float] = []
    if max(height, width) > MAX_ASPECT * min(height, width):
        return scales
    scale = CELL / min_face_size
    side = min(height, width) * scale
    while side >= CELL:
        scales.append(scale)
        scale *= FACTOR
        side *= FACTOR
    return scales


def level_shape(height: int, width: int, scale: float) -> tuple[int, int]:
    """Rows and columns of a level."""
    return int(height * scale + 1), int(width * scale + 1)


@compiled()
def is_grey(image: Array) -> bool:
    """Whether the three channels of a (H, W, 3) image are the same."""
    for y in range(image.shape[0]):
        row = image[y]
        differs = False
        for x in range(row.shape[0]):
            differs |= (row[x, 0] != row[x, 1]) | (row[x, 0] != row[x, 2])
        if differs:
            return False
    return True


@compiled()
def _column_sums(flat: Array, top: int, bottom: int, nothing: Array, sums: Array) -> None:
    """Sums of rows top to bottom - 1 of (H, N) uint8, to (N,) int32: four rows at a time, to save passes over `sums`.

    nothing: (N,) zeros, in place of the rows that the first four lack.
    """
    y = top + (bottom - top - 1) % 4 + 1
    a = flat[top]
    b = flat[top + 1] if top + 1 < y else nothing
    c = flat[top + 2] if top + 2 < y else nothing
    d = flat[top + 3] if top + 3 < y else nothing
    for x in range(sums.shape[0]):
        sums[x] = np.int32(np.uint16(np.uint16(a[x]) + np.uint16(b[x]) + np.uint16(c[x]) + np.uint16(d[x])))
    while y < bottom:
        a, b, c, d = flat[y], flat[y + 1], flat[y + 2], flat[y + 3]
        for x in range(sums.shape[0]):
            sums[x] += np.int32(np.uint16(np.uint16(a[x]) + np.uint16(b[x]) + np.uint16(c[x]) + np.uint16(d[x])))
        y += 4


@compiled()
def _running_sums(sums: Array, totals: Array) -> None:
    """Sums of all pixels before each: (W * C,) to (W + 1, 4), of which the first C columns count."""
    totals[0, :] = 0
    width = totals.shape[0] - 1
    if sums.shape[0] == 3 * width:  # three independent chains at once
        r = g = b = np.int32(0)
        for x in range(width):
            r += sums[3 * x]
            g += sums[3 * x + 1]
            b += sums[3 * x + 2]
            totals[x + 1, 0] = r
            totals[x + 1, 1] = g
            totals[x + 1, 2] = b
    else:
        r = np.int32(0)
        for x in range(width):
            r += sums[x]
            totals[x + 1, 0] = r


@compiled()
def _window_sums(totals: Array, starts: Array, ends: Array, windows: Array) -> None:
    """Sums from starts[i] to ends[i] - 1 of four channels, to (ow, 4)."""
    for i in range(starts.shape[0]):
        before, after = totals[starts[i]], totals[ends[i]]
        windows[i, 0] = after[0] - before[0]
        windows[i, 1] = after[1] - before[1]
        windows[i, 2] = after[2] - before[2]
        windows[i, 3] = after[3] - before[3]


@compiled(fused=True)
def area_resize(flat: Array, box: Box, out: Array, shape: tuple[int, int], first_row: int, count: int) -> None:
    """Part of a photo resized, and scaled for the networks: mean values over windows, (mean - 127.5) / 128.

    flat: (H, W * C) uint8, C values a pixel. The box of it becomes `shape` rows and columns, of which `count` from
    `first_row` on are written to out, (C, at least count, at least columns) float32.
    """
    left, top, right, bottom = box
    num_rows, num_columns = shape
    height, width = bottom - top, right - left
    num_channels = out.shape[0]
    span = flat[:, left * num_channels : right * num_channels]
    sums = np.empty(width * num_channels, np.int32)
    nothing = np.zeros(width * num_channels, np.uint8)
    totals = np.empty((width + 1, 4), np.int32)
    windows = np.empty((num_columns, 4), np.int32)
    starts = np.empty(num_columns, np.int32)
    ends = np.empty(num_columns, np.int32)
    shares = np.empty(num_columns, np.float32)
    for i in range(num_columns):
        starts[i] = i * width // num_columns
        ends[i] = -((-(i + 1) * width) // num_columns)
        shares[i] = 0.0078125 / (ends[i] - starts[i])
    offset = np.float32(127.5 * 0.0078125)
    for j in range(count):
        first = top + (first_row + j) * height // num_rows
        last = top - ((-(first_row + j + 1) * height) // num_rows)
        _column_sums(span, first, last, nothing, sums)
        _running_sums(sums, totals)
        _window_sums(totals, starts, ends, windows)
        share = np.float32(1.0 / (last - first))
        for c in range(num_channels):
            line = out[c, j]
            for i in range(num_columns):
                line[i] = np.float32(windows[i, c]) * (shares[i] * share) - offset
