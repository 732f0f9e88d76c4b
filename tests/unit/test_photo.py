"""A file becomes upright RGB or a status. The table of odd files is in test_odd_inputs.py."""

import io

import numpy as np
import pytest
from PIL import Image, JpegImagePlugin

from datasets import photo
from datasets.photo import OK, TOO_LARGE, UNREADABLE, decode, encode, num_pixels, pixel_sha256, to_rgb
from tests.unit.odd_files import UNDO, exif_of, exif_with_odd_tag, png_that_claims, saved


def picture(width: int = 40, height: int = 30) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


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
    upright = picture()
    decoded = decode(saved(upright.transpose(UNDO[orientation]), "PNG", exif=exif_of(orientation)))
    assert np.array_equal(np.asarray(decoded.image), np.asarray(upright))


@pytest.mark.parametrize("tag", [256, 282, 531])
def test_odd_exif_tag_costs_no_photo(tag):
    decoded = decode(saved(picture(40, 30), "JPEG", exif=exif_with_odd_tag(tag)))
    assert (decoded.status, decoded.image.size) == (OK, (30, 40))


def test_decoder_that_gives_up_in_its_own_way_leaves_the_photo_unreadable():
    content = np.frombuffer(saved(picture(), "AVIF"), np.uint8).copy()
    content[275:] = 0  # Pillow raises RuntimeError
    assert decode(content.tobytes()).status == UNREADABLE


def test_photo_of_too_many_pixels_is_too_large(monkeypatch):
    monkeypatch.setattr(photo, "MAX_PIXELS", 40 * 30 - 1)
    assert decode(saved(picture(40, 30), "PNG")).status == TOO_LARGE
    assert decode(saved(picture(40, 29), "PNG")).status == OK


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


@pytest.mark.parametrize("mode", ["La", "RGBa", "PA", "HSV", "YCbCr", "RGBX", "I", "F", "I;16", "I;16B"])
def test_picture_of_a_mode_that_files_seldom_have_becomes_rgb(mode):
    grey = picture().convert("L")
    if mode.startswith("I;16"):
        deep = np.asarray(grey).astype(np.uint16) * 257
        image = Image.frombytes(mode, grey.size, deep.astype(">u2" if mode == "I;16B" else "<u2").tobytes())
    else:
        image = grey.convert({"La": "LA", "RGBa": "RGBA", "PA": "P"}.get(mode, "RGB" if mode[0] in "HYR" else "L"))
        image = image.convert(mode)
    assert np.abs(np.asarray(to_rgb(image), int) - np.asarray(grey.convert("RGB"), int)).max() <= 2


def test_number_of_pixels_is_known_before_they_are_decoded(monkeypatch):
    monkeypatch.setattr(photo, "MAX_PIXELS", 40 * 30)
    assert num_pixels(saved(picture(40, 30), "JPEG")) == 40 * 30
    assert num_pixels(saved(picture(40, 31), "PNG")) == num_pixels(b"") == num_pixels(b"no photo") == 0
    assert num_pixels(png_that_claims(50_000, 50_000)) == 0


def test_deep_grey_brighter_than_any_usual_white_is_white_where_it_is_brightest():
    values = np.array([[0, 600_000, 1_000_000]], np.float32)
    assert np.asarray(to_rgb(Image.fromarray(values)))[0, :, 0].tolist() == [0, 153, 255]


def test_infinite_and_negative_values_are_the_ends_of_the_scale():
    values = np.array([[-1, 0.5, np.inf, -np.inf]], np.float32)
    assert np.asarray(to_rgb(Image.fromarray(values)))[0, :, 0].tolist() == [0, 128, 255, 0]
