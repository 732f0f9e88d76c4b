"""From a box to the square picture of a face, and from a photo to its frame."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from PIL import Image

Geometry = Literal["square", "facenet"]
MAX_REGION_SIDE = 4096
"""A larger square is cut from a reduced photo: with its margins it can be many times the photo itself."""
MIN_EYE_DISTANCE = 0.15
"""Eyes closer than this share of the box's longer side give no angle: a profile, or landmarks gone astray."""


def square_region(box: np.ndarray, *, margin_frac: float) -> tuple[int, int, int, int]:
    """The square around a detected box, in whole pixels (left, top, right, bottom); it may reach outside the photo.

    Its side is the longer side of the box plus `margin_frac` of it on either side; its centre is the box's.
    `box` is (4,): left, top, right, bottom in pixels.
    """
    left, top, right, bottom = (float(edge) for edge in box)
    side = max(1, round(max(right - left, bottom - top) * (1.0 + 2.0 * margin_frac)))
    x, y = round((left + right - side) / 2.0), round((top + bottom - side) / 2.0)
    return x, y, x + side, y + side


def face_crop(image: Image.Image, box: np.ndarray, *, image_size: int, margin_frac: float) -> Image.Image:
    """The face, square and undistorted, `image_size` pixels wide. What lies outside the photo is black."""
    image, box, _ = _bounded(image, box, box, margin_frac)
    region = square_region(box, margin_frac=margin_frac)
    return image.crop(region).resize((image_size, image_size), Image.Resampling.BILINEAR)


def aligned_crop(
    image: Image.Image, box: np.ndarray, landmarks: np.ndarray, *, image_size: int, margin_frac: float
) -> Image.Image:
    """The square of `face_crop`, turned with the face so that the line between the eyes is level.

    The photo is turned about the middle between the eyes, and the middle of the box with it: the square keeps its side
    and stays around the face. `landmarks` is (5, 2), the left and the right eye first. Without a usable line (see
    `MIN_EYE_DISTANCE`) this is `face_crop`.
    """
    if not _eyes_give_a_line(box, landmarks):
        return face_crop(image, box, image_size=image_size, margin_frac=margin_frac)
    image, box, landmarks = _bounded(image, box, landmarks, margin_frac)
    left, top, right, bottom = (float(edge) for edge in box)
    side = max(right - left, bottom - top) * (1.0 + 2.0 * margin_frac)
    across, down = (float(step) for step in landmarks[1] - landmarks[0])
    # Pillow's transform reads four pixels for one, however much it shrinks. So the square is drawn at no less than the
    # photo's own resolution, and whole blocks of it are averaged.
    block = max(1, math.ceil(side / image_size))
    step = side / (image_size * block)
    cos, sin = (step * part / math.hypot(across, down) for part in (across, down))
    x, y, half = (left + right) / 2.0, (top + bottom) / 2.0, image_size * block / 2.0
    drawn = image.transform(
        (image_size * block, image_size * block),
        Image.Transform.AFFINE,
        (cos, -sin, x - (cos - sin) * half, sin, cos, y - (sin + cos) * half),
        Image.Resampling.BILINEAR,
    )
    return drawn.reduce(block) if block > 1 else drawn


def facenet_margin(image_size: int, margin_frac: float) -> int:
    """facenet-pytorch's `margin`, in whole pixels of the crop, for a border of `margin_frac` of the box's sides."""
    return round(image_size * 2.0 * margin_frac / (1.0 + 2.0 * margin_frac))


def facenet_crop(image: Image.Image, box: np.ndarray, *, image_size: int, margin_frac: float) -> Image.Image:
    """The pixels of facenet_pytorch 2.6.0's `extract_face(image, box, image_size, facenet_margin(...))`.

    The box is cut at the photo's border and both its sides are stretched to `image_size`, so a face that is not square
    is distorted. A box with no pixel inside the photo, where upstream raises, gives black.
    """
    margin = facenet_margin(image_size, margin_frac)
    # Upstream's own arithmetic, in the box's own precision: another order of it moves some edges by a pixel.
    aside, above = (margin * (box[i + 2] - box[i]) / (image_size - margin) for i in (0, 1))
    region = (
        int(max(box[0] - aside / 2, 0)),
        int(max(box[1] - above / 2, 0)),
        int(min(box[2] + aside / 2, image.width)),
        int(min(box[3] + above / 2, image.height)),
    )
    if region[2] <= region[0] or region[3] <= region[1]:
        return Image.new("RGB", (image_size, image_size))
    return image.crop(region).resize((image_size, image_size), Image.Resampling.BILINEAR)


def full_frame(image: Image.Image, *, image_size: int) -> Image.Image:
    """The whole photo squeezed into the same square, so that crop and no crop differ in what is seen alone."""
    return image.resize((image_size, image_size), Image.Resampling.BILINEAR)


def _eyes_give_a_line(box: np.ndarray, landmarks: np.ndarray) -> bool:
    left_eye, right_eye = landmarks[:2].tolist()
    longer_side = float(max(box[2] - box[0], box[3] - box[1]))
    distance = math.dist(left_eye, right_eye)  # NaN compares false
    return 0.0 < MIN_EYE_DISTANCE * longer_side <= distance < math.inf


def _bounded(
    image: Image.Image, box: np.ndarray, points: np.ndarray, margin_frac: float
) -> tuple[Image.Image, np.ndarray, np.ndarray]:
    """Photo, box and points, reduced by a whole factor where the square would be larger than `MAX_REGION_SIDE`."""
    side = float(max(box[2] - box[0], box[3] - box[1])) * (1.0 + 2.0 * margin_frac)
    factor = math.ceil(side / MAX_REGION_SIDE)
    if factor <= 1:
        return image, box, points
    return image.reduce(factor), np.asarray(box) / factor, np.asarray(points) / factor
