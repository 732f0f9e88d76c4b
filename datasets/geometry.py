"""Which square of a photo becomes the face crop."""

from __future__ import annotations

import numpy as np
from PIL import Image


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
    region = square_region(box, margin_frac=margin_frac)
    return image.crop(region).resize((image_size, image_size), Image.Resampling.BILINEAR)


def full_frame(image: Image.Image, *, image_size: int) -> Image.Image:
    """The whole photo squeezed into the same square, so that crop and no crop differ in what is seen alone."""
    return image.resize((image_size, image_size), Image.Resampling.BILINEAR)
