"""Grey of more than eight bits (TIFF, PNG, PGM, JPEG 2000) to eight, where Pillow would clip it to white."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

DEEP_MODES = frozenset({"I", "I;16", "I;16B", "I;16L", "I;16N", "F"})
"""Pillow's modes of 16-bit, 32-bit integer and 32-bit float grey."""
_BITS_PER_SAMPLE, _PHOTOMETRIC, _SAMPLE_FORMAT = 258, 262, 339  # tags of TIFF 6.0
_WHITE_IS_ZERO, _UNSIGNED = 0, 1
_OVERSHOOT = 1.5


def eight_bit_grey(image: Image.Image) -> Image.Image:
    """A picture of one of `DEEP_MODES` as mode L. Black is 0; white is what the file says, else see `_white`.

    Values outside are clipped; NaN is black. A colour that a PNG declares transparent becomes white.
    """
    tags: Mapping[int, Any] = getattr(image, "tag_v2", {})
    values = np.asarray(image)
    if image.mode == "I" and _tag(tags, _BITS_PER_SAMPLE) == 32 and _tag(tags, _SAMPLE_FORMAT, _UNSIGNED) == _UNSIGNED:
        values = values.view(np.uint32)  # Pillow reads them as signed
    white = _white(image.mode, values, tags)
    scaled = values.astype(np.float32)  # and from here on in place: there may be 100 megapixels
    np.nan_to_num(scaled, copy=False)
    np.clip(scaled, 0.0, white, out=scaled)
    scaled *= np.float32(255.0 / white)
    grey = np.rint(scaled, out=scaled).astype(np.uint8)
    if _tag(tags, _PHOTOMETRIC) == _WHITE_IS_ZERO:
        grey = np.uint8(255) - grey
    if isinstance(transparent := image.info.get("transparency"), int):
        grey[values == transparent] = 255
    return Image.fromarray(grey)


def _white(mode: str, values: np.ndarray, tags: Mapping[int, Any]) -> float:
    """The value of white: full scale of 12 or 16 bits; else the smallest usual one that the brightest pixel fits.

    32-bit and float files name none. 1 (floats only), 255 and 65535 are usual; the brightest pixel may lie half as much
    above, as sharpened pictures do. Beyond them, the brightest pixel is white.
    """
    if mode.startswith("I;16"):
        return 4095.0 if _tag(tags, _BITS_PER_SAMPLE) == 12 else 65535.0
    finite = values[np.isfinite(values)]
    brightest = float(finite.max()) if finite.size else 0.0
    usual = (1.0, 255.0, 65535.0) if mode == "F" else (255.0, 65535.0)
    return next((white for white in usual if brightest <= white * _OVERSHOOT), brightest)


def _tag(tags: Mapping[int, Any], number: int, default: int | None = None) -> int | None:
    """The first number of a TIFF tag; `default` without it, or where the file is no TIFF."""
    value = tags.get(number, default)
    return value[0] if isinstance(value, tuple) and value else value
