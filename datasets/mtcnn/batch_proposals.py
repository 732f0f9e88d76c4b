"""The first stage on any device: P-Net over the pyramids of all photos of a canvas.

B photos, L levels, K slots for candidates.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from facenet_pytorch.models.mtcnn import PNet
from torch import Tensor

from datasets.mtcnn.batch_boxes import best_first, correct, first_slots, pixels_of, square, suppress, take
from datasets.mtcnn.batch_canvas import Canvas
from datasets.mtcnn.batch_pyramid import level_pictures
from datasets.mtcnn.batch_room import Room
from datasets.mtcnn.proposals import STRIDE, THRESHOLD
from datasets.mtcnn.pyramid import CELL


class Level(NamedTuple):
    """Cells of one level that may be faces, in reading order."""

    place: Tensor  # (B, K) int64, counted row by row on the canvas's level
    scores: Tensor  # (B, K) float32
    offsets: Tensor  # (B, K, 4) float32
    filled: Tensor  # (B, K) bool
    crowded: Tensor  # (B,) bool


class Candidates(NamedTuple):
    """What a stage leaves of each photo, best first."""

    boxes: Tensor  # (B, K, 4) float32
    levels: Tensor  # (B, K) float32, 0 the coarsest
    filled: Tensor  # (B, K) bool
    crowded: Tensor  # (B,) bool: there were more than slots, here or before
    unsettled: Tensor  # (B,) bool: suppression took more rounds than it has, here or before


def propose(net: PNet, canvas: Canvas, sums: Tensor, room: Room) -> Candidates:
    """Boxes that P-Net finds on any level, squared, of each photo. sums: the canvas's `running_sums`."""
    pictures = enumerate(level_pictures(sums, canvas))
    levels = [_search_level(net, canvas, of_level, rank, room.level) for rank, of_level in pictures]
    found = Level(*(torch.stack(parts, 1) for parts in zip(*levels, strict=True)))
    # A row of the table: box (4), offsets (4), score, level. Levels count from the coarsest, the first here the finest.
    num_photos, num_levels, num_slots = found.place.shape
    own_levels = (canvas.level_sizes[:, :, 0] > 0).sum(0)[:, None]
    levels_left = (own_levels - 1 - torch.arange(num_levels, device=sums.device))[:, :, None].expand_as(found.scores)
    numbers = torch.stack((found.scores, levels_left.float()), 3)
    table = torch.cat((_boxes(found.place, canvas), found.offsets, numbers), 3)
    table, kept, unsettled = _suppressed(table.flatten(0, 1), found.filled.flatten(0, 1), 0.5)
    # Finest first, as the reference lists them: of equal scores the first stays.
    slots = first_slots(kept.view(num_photos, -1), min(room.merged, num_levels * num_slots))
    merged = take(table.view(num_photos, -1, table.shape[2]), slots.place)
    merged, kept, tangled = _suppressed(merged, slots.filled, 0.7)
    boxes = square(correct(merged[..., :4], merged[..., 4:8], 0.0))
    _, is_inside = pixels_of(boxes, canvas.sizes[:, None])
    crowded = found.crowded.any(1) | slots.crowded
    return Candidates(boxes, merged[..., 9], kept & is_inside, crowded, unsettled.view(num_photos, -1).any(1) | tangled)


def _search_level(net: PNet, canvas: Canvas, pictures: Tensor, rank: int, room: int) -> Level:
    own = canvas.level_sizes[rank] if canvas.is_ragged else None
    probabilities, offsets = _cells(net, pictures, own)
    is_face = probabilities >= THRESHOLD
    if own is not None:
        is_face &= ~_beyond(_cell_counts(own), is_face)
    slots = first_slots(is_face.flatten(1), room)
    scores = probabilities.flatten(1).gather(1, slots.place)
    moves = take(offsets.permute(0, 2, 3, 1).flatten(1, 2), slots.place)
    return Level(slots.place, scores, moves, slots.filled, slots.crowded)


def _boxes(place: Tensor, canvas: Canvas) -> Tensor:
    """The square in the photo that each cell looks at, (B, L, K, 4) float32. place: (B, L, K), as of `Level`."""
    cells = [
        torch.stack((of_level % width, torch.div(of_level, width, rounding_mode="floor")), 2)
        for of_level, width in zip(place.unbind(1), _cell_columns(canvas), strict=True)
    ]
    corners = torch.stack(cells, 1) * STRIDE
    # By a tensor: for a number a GPU multiplies by its reciprocal, and may round a whole quotient down.
    return torch.floor(torch.cat((corners + 1, corners + CELL), 3).float() / canvas.scales[:, None, None])


def _cell_columns(canvas: Canvas) -> list[int]:
    """Columns of cells on each level of the canvas."""
    return [(columns - 1) // 2 - 4 for _, columns in canvas.level_shapes]


def _suppressed(table: Tensor, filled: Tensor, threshold: float) -> tuple[Tensor, Tensor, Tensor]:
    """Candidates (R, K, 10) best first, which of them are kept (R, K), and the rows (R,) that are unsettled."""
    order = best_first(table[..., 8], filled)
    table, filled = take(table, order), filled.gather(1, order)
    return table, *suppress(table[..., :4].contiguous(), filled, threshold)


def _cell_counts(own: Tensor) -> Tensor:
    """Rows and columns of cells on levels of (B, 2) rows and columns: two pixels off, halved upwards, four off."""
    return torch.div(own - 1, 2, rounding_mode="floor") - 4


def _cells(net: PNet, pictures: Tensor, own: Tensor | None) -> tuple[Tensor, Tensor]:
    """Probability (B, h, w) and offsets (B, 4, h, w) of each cell. own: (B, 2), the levels' own sizes.

    At an odd edge the maximum over 2 x 2 reaches beyond the level, where nothing may be higher. Zeros follow: an
    infinity would reach back into the level through a convolution computed by transforms.
    """
    features = net.prelu1(net.conv1(pictures))
    if own is not None:
        features.masked_fill_(_beyond(own - 2, features)[:, None], -torch.inf)
    features = net.pool1(features)
    if own is not None:
        features.masked_fill_(_beyond(_cell_counts(own) + 4, features)[:, None], 0.0)
    features = net.prelu3(net.conv3(net.prelu2(net.conv2(features))))
    return net.softmax4_1(net.conv4_1(features))[:, 1], net.conv4_2(features)


def _beyond(sizes: Tensor, values: Tensor) -> Tensor:
    """Which places (B, h, w) of `values`, (B, ..., h, w), lie beyond the first rows and columns that `sizes` counts."""
    rows = torch.arange(values.shape[-2], device=sizes.device)[None, :, None]
    columns = torch.arange(values.shape[-1], device=sizes.device)
    return (rows >= sizes[:, 0, None, None]) | (columns >= sizes[:, 1, None, None])
