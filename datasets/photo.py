"""From the bytes of a file to upright 8-bit RGB, or a status that says why not."""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass

import numpy as np
from PIL import ExifTags, Image, ImageChops

from datasets.deep_grey import DEEP_MODES, eight_bit_grey

OK = "ok"
NO_FACE = "no_face"
FAILED = "failed"
UNREADABLE = "unreadable"
TOO_LARGE = "too_large"
READABLE = frozenset({OK, NO_FACE, FAILED})
"""Statuses of photos that have pixels. `failed` means that the search for a face broke on the photo: no face."""
STATUSES = READABLE | {UNREADABLE, TOO_LARGE}
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM")
"""What is decoded, told by the content, whatever the file is called; JPEG includes MPO. Pillow knows more formats: few
are photos, their checks are weaker, and one (EPS) is a program that it would run."""
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
_MAIN_FORMAT = {"MPO": "JPEG"}
_ALPHA_MODES = frozenset({"RGBA", "LA", "PA", "La", "RGBa"})


@dataclass(frozen=True, slots=True)
class Decoded:
    """One photo as an RGB picture, or None with the status that says why; `format` is one of FORMATS, or None."""

    status: str
    image: Image.Image | None = None
    format: str | None = None


def decode(content: bytes) -> Decoded:
    """Decode one photo of `FORMATS`: first frame, turned upright by its EXIF orientation, 8-bit RGB.

    Never raises: the status is `ok`, `unreadable` (empty, truncated, not an image) or `too_large`. Colour profiles are
    not applied.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's remarks on odd EXIF or palettes; the status carries what matters
        try:
            image = Image.open(io.BytesIO(content), formats=FORMATS)
            if image.width * image.height > MAX_PIXELS:
                return Decoded(TOO_LARGE)
            image.load()
            return Decoded(OK, to_rgb(_upright(_inks(image))), _MAIN_FORMAT.get(image.format or "", image.format))
        except Image.DecompressionBombError:
            return Decoded(TOO_LARGE)
        except Exception:  # Pillow's decoders raise many kinds on damaged files
            return Decoded(UNREADABLE)


def num_pixels(content: bytes) -> int:
    """How many pixels `decode` would hold, from the header alone; 0 where it would hold none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = Image.open(io.BytesIO(content), formats=FORMATS)
        except Exception:  # as in `decode`, which then gives the status
            return 0
    pixels = image.width * image.height
    return pixels if pixels <= MAX_PIXELS else 0


def _inks(image: Image.Image) -> Image.Image:
    """CMYK of a JPEG as amounts of ink. Adobe writes them inverted, and marks its files; Pillow inverts all alike."""
    if image.format in ("JPEG", "MPO") and image.mode == "CMYK" and "adobe" not in image.info:
        return ImageChops.invert(image)
    return image


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
    """8-bit RGB of any mode. Deep grey is scaled (Pillow would clip it to white); transparency lies on white."""
    if image.mode in DEEP_MODES:
        return eight_bit_grey(image).convert("RGB")
    if image.mode == "La":
        image = image.convert("LA")  # the one way that Pillow knows
    if image.mode in _ALPHA_MODES or "transparency" in image.info:
        layered = image.convert("RGBA")
        white = Image.new("RGBA", layered.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, layered).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def one_channel(image: Image.Image) -> Image.Image:
    """An RGB picture without colour in one channel (L), any other as it is. Cut and resized, it is done in a third of
    the time, to the same pixels."""
    from datasets.mtcnn.pyramid import is_grey  # its compiler takes a while to import, which only croppers need

    return image.getchannel(0) if is_grey(np.asarray(image)) else image


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
