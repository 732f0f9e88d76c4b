"""What follows the second and third network for the candidates of one photo."""

from __future__ import annotations

import numpy as np

from datasets.mtcnn.arrays import Array
from datasets.mtcnn.boxes import correct, pixels_of, square, suppress, suppress_within
from datasets.mtcnn.compiled import compiled
from datasets.mtcnn.pyramid import area_resize

THRESHOLD = 0.7
"""Of both networks: candidates of lower probability are dropped."""


@compiled()
def inside(boxes: Array, height: int, width: int) -> Array:
    """Indices of the boxes of which some part lies in the photo."""
    pixels = pixels_of(boxes, height, width)
    return np.flatnonzero((pixels[:, 2] > pixels[:, 0]) & (pixels[:, 3] > pixels[:, 1]))


@compiled()
def cut_out(flat: Array, num_channels: int, boxes: Array, out: Array) -> None:
    """Each box of a photo, resized to out (n, 3, side, side); a single channel is repeated. flat: (H, W * C) uint8."""
    pixels = pixels_of(boxes, flat.shape[0], flat.shape[1] // num_channels)
    side = out.shape[2]
    crop = np.empty((num_channels, side, side), np.float32)
    for i in range(len(boxes)):
        left, top, right, bottom = pixels[i]
        area_resize(flat, (left, top, right, bottom), crop, (side, side), 0, side)
        for c in range(3):
            part, goal = crop[c % num_channels], out[i, c]
            for y in range(side):
                for x in range(side):
                    goal[y, x] = part[y, x]


@compiled()
def after_second(boxes: Array, answers: Array) -> tuple[Array, Array]:
    """What R-Net's answers (n, 5) leave of (n, 4) boxes: indices kept, best first; their corrected, square boxes."""
    probabilities, offsets = answers[:, 0].copy(), answers[:, 1:5].copy()
    passed = np.flatnonzero(probabilities > THRESHOLD)
    kept = passed[suppress(boxes[passed], probabilities[passed], 0.7)]
    corrected = boxes[kept].copy()
    correct(corrected, offsets[kept], np.float32(1.0))
    square(corrected)
    return kept, corrected


@compiled()
def after_third(boxes: Array, answers: Array) -> tuple[Array, Array, Array]:
    """What O-Net's answers (n, 15) leave of (n, 4) boxes: indices kept, best first, their boxes, landmarks (n, 5, 2).

    The last ten answers are the five x and then the five y of the landmarks, as shares of the box.
    """
    probabilities, offsets, marks = answers[:, 0].copy(), answers[:, 1:5].copy(), answers[:, 5:15].copy()
    one = np.float32(1.0)
    passed = np.flatnonzero(probabilities > THRESHOLD)
    corrected = boxes[passed].copy()
    points = np.empty((len(passed), 5, 2), np.float32)
    for k in range(len(passed)):
        i = passed[k]
        width, height = boxes[i, 2] - boxes[i, 0] + one, boxes[i, 3] - boxes[i, 1] + one
        for p in range(5):
            points[k, p, 0] = width * marks[i, p] + boxes[i, 0] - one
            points[k, p, 1] = height * marks[i, 5 + p] + boxes[i, 1] - one
    correct(corrected, offsets[passed], one)
    kept = suppress_within(corrected, probabilities[passed], 0.7)
    return passed[kept], corrected[kept], points[kept]
