"""From the bytes of a file to upright 8-bit RGB, or a status that says why not."""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass

import numpy as np
from PIL import ExifTags, Image

OK = "ok"
NO_FACE = "no_face"
UNREADABLE = "unreadable"
TOO_LARGE = "too_large"
MAX_PIXELS = 100_000_000
"""A photo with more pixels than this is not decoded: a small file can unpack to fill the memory."""

_TURN_OF_ORIENTATION = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIXTEEN_BIT_MODES = ("I", "I;16", "I;16B", "I;16L", "I;16N")


@dataclass(frozen=True, slots=True)
class Decoded:
    """One photo as an RGB picture, or None with the status that says why."""

    status: str
    image: Image.Image | None = None


def decode(content: bytes) -> Decoded:
    """Decode one photo of any Pillow format: first frame, turned upright by its EXIF orientation, 8-bit RGB.

    Never raises: the status is `ok`, `unreadable` (empty, truncated, not an image) or `too_large`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's remarks on odd EXIF or palettes; the status carries what matters
        try:
            image = Image.open(io.BytesIO(content))
            if image.width * image.height > MAX_PIXELS:
                return Decoded(TOO_LARGE)
            image.load()
            return Decoded(OK, to_rgb(_upright(image)))
        except Image.DecompressionBombError:
            return Decoded(TOO_LARGE)
        except Exception:  # Pillow's decoders raise many kinds on damaged files
            return Decoded(UNREADABLE)


def _upright(image: Image.Image) -> Image.Image:
    """Turned as its EXIF orientation says; a photo whose EXIF is damaged stays as it lies.

    Pillow's own `exif_transpose` also writes the EXIF anew, and raises where any tag of it is odd.
    """
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # many kinds, on malformed tags
        return image
    turn = _TURN_OF_ORIENTATION.get(orientation) if isinstance(orientation, int) else None
    return image if turn is None else image.transpose(turn)


def to_rgb(image: Image.Image) -> Image.Image:
    """8-bit RGB of any mode. 16-bit grey is scaled (Pillow would clip it to white); transparency lies on white."""
    if image.mode in _SIXTEEN_BIT_MODES:
        grey = np.asarray(image, dtype=np.float64)
        return Image.fromarray(np.clip(np.rint(grey / 257.0), 0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        layered = image.convert("RGBA")
        white = Image.new("RGBA", layered.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, layered).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def pixel_sha256(image: Image.Image) -> str:
    """SHA-256 of size and upright RGB pixels: equal for two files that hold the same picture losslessly."""
    return hashlib.sha256(f"{image.width}x{image.height}".encode() + image.tobytes()).hexdigest()


def encode(image: Image.Image, *, encoding: str, quality: int) -> bytes:
    """The picture as PNG, or as JPEG without chroma subsampling."""
    buffer = io.BytesIO()
    if encoding == "png":
        image.save(buffer, "PNG", compress_level=1)
    else:
        image.save(buffer, "JPEG", quality=quality, subsampling=0)
    return buffer.getvalue()
