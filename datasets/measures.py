"""What an audit compares photos by, measured while they are decoded anyway."""

from __future__ import annotations

import numpy as np
from PIL import Image

SIGNATURE_SIDE = 96
_SHARPNESS_SIDE = 256


def signature(image: Image.Image) -> bytes:
    """The whole photo in grey, squeezed to 96 x 96 pixels: row by row, a byte a pixel."""
    grey = image.convert("L").resize((SIGNATURE_SIDE, SIGNATURE_SIDE), Image.Resampling.BILINEAR)  # averages areas
    return grey.tobytes()


def sharpness(image: Image.Image) -> float:
    """Standard deviation of the Laplacian of the grey photo in grey levels, its longer side reduced to 256 pixels.

    Low for a blurred photo, and for one that was enlarged. A photo smaller than 3 x 3 has none: 0.
    """
    scale = min(1.0, _SHARPNESS_SIDE / max(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    grey = np.asarray(image.convert("L").resize(size, Image.Resampling.BILINEAR), np.int16)
    if min(grey.shape) < 3:
        return 0.0
    middle = 4 * grey[1:-1, 1:-1]
    return float((grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - middle).std())
