"""Whatever the bytes, a photo becomes a row: the path from a file to a row of the shards never raises."""

import io

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from datasets.cropper import CropConfig, PhotoCropper
from datasets.detector import Detection, FaceDetector
from datasets.photo import READABLE, STATUSES, decode, num_pixels, to_rgb
from datasets.shards import SCHEMA
from tests.unit.odd_files import saved

FORMATS = ("JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP", "AVIF", "PPM", "JPEG2000", "MPO")
MODES = (
    "1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "I;16",
    "I;16B",
)  # fmt: skip
QUICK = settings(max_examples=120)
LONG = settings(max_examples=1500, suppress_health_check=list(HealthCheck))


class AnyFace:
    """Finds a face of a size and place that follow from the photo, often beyond its border, and fails at times."""

    def detect_all(self, images):
        return [self._find(*image.size, sum(image.resize((1, 1)).tobytes())) for image in images]

    def _find(self, width: int, height: int, number: int) -> list[Detection]:
        if number % 7 == 0 and (width, height) != (256, 256):
            raise RuntimeError("a photo that this detector cannot stand")
        rng = np.random.default_rng(number)
        corner = rng.uniform(-0.5, 1.2, 2) * (width, height)
        box = np.concatenate([corner, corner + rng.uniform(0, 1.5, 2) * min(width, height)]).astype(np.float32)
        points = rng.uniform(-0.5, 1.5, (5, 2)).astype(np.float32) * (width, height)
        return [Detection(box, float(rng.random()), points)] * (number % 3)


class Bytes:
    def __init__(self, contents: list[bytes]) -> None:
        self.contents = contents

    def read(self, path: str) -> bytes:
        return self.contents[int(path)]


def assert_rows(contents: list[bytes], cfg: CropConfig, detector) -> None:
    """Every photo gives its row: a known status, the schema's columns, pictures exactly where there should be some."""
    batch = {name: np.array(["x"] * len(contents), object) for name in ("label", "split", "subject")}
    batch["path"] = np.array([str(index) for index in range(len(contents))], object)
    columns = PhotoCropper(cfg, Bytes(contents), lambda cfg: detector)(batch)
    assert set(columns) == set(SCHEMA.names)
    for row, content in zip(pa.table(columns, SCHEMA).to_pylist(), contents, strict=True):
        decoded = decode(content)
        assert row["status"] in STATUSES
        assert (row["status"] in READABLE) == (decoded.image is not None) == (row["frame"] is not None)
        assert (row["status"] == "ok") == (row["face"] is not None) == bool(row["num_faces"])
        if decoded.image is not None:
            assert decoded.image.mode == "RGB"
            assert num_pixels(content) == decoded.image.width * decoded.image.height == row["width"] * row["height"]
        for picture in filter(None, (row["face"], row["frame"])):
            assert Image.open(io.BytesIO(picture)).size == (cfg.image_size,) * 2


@st.composite
def pictures(draw: st.DrawFn, *, longest: int = 3000) -> Image.Image:
    """Noise of any mode, from one pixel to ribbons; it has the grain of a photo at times."""
    width, height = draw(st.integers(1, 90)), draw(st.integers(1, 90))
    if draw(st.integers(0, 5)) == 0:
        width, height = draw(st.sampled_from([(longest, 1), (1, longest), (longest, 20), (19, 400), (64, 64)]))
    mode, seed = draw(st.sampled_from(MODES)), draw(st.integers(0, 2**20))
    bytes_a_pixel = {"I": 4, "F": 4, "I;16": 2, "I;16B": 2}.get(mode, len(Image.new(mode, (1, 1)).getbands()))
    row = (width + 7) // 8 if mode == "1" else width * bytes_a_pixel
    image = Image.frombytes(mode, (width, height), np.random.default_rng(seed).bytes(row * height))
    if mode == "P":
        image.putpalette(np.random.default_rng(seed).bytes(768))
    return image


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """A file of some format, whole, cut short, or with some bytes changed; or mere bytes, some with a photo's first."""
    if draw(st.integers(0, 6)) == 0:
        first = draw(
            st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"II*\0", b"RIFF", b"BM", b"P5 "])
        )
        return first + draw(st.binary(max_size=400))
    image, kind = draw(pictures()), draw(st.sampled_from(FORMATS))
    options = {"exif": exif} if (exif := draw(st.none() | st.binary(max_size=60))) and kind in ("JPEG", "WEBP") else {}
    try:
        content = saved(image, kind, **options)
    except (OSError, ValueError, KeyError):  # a mode that the format does not have
        content = saved(to_rgb(image), kind)
    damage = draw(st.sampled_from(["none", "cut", "change"]))
    if damage == "cut":
        return content[: draw(st.integers(0, len(content)))]
    changed = bytearray(content)
    for _ in range(draw(st.integers(1, 8)) if damage == "change" else 0):
        place = int(draw(st.floats(0, 1, exclude_max=True)) ** 3 * len(content))  # mostly in the header
        changed[place] = draw(st.integers(0, 255))
    return bytes(changed)


configs = st.builds(
    CropConfig,
    image_size=st.just(32),
    margin_frac=st.sampled_from([0.0, 0.2, 0.99]),
    try_rotations=st.booleans(),
    rotation_threshold=st.sampled_from([0.0, 0.5, 0.99]),
    encoding=st.sampled_from(["png", "jpeg"]),
)
geometries = st.sampled_from([{}, {"align_eyes": True}, {"crop_geometry": "facenet"}])


@QUICK
@given(contents=st.lists(files(), min_size=1, max_size=4), cfg=configs, geometry=geometries)
def test_any_file_becomes_a_row(contents, cfg, geometry):
    assert_rows(contents, cfg.replace(**geometry), AnyFace())


@pytest.mark.slow
@LONG
@given(contents=st.lists(files(), min_size=1, max_size=4), cfg=configs, geometry=geometries)
def test_many_files_become_rows(contents, cfg, geometry):
    assert_rows(contents, cfg.replace(**geometry), AnyFace())


@QUICK
@given(image=pictures())
def test_any_picture_becomes_rgb(image):
    rgb = to_rgb(image)
    assert (rgb.mode, rgb.size) == ("RGB", image.size)


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector()


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(contents=st.lists(files(), min_size=1, max_size=3), cfg=configs)
def test_any_file_becomes_a_row_with_the_real_detector(detector, contents, cfg):
    assert_rows(contents, cfg, detector)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(images=st.lists(pictures(longest=20_000), min_size=1, max_size=4))
def test_real_detector_answers_for_any_picture(detector, images):
    assert len(detector.detect_all(images)) == len(images)
