"""Boxes between the stages: suppression, correction, squaring, clipping; in single precision, as the reference does.

Boxes are (n, 4) float32: left, top, right, bottom in pixels of the photo.
"""

from __future__ import annotations

import numpy as np

from datasets.mtcnn.arrays import Array, Scalar
from datasets.mtcnn.compiled import compiled


@compiled()
def best_first(scores: Array) -> Array:
    """Order of falling scores; of equals, the first comes first."""
    return np.argsort(-scores, kind="mergesort")


@compiled()
def suppress(boxes: Array, scores: Array, threshold: float) -> Array:
    """Greedy non-maximum suppression by intersection over union: indices kept, best first."""
    order = best_first(scores)
    n = len(order)
    areas = np.empty(n, np.float32)
    for i in range(n):
        areas[i] = (boxes[i, 2] - boxes[i, 0]) * (boxes[i, 3] - boxes[i, 1])
    gone = np.zeros(n, np.bool_)
    kept = np.empty(n, np.int64)
    num_kept = 0
    zero = np.float32(0.0)
    for rank in range(n):
        i = order[rank]
        if gone[i]:
            continue
        kept[num_kept] = i
        num_kept += 1
        for other in range(rank + 1, n):
            j = order[other]
            if gone[j]:
                continue
            width = min(boxes[i, 2], boxes[j, 2]) - max(boxes[i, 0], boxes[j, 0])
            height = min(boxes[i, 3], boxes[j, 3]) - max(boxes[i, 1], boxes[j, 1])
            if width > zero and height > zero:
                shared = width * height
                gone[j] = np.float64(shared / (areas[i] + areas[j] - shared)) > threshold
    return kept[:num_kept]


@compiled()
def suppress_within(boxes: Array, scores: Array, threshold: float) -> Array:
    """Suppression by intersection over the smaller box, in whole pixels: indices kept, best first.

    Of equal scores the last one wins. Faces larger than the frame clip to identical crops and so score alike; the
    reference's sort is not stable and takes either.
    """
    n = len(scores)
    order = best_first(scores[::-1].copy())
    areas = np.empty(n, np.float32)
    one, zero = np.float32(1.0), np.float32(0.0)
    for i in range(n):
        order[i] = n - 1 - order[i]
        areas[i] = (boxes[i, 2] - boxes[i, 0] + one) * (boxes[i, 3] - boxes[i, 1] + one)
    gone = np.zeros(n, np.bool_)
    kept = np.empty(n, np.int64)
    num_kept = 0
    for rank in range(n):
        i = order[rank]
        if gone[i]:
            continue
        kept[num_kept] = i
        num_kept += 1
        for other in range(rank + 1, n):
            j = order[other]
            if gone[j]:
                continue
            width = max(zero, min(boxes[i, 2], boxes[j, 2]) - max(boxes[i, 0], boxes[j, 0]) + one)
            height = max(zero, min(boxes[i, 3], boxes[j, 3]) - max(boxes[i, 1], boxes[j, 1]) + one)
            gone[j] = np.float64(width * height / min(areas[i], areas[j])) > threshold
    return kept[:num_kept]


@compiled()
def correct(boxes: Array, offsets: Array, extra: Scalar) -> None:
    """Each edge moved, in place, by its offset times the side, which counts `extra` pixels more than the difference."""
    for i in range(len(boxes)):
        width = boxes[i, 2] - boxes[i, 0] + extra
        height = boxes[i, 3] - boxes[i, 1] + extra
        boxes[i, 0] += offsets[i, 0] * width
        boxes[i, 1] += offsets[i, 1] * height
        boxes[i, 2] += offsets[i, 2] * width
        boxes[i, 3] += offsets[i, 3] * height


@compiled()
def square(boxes: Array) -> None:
    """Each box made square about its centre, in place; its side is the longer one."""
    half = np.float32(0.5)
    for i in range(len(boxes)):
        width, height = boxes[i, 2] - boxes[i, 0], boxes[i, 3] - boxes[i, 1]
        side = max(width, height)
        boxes[i, 0] = boxes[i, 0] + width * half - side * half
        boxes[i, 1] = boxes[i, 1] + height * half - side * half
        boxes[i, 2] = boxes[i, 0] + side
        boxes[i, 3] = boxes[i, 1] + side


@compiled()
def pixels_of(boxes: Array, height: int, width: int) -> Array:
    """Whole pixels of each box inside the photo, (n, 4) int64: left, top, right, bottom, the last two exclusive.

    A box outside the photo has right <= left or bottom <= top. As in the original, the first pixel has number 1.
    """
    pixels = np.empty((len(boxes), 4), np.int64)
    for i in range(len(boxes)):
        pixels[i, 0] = max(int(boxes[i, 0]), 1) - 1
        pixels[i, 1] = max(int(boxes[i, 1]), 1) - 1
        pixels[i, 2] = min(int(boxes[i, 2]), width)
        pixels[i, 3] = min(int(boxes[i, 3]), height)
    return pixels
