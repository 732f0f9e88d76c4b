"""Every odd file becomes upright RGB or a status."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageSequence, JpegImagePlugin

from datasets import photo
from datasets.photo import OK, TOO_LARGE, UNREADABLE, decode, encode, pixel_sha256, to_rgb

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


def picture(width: int = 40, height: int = 30) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


def saved(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def exif_with_odd_tag(tag: int) -> bytes:
    """Orientation 6, and a text where `tag` should be a number."""
    entries = sorted([(274, struct.pack("<HIHH", 3, 1, 6, 0)), (tag, struct.pack("<HI4s", 2, 4, b"abc\0"))])
    body = b"".join(struct.pack("<H", number) + entry for number, entry in entries)
    return b"Exif\0\0II*\0" + struct.pack("<IH", 8, len(entries)) + body + bytes(4)


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("RGB", "PNG"),
        ("RGB", "BMP"),
        ("L", "PNG"),
        ("L", "TIFF"),
        ("1", "PNG"),
        ("P", "PNG"),
        ("P", "GIF"),
        ("LA", "PNG"),
        ("RGBA", "PNG"),
        ("CMYK", "TIFF"),
        ("YCbCr", "TIFF"),
    ],
)
def test_photo_of_any_mode_becomes_rgb(mode, kind):
    image = picture().convert(mode)
    decoded = decode(saved(image, kind))
    assert (decoded.status, decoded.image.mode) == (OK, "RGB")
    assert np.array_equal(np.asarray(decoded.image), np.asarray(image.convert("RGB")))


def test_cmyk_jpeg_becomes_rgb_of_about_the_same_colours():
    image = Image.new("RGB", (32, 32), (200, 60, 20)).convert("CMYK")
    decoded = decode(saved(image, "JPEG", quality=95))
    assert np.abs(np.asarray(decoded.image, int) - (200, 60, 20)).max() < 12


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_scaled_and_not_clipped(kind):
    eight_bit = np.arange(256, dtype=np.uint16).reshape(16, 16)
    decoded = decode(saved(Image.fromarray(eight_bit * 257), kind))
    assert np.array_equal(np.asarray(decoded.image)[..., 1], eight_bit)


@pytest.mark.parametrize("image", [Image.new("RGBA", (4, 4), (9, 9, 9, 0)), Image.new("LA", (4, 4), (9, 0))])
def test_transparency_lies_on_white(image):
    assert (np.asarray(decode(saved(image, "PNG")).image) == 255).all()


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_transparent_palette_colour_lies_on_white(kind):
    image = Image.new("P", (4, 4), 1)
    image.putpalette([10, 20, 30, 40, 50, 60])
    assert (np.asarray(decode(saved(image, kind, transparency=1)).image) == 255).all()


@pytest.mark.parametrize("orientation", UNDO)
def test_exif_orientation_is_applied(orientation):
    upright, exif = picture(), Image.Exif()
    exif[274] = orientation
    decoded = decode(saved(upright.transpose(UNDO[orientation]), "PNG", exif=exif))
    assert np.array_equal(np.asarray(decoded.image), np.asarray(upright))


@pytest.mark.parametrize("tag", [256, 282, 531])
def test_odd_exif_tag_costs_no_photo(tag):
    decoded = decode(saved(picture(40, 30), "JPEG", exif=exif_with_odd_tag(tag)))
    assert (decoded.status, decoded.image.size) == (OK, (30, 40))


def test_animation_gives_its_first_frame():
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "green", "blue")]
    content = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert len(list(ImageSequence.Iterator(Image.open(io.BytesIO(content))))) == 3
    assert decode(content).image.getpixel((3, 3)) == (255, 0, 0)


@pytest.mark.parametrize(
    "content",
    [b"", b"not a photo", saved(picture(), "JPEG")[:400], saved(picture(), "PNG")[:-40], b"\xff\xd8\xff\xe0"],
    ids=["empty", "text", "truncated jpeg", "truncated png", "jpeg header"],
)
def test_damaged_file_is_unreadable(content):
    assert (decode(content).status, decode(content).image) == (UNREADABLE, None)


@pytest.mark.parametrize(("kind", "start", "end"), [("DDS", 80, 84), ("AVIF", 275, None)])
def test_decoder_that_gives_up_in_its_own_way_leaves_the_photo_unreadable(kind, start, end):
    content = np.frombuffer(saved(picture(), kind), np.uint8).copy()
    content[start:end] = 0  # Pillow raises NotImplementedError for the one and RuntimeError for the other
    assert decode(content.tobytes()).status == UNREADABLE


@settings(max_examples=300)
@given(
    kind=st.sampled_from(["JPEG", "PNG", "GIF", "TIFF", "BMP", "WEBP", "DDS"]),
    place=st.floats(0, 1, exclude_max=True),
    value=st.integers(0, 255),
    end=st.floats(0.2, 1.5),
)
def test_decode_never_raises(kind, place, value, end):
    content = bytearray(saved(picture(9, 7), kind))
    content[int(place**3 * len(content))] = value  # mostly in the header
    assert decode(bytes(content[: int(end * len(content))])).status in (OK, UNREADABLE, TOO_LARGE)


def test_photo_of_too_many_pixels_is_too_large(monkeypatch):
    monkeypatch.setattr(photo, "MAX_PIXELS", 40 * 30 - 1)
    assert decode(saved(picture(40, 30), "PNG")).status == TOO_LARGE
    assert decode(saved(picture(40, 29), "PNG")).status == OK


def test_decompression_bomb_is_too_large():
    content = saved(Image.new("L", (1, 1)), "PNG")
    header = b"IHDR" + struct.pack(">II", 50_000, 50_000) + content[24:29]
    assert decode(content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:]).status == TOO_LARGE


def test_pixel_hash_is_of_the_picture_and_not_of_the_file():
    image = picture()
    hashes = {pixel_sha256(decode(saved(image, kind)).image) for kind in ("PNG", "BMP", "TIFF")}
    image.putpixel((3, 4), (1, 2, 3))
    assert len(hashes) == 1
    assert pixel_sha256(decode(saved(image, "PNG")).image) not in hashes


def test_pixel_hash_tells_shapes_of_equal_bytes_apart():
    assert pixel_sha256(Image.new("RGB", (2, 8))) != pixel_sha256(Image.new("RGB", (4, 4)))


def test_png_crop_is_exact_and_jpeg_crop_keeps_full_colour_resolution():
    image = picture()
    assert np.array_equal(np.asarray(decode(encode(image, encoding="png", quality=95)).image), np.asarray(image))
    jpeg = Image.open(io.BytesIO(encode(image, encoding="jpeg", quality=95)))
    assert (jpeg.format, JpegImagePlugin.get_sampling(jpeg)) == ("JPEG", 0)


def test_rgb_picture_is_passed_through_unchanged():
    image = picture()
    assert to_rgb(image) is image
