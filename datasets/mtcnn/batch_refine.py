"""The second and third stage on any device: R-Net and O-Net over the candidates of all photos together.

B photos, K slots for candidates.
"""

from __future__ import annotations

import torch
from facenet_pytorch.models.mtcnn import ONet, RNet
from torch import Tensor

from datasets.mtcnn.batch_boxes import best_first, correct, first_slots, pixels_of, square, suppress, take
from datasets.mtcnn.batch_proposals import Candidates
from datasets.mtcnn.batch_pyramid import crop_pictures
from datasets.mtcnn.refine import THRESHOLD

CROPS_AT_ONCE = 4096
"""Of 24 x 24 pixels, or a quarter as many of 48 x 48: under a gigabyte between the layers."""
ANSWER_COLUMNS = 17
"""Of a face: box (4), probability, landmarks (10: x and y of each), level, and whether the slot holds a face."""


def second_stage(net: RNet, sums: Tensor, sizes: Tensor, found: Candidates, rooms: tuple[int, int]) -> Candidates:
    """What R-Net leaves, with corrected, squared boxes. rooms: for crops of all photos, and after it for each."""
    (offsets, probabilities), asked, is_late = _ask(net, sums, sizes, found, rooms[0], 24)
    slots = first_slots(asked & (probabilities[..., 1] > THRESHOLD), rooms[1])
    scores = probabilities[..., 1].gather(1, slots.place)
    order = best_first(scores, slots.filled)
    place, filled = slots.place.gather(1, order), slots.filled.gather(1, order)
    boxes = take(found.boxes, place)
    kept, unsettled = suppress(boxes, filled, 0.7)
    boxes = square(correct(boxes, take(offsets, place), 1.0))
    _, is_inside = pixels_of(boxes, sizes[:, None])
    return Candidates(
        boxes,
        found.levels.gather(1, place),
        kept & is_inside,
        found.crowded | is_late | slots.crowded,
        found.unsettled | unsettled,
    )


def third_stage(net: ONet, sums: Tensor, sizes: Tensor, found: Candidates, room: int) -> Tensor:
    """The faces, (B, 2 + K * ANSWER_COLUMNS) float32: first whether the photo was crowded, and whether unsettled."""
    (offsets, marks, probabilities), asked, is_late = _ask(net, sums, sizes, found, room, 48)
    scores = probabilities[..., 1]
    filled = asked & (scores > THRESHOLD)
    # Of equal scores the last one wins here: faces larger than the frame clip to identical crops.
    order = found.boxes.shape[1] - 1 - best_first(scores.flip(1), filled.flip(1))
    boxes = correct(found.boxes, offsets, 1.0)
    table = torch.cat((boxes, scores[..., None], _points(found.boxes, marks), found.levels[..., None]), 2)
    table, filled = take(table, order), filled.gather(1, order)
    kept, unsettled = suppress(table[..., :4].contiguous(), filled, 0.7, within=True)
    answers = torch.cat((table, kept[..., None].float()), 2).flatten(1)
    doubts = torch.stack((found.crowded | is_late, found.unsettled | unsettled), 1)
    return torch.cat((doubts.float(), answers), 1)


def _points(boxes: Tensor, marks: Tensor) -> Tensor:
    """Landmarks (B, K, 10), x and y in turn. marks: (B, K, 10), the five x and then the five y as shares of the box."""
    corners, sides = boxes[..., None, :2], (boxes[..., 2:] - boxes[..., :2] + 1)[..., None, :]
    shares = torch.stack((marks[..., :5], marks[..., 5:]), -1)
    return (sides * shares + corners - 1).flatten(2)


def _ask(
    net: RNet | ONet, sums: Tensor, sizes: Tensor, found: Candidates, room: int, side: int
) -> tuple[list[Tensor], Tensor, Tensor]:
    """A network's answers (B, K, columns); which slots have one (B, K); which photos have one too few (B,).

    The filled slots of all photos are drawn together, so that empty ones cost nothing; the last may find no room.
    """
    num_photos, num_slots = found.filled.shape
    everyone = found.filled.flatten()
    room = min(room, len(everyone))
    chosen = first_slots(everyone[None], room).place[0]
    photos = torch.div(chosen, num_slots, rounding_mode="floor")
    pixels, _ = pixels_of(found.boxes.flatten(0, 1)[chosen], sizes[photos])
    at_once = CROPS_AT_ONCE * 24**2 // side**2
    parts = [
        net(crop_pictures(sums, some, boxes, side))
        for some, boxes in zip(photos.split(at_once), pixels.split(at_once), strict=True)
    ]
    place = everyone.cumsum(0) - 1
    asked = (everyone & (place < room)).view(num_photos, num_slots)
    own = place.clamp(0, room - 1)
    answers = [torch.cat(outputs)[own].view(num_photos, num_slots, -1) for outputs in zip(*parts, strict=True)]
    return answers, asked, (found.filled & ~asked).any(1)
