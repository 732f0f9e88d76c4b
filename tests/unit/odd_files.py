"""Files that Pillow cannot write, built byte by byte."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

UNDO = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""What a camera does to the upright picture before it writes that EXIF orientation."""


def saved(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png_chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(samples: np.ndarray, *, before: bytes = b"") -> bytes:
    """PNG of (H, W) grey or (H, W, 2 to 4) samples, uint8 or uint16; `before` are chunks ahead of the pixels."""
    height, width = samples.shape[:2]
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[samples.shape[2] if samples.ndim == 3 else 1]
    header = struct.pack(">IIBBBBB", width, height, 8 * samples.itemsize, colour, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(samples.dtype.newbyteorder(">")).tobytes() for row in samples)
    chunks = png_chunk(b"IHDR", header) + before + png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def png_that_claims(width: int, height: int) -> bytes:
    """A PNG of one pixel whose header claims another size."""
    content = png(np.zeros((1, 1), np.uint8))
    claim = struct.pack(">II", width, height) + content[24:29]
    return content[:8] + png_chunk(b"IHDR", claim) + content[33:]


def tiff(pixels: bytes, *, width: int, height: int, bits: int, sample_format: int = 1, photometric: int = 1) -> bytes:
    """Little-endian TIFF of one strip of grey (or, with photometric 2, three-channel) samples, written as they are."""
    channels = 3 if photometric == 2 else 1
    tags = {
        256: width, 257: height, 258: bits, 259: 1, 262: photometric, 273: 8, 277: channels, 278: height,
        279: len(pixels), 339: sample_format,
    }  # fmt: skip
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<I", 8 + len(pixels)) + pixels + struct.pack("<H", len(tags)) + entries + bytes(4)


def grey_tiff(grey: np.ndarray, **tags) -> bytes:
    """TIFF of (H, W) samples of any type."""
    kind = {"u": 1, "i": 2, "f": 3}[grey.dtype.kind]
    height, width = grey.shape
    return tiff(grey.tobytes(), width=width, height=height, bits=8 * grey.itemsize, sample_format=kind, **tags)


def twelve_bit_tiff(grey: np.ndarray) -> bytes:
    """TIFF of (H, W) samples of 12 bits, two packed in three bytes. W is even."""
    first, second = grey[:, 0::2].astype(int), grey[:, 1::2].astype(int)
    packed = np.stack([first >> 4, ((first & 15) << 4) | (second >> 8), second & 255], axis=2).astype(np.uint8)
    return tiff(packed.tobytes(), width=grey.shape[1], height=grey.shape[0], bits=12)


def cmyk_jpeg(image: Image.Image, kind: str) -> bytes:
    """A four-channel JPEG: `adobe` (inverted, marked), `plain` (neither), or `ycck` (as Photoshop writes it)."""
    inks = np.asarray(image.convert("CMYK"))
    if kind == "ycck":
        colour = np.asarray(Image.fromarray(inks[..., :3]).convert("YCbCr"))
        stored = np.dstack([colour, 255 - inks[..., 3]])
    else:
        stored = inks if kind == "plain" else 255 - inks
    # Pillow inverts what it is given, writes it as it is otherwise, and marks the file.
    content = saved(Image.frombytes("CMYK", image.size, (255 - stored).tobytes()), "JPEG", quality=97)
    start = content.index(b"\xff\xee\x00\x0eAdobe")
    if kind == "plain":
        return content[:start] + content[start + 16 :]
    transform = b"\2" if kind == "ycck" else b"\0"
    return content[: start + 15] + transform + content[start + 16 :]


def exif_of(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[274] = orientation
    return exif


def exif_with_odd_tag(tag: int) -> bytes:
    """Orientation 6, and a text where `tag` should be a number."""
    entries = sorted([(274, struct.pack("<HIHH", 3, 1, 6, 0)), (tag, struct.pack("<HI4s", 2, 4, b"abc\0"))])
    body = b"".join(struct.pack("<H", number) + entry for number, entry in entries)
    return b"Exif\0\0II*\0" + struct.pack("<IH", 8, len(entries)) + body + bytes(4)
