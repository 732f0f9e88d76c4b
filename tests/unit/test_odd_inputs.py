"""The table of odd inputs in docs/detection.md: each file with its status, its pixels and its face."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pytest
import skimage.data
from PIL import Image, ImageCms

from datasets.cropper import CropConfig, PhotoCropper
from datasets.photo import decode
from datasets.shards import SCHEMA
from tests.unit.odd_files import (
    UNDO,
    cmyk_jpeg,
    exif_of,
    exif_with_odd_tag,
    grey_tiff,
    png,
    png_chunk,
    png_that_claims,
    saved,
    tiff,
    twelve_bit_tiff,
)

PIXELS = skimage.data.astronaut()[:256, 100:356]
FACE = Image.fromarray(PIXELS)
"""256 by 256, the face near x 80 to 170, y 60 to 175."""
GREY = np.asarray(FACE.convert("L"))
DEEP = GREY.astype(np.uint16) * 257
BLACK = np.zeros((256, 256), np.uint8)


class Odd(NamedTuple):
    """One odd file. `near`: the decoded pixels, (H, W) or (H, W, 3), within a mean difference of `within`."""

    name: str
    content: Callable[[], bytes]
    status: str
    near: np.ndarray | None = None
    within: float = 0.0


def in_mode(mode: str, kind: str, **options) -> Callable[[], bytes]:
    return lambda: saved(FACE.convert(mode), kind, **options)


def animation(kind: str) -> Callable[[], bytes]:
    later = [Image.new("RGB", FACE.size, colour) for colour in ("red", "blue")]
    exact = {"lossless": True} if kind == "WEBP" else {}
    return lambda: saved(FACE, kind, save_all=True, append_images=later, **exact)


def lying(orientation: int, kind: str, **options) -> Callable[[], bytes]:
    return lambda: saved(FACE.transpose(UNDO[orientation]), kind, exif=exif_of(orientation), **options)


def cut(kind: str, share: float, **options) -> Callable[[], bytes]:
    def content() -> bytes:
        whole = saved(FACE, kind, **options)
        return whole[: int(len(whole) * share)]

    return content


def lab() -> bytes:
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    return saved(ImageCms.profileToProfile(FACE, *profiles, outputMode="LAB"), "TIFF")


def see_through() -> bytes:
    image = FACE.convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 256, 40))
    return saved(image, "PNG")


def float_colour() -> bytes:
    samples = PIXELS.astype(np.float32).tobytes()
    return tiff(samples, width=256, height=256, bits=32, sample_format=3, photometric=2)


TOP_WHITE = PIXELS.copy()
TOP_WHITE[:40] = 255
HOLES = np.where(DEEP[0, 0] == DEEP, 255, GREY)
WITH_NAN = GREY.astype(np.float32) / 255
WITH_NAN[:40] = np.nan
TOP_BLACK = np.where(np.isnan(WITH_NAN), 0, GREY)
RIBBON = np.tile(PIXELS[100:120], (1, 79, 1))[:, :20000]

ODD_FILES = [
    # modes and depths
    Odd("grey", in_mode("L", "PNG"), "ok", GREY),
    Odd("grey JPEG", in_mode("L", "JPEG", quality=95), "ok", GREY, 1.5),
    Odd("1-bit, dithered", in_mode("1", "PNG"), "ok", np.asarray(FACE.convert("1").convert("L"))),
    Odd("palette", in_mode("P", "PNG"), "ok", PIXELS, 15),
    Odd("grey and alpha", in_mode("LA", "PNG"), "ok", GREY),
    Odd("colour and alpha", in_mode("RGBA", "PNG"), "ok", PIXELS),
    Odd("transparent above the face", see_through, "ok", TOP_WHITE),
    Odd("wholly transparent", lambda: saved(Image.new("RGBA", FACE.size), "PNG"), "no_face", BLACK + 255),
    Odd("16-bit grey PNG", lambda: png(DEEP), "ok", GREY),
    Odd("16-bit colour PNG", lambda: png(PIXELS.astype(np.uint16) * 257), "ok", PIXELS),
    Odd("16-bit colour and alpha", lambda: png(np.dstack([PIXELS, BLACK + 255]).astype(np.uint16) * 257), "ok", PIXELS),
    Odd("16-bit grey, one value transparent",
        lambda: png(DEEP, before=png_chunk(b"tRNS", DEEP[0, 0].astype(">u2").tobytes())), "ok", HOLES),
    Odd("12-bit grey TIFF", lambda: twelve_bit_tiff(GREY.astype(int) * 4095 // 255), "ok", GREY),
    Odd("16-bit grey TIFF", lambda: grey_tiff(DEEP), "ok", GREY),
    Odd("16-bit grey TIFF, white is 0", lambda: grey_tiff(65535 - DEEP, photometric=0), "ok", GREY),
    Odd("16-bit PGM", lambda: b"P5 256 256 65535\n" + DEEP.astype(">u2").tobytes(), "ok", GREY),
    Odd("32-bit TIFF, white is 255", lambda: grey_tiff(GREY.astype(np.int32)), "ok", GREY),
    Odd("32-bit TIFF, white is 65535", lambda: grey_tiff(DEEP.astype(np.int32)), "ok", GREY),
    Odd("32-bit TIFF, full scale", lambda: grey_tiff(GREY.astype(np.uint32) * 0x1010101), "ok", GREY),
    Odd("float TIFF, white is 1", lambda: grey_tiff(GREY.astype(np.float32) / 255), "ok", GREY),
    Odd("float TIFF, white is 255", lambda: grey_tiff(GREY.astype(np.float32)), "ok", GREY),
    Odd("float TIFF, NaN above the face", lambda: grey_tiff(WITH_NAN), "ok", TOP_BLACK),
    Odd("float TIFF, all NaN", lambda: grey_tiff(np.full((256, 256), np.nan, np.float32)), "no_face", BLACK),
    Odd("float TIFF in colour", float_colour, "unreadable"),
    # colour spaces
    Odd("CMYK TIFF", in_mode("CMYK", "TIFF"), "ok", PIXELS),
    Odd("CMYK JPEG of Adobe's (inverted)", lambda: cmyk_jpeg(FACE, "adobe"), "ok", PIXELS, 1.5),
    Odd("CMYK JPEG of others (not inverted)", lambda: cmyk_jpeg(FACE, "plain"), "ok", PIXELS, 1.5),
    Odd("YCCK JPEG", lambda: cmyk_jpeg(FACE, "ycck"), "ok", PIXELS, 2),
    Odd("YCbCr TIFF", in_mode("YCbCr", "TIFF"), "ok", PIXELS, 1.5),
    Odd("LAB TIFF", lab, "ok", PIXELS, 1),
    # containers
    Odd("BMP", in_mode("RGB", "BMP"), "ok", PIXELS),
    Odd("WebP", in_mode("RGB", "WEBP", lossless=True), "ok", PIXELS),
    Odd("AVIF", in_mode("RGB", "AVIF", quality=95), "ok", PIXELS, 3),
    Odd("JPEG 2000", in_mode("RGB", "JPEG2000"), "ok", PIXELS),
    Odd("GIF", in_mode("RGB", "GIF"), "ok", PIXELS, 15),
    Odd("animated GIF: first frame", animation("GIF"), "ok", PIXELS, 15),
    Odd("animated WebP: first frame", animation("WEBP"), "ok", PIXELS),
    Odd("animated PNG: first frame", animation("PNG"), "ok", PIXELS),
    Odd("MPO: first picture", animation("MPO"), "ok", PIXELS, 4),
    Odd("TIFF of several pages: first page", animation("TIFF"), "ok", PIXELS),
    # orientation
    *(Odd(f"EXIF orientation {number}", lying(number, "PNG"), "ok", PIXELS) for number in UNDO),
    Odd("EXIF orientation of a JPEG", lying(6, "JPEG", quality=95), "ok", PIXELS, 3),
    Odd("EXIF orientation of a WebP", lying(6, "WEBP", lossless=True), "ok", PIXELS),
    Odd("EXIF orientation of a TIFF", lying(6, "TIFF"), "ok", PIXELS),
    Odd("EXIF with a damaged tag",
        lambda: saved(FACE.transpose(UNDO[6]), "JPEG", exif=exif_with_odd_tag(282), quality=95), "ok", PIXELS, 3),
    Odd("lying, and no EXIF to say so", lambda: saved(FACE.transpose(UNDO[6]), "PNG"), "no_face"),
    # sizes
    Odd("one pixel", lambda: saved(FACE.resize((1, 1)), "PNG"), "no_face"),
    Odd("19 pixels wide", lambda: saved(FACE.resize((19, 256)), "PNG"), "no_face"),
    Odd("20 by 20 pixels", lambda: saved(FACE.crop((80, 60, 170, 175)).resize((20, 20)), "PNG"), "ok"),
    Odd("ribbon, 20000 by 20", lambda: saved(Image.fromarray(RIBBON), "PNG"), "no_face", RIBBON),
    Odd("ribbon, 1 by 20000", lambda: saved(Image.fromarray(RIBBON[:1]).transpose(UNDO[6]), "PNG"), "no_face"),
    Odd("over 100 megapixels", lambda: png_that_claims(10_001, 10_000), "too_large"),
    Odd("decompression bomb", lambda: png_that_claims(50_000, 50_000), "too_large"),
    Odd("face cut by the border", lambda: saved(FACE.crop((105, 40, 256, 200)), "PNG"), "ok", PIXELS[40:200, 105:]),
    # damaged, or no photo
    Odd("empty", lambda: b"", "unreadable"),
    Odd("text", lambda: b"not a photo", "unreadable"),
    Odd("web page called .jpg", lambda: b"<!DOCTYPE html><html><body>404</body></html>", "unreadable"),
    Odd("PostScript (a program)", in_mode("RGB", "EPS"), "unreadable"),
    Odd("PDF", in_mode("RGB", "PDF"), "unreadable"),
    Odd("JPEG header alone", lambda: b"\xff\xd8\xff\xe0", "unreadable"),
    Odd("truncated JPEG", cut("JPEG", 0.7), "unreadable"),
    Odd("truncated PNG", cut("PNG", 0.7), "unreadable"),
    Odd("truncated GIF", cut("GIF", 0.7), "unreadable"),
    Odd("truncated TIFF", cut("TIFF", 0.7), "unreadable"),
    Odd("truncated WebP", cut("WEBP", 0.7), "unreadable"),
    Odd("truncated BMP", cut("BMP", 0.7), "unreadable"),
]  # fmt: skip


class OneFile:
    """Reads every path as the same bytes. The path has the wrong extension: the content decides."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def read(self, path: str) -> bytes:
        return self.content


@pytest.fixture(scope="module")
def detector():
    from datasets.detector import FaceDetector

    return FaceDetector()


@pytest.mark.parametrize("odd", ODD_FILES, ids=lambda odd: odd.name)
def test_odd_file_has_its_status_its_pixels_and_its_face(odd, detector):
    content = odd.content()
    cropper = PhotoCropper(CropConfig(image_size=32), OneFile(content), lambda cfg: detector)
    batch = {"path": ["joy/photo.txt"], "label": ["joy"], "split": ["train"], "subject": [None]}
    (row,) = pa.table(cropper({name: np.array(value, object) for name, value in batch.items()}), SCHEMA).to_pylist()
    assert row["status"] == odd.status
    assert [row[name] is not None for name in ("width", "frame")] == [odd.status in ("ok", "no_face")] * 2
    assert (row["face"] is not None) == (odd.status == "ok")
    if odd.near is not None:
        pixels = np.asarray(decode(content).image, float)
        expected = odd.near if odd.near.ndim == 3 else np.repeat(odd.near[..., None], 3, axis=2)
        assert pixels.shape == expected.shape
        assert np.abs(pixels - expected).mean() <= odd.within
    if odd.status == "ok" and (row["width"], row["height"]) == FACE.size:
        np.testing.assert_allclose(row["box"], [84, 64, 168, 176], atol=14)


def test_every_odd_file_is_documented():
    from pathlib import Path

    page = (Path(__file__).resolve().parents[2] / "docs" / "detection.md").read_text(encoding="utf-8")
    listed = {cells[1].strip(): cells[2].strip() for line in page.splitlines() if len(cells := line.split("|")) > 3}
    assert {odd.name: listed.get(odd.name) for odd in ODD_FILES} == {odd.name: f"`{odd.status}`" for odd in ODD_FILES}
