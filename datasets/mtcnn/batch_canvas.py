"""Photos of different sizes as one tensor: which of them share a canvas, and what the device is told about each.

B photos, L levels of the image pyramid, H rows and W columns of the canvas.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from datasets.mtcnn.pyramid import level_shape, pyramid_scales

CANVAS_PIXELS = 16_000_000
"""Of one canvas, unless a single photo is larger. The search needs about 100 bytes of the device's memory for each."""
MAX_PADDING = 2.0
"""A canvas has at most this many times the pixels of its photos: a ribbon does not lie on one with a square."""

Size = tuple[int, int]
"""Rows and columns."""


@dataclass(frozen=True)
class Canvas:
    """B photos on the device, each in the top left corner of its (H, W) place, zeros beyond."""

    pixels: Tensor  # (B, H, W, 3) uint8
    sizes: Tensor  # (B, 2) int64, rows and columns of each photo
    level_sizes: Tensor  # (L, B, 2) int64, rows and columns of each level, finest first; 0 where a photo lacks it
    scales: Tensor  # (L,) float32, finest first; the same for all photos
    level_shapes: tuple[Size, ...]  # rows and columns of the largest level of each rank, for the host
    is_ragged: bool  # whether some photo is smaller than its place

    def to(self, device: torch.device) -> Canvas:
        """On the device. Nothing waits for a copy out of pinned memory."""
        parts = (self.pixels, self.sizes, self.level_sizes, self.scales)
        pixels, sizes, level_sizes, scales = (part.to(device, non_blocking=True) for part in parts)
        return Canvas(pixels, sizes, level_sizes, scales, self.level_shapes, self.is_ragged)


def share_canvases(sizes: Sequence[Size]) -> list[list[int]]:
    """Indices of the photos of each canvas. Every photo is on one; large photos are placed first."""
    canvases: list[list[int]] = []
    for index in sorted(range(len(sizes)), key=lambda index: -sizes[index][0] * sizes[index][1]):
        for canvas in canvases:
            if _fit([sizes[other] for other in (*canvas, index)]):
                canvas.append(index)
                break
        else:
            canvases.append([index])
    return canvases


def _fit(sizes: Sequence[Size]) -> bool:
    pixels = len(sizes) * max(rows for rows, _ in sizes) * max(columns for _, columns in sizes)
    return pixels <= min(CANVAS_PIXELS, MAX_PADDING * sum(rows * columns for rows, columns in sizes))


def lay_out(photos: Sequence[np.ndarray], min_face_size: float, *, pinned: bool) -> Canvas:
    """A canvas in the host's memory of (H, W, 3) uint8 photos, none without a level."""
    shapes = [(photo.shape[0], photo.shape[1]) for photo in photos]
    rows, columns = (max(sides) for sides in zip(*shapes, strict=True))
    pixels = torch.zeros((len(photos), rows, columns, 3), dtype=torch.uint8, pin_memory=pinned)
    for place, photo in zip(pixels.numpy(), photos, strict=True):
        place[: photo.shape[0], : photo.shape[1]] = photo
    scales = max((pyramid_scales(*shape, min_face_size) for shape in shapes), key=len)
    table = torch.zeros((1 + len(scales), len(photos), 2), dtype=torch.int64, pin_memory=pinned)
    for index, shape in enumerate(shapes):
        levels = [level_shape(*shape, scale) for scale in pyramid_scales(*shape, min_face_size)]
        table[: 1 + len(levels), index] = torch.tensor([shape, *levels])
    largest = tuple((int(level[:, 0].max()), int(level[:, 1].max())) for level in table[1:])
    factors = torch.zeros(len(scales), dtype=torch.float32, pin_memory=pinned).copy_(torch.tensor(scales))
    return Canvas(pixels, table[0], table[1:], factors, largest, is_ragged=len(set(shapes)) > 1)
