"""Row i out is row i in, whatever the photo."""

import hashlib
import io
import zipfile

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from datasets.cropper import CropConfig, PhotoCropper
from datasets.detector import Detection
from datasets.photo import decode
from datasets.shards import SCHEMA
from datasets.sources import ZipReader

BOX = np.array([10, 20, 50, 60], np.float32)


def saved(image: Image.Image, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def red_face(width: int = 80) -> Image.Image:
    """White, with a red square where `BOX` is; the fake detector finds it in photos at least 80 wide."""
    image = Image.new("RGB", (width, 90), "white")
    image.paste((255, 0, 0), (10, 20, 50, 60))
    return image


class FakeReader:
    def __init__(self, contents: dict[str, bytes | Exception]) -> None:
        self.contents = contents

    def read(self, path: str) -> bytes:
        content = self.contents.get(path, FileNotFoundError(path))
        if isinstance(content, Exception):
            raise content
        return content


class FakeDetector:
    def detect(self, images):
        points = np.arange(10, dtype=np.float32).reshape(5, 2)
        return [Detection(BOX, 0.9, points) if image.width >= 80 else None for image in images]


def crop(contents, *, cfg: CropConfig | None = None, reader=None, **columns) -> dict:
    cfg = cfg or CropConfig(image_size=32, margin_frac=0.0, encoding="png")
    paths = list(contents)
    batch = {"path": paths, "label": ["joy"] * len(paths), "split": ["train"] * len(paths)}
    batch |= {"subject": [None] * len(paths)} | columns
    cropper = PhotoCropper(cfg, reader or FakeReader(contents), lambda cfg: FakeDetector())
    return cropper({name: np.array(column, object) for name, column in batch.items()})


def test_every_row_comes_back_in_its_place_with_its_status():
    photos = {"none.png": saved(red_face(60)), "torn.png": b"junk", "face.png": saved(red_face())}
    paths = ["gone.png", "face.png", "torn.png", "none.png", "face.png"]
    out = crop(
        photos | {"gone.png": OSError("gone")}, path=paths, label=list("abcde"), split=["train"] * 5, subject=[None] * 5
    )
    assert (out["path"], out["label"]) == (paths, list("abcde"))
    assert out["status"] == ["unreadable", "ok", "unreadable", "no_face", "ok"]
    assert [face is not None for face in out["face"]] == [False, True, False, False, True]
    assert [frame is not None for frame in out["frame"]] == [False, True, False, True, True]


def test_answer_is_a_table_of_the_shards_schema():
    out = crop({"a.png": saved(red_face()), "b.png": b"", "c.png": saved(red_face(60))}, subject=["s1", None, None])
    table = pa.table(out, schema=SCHEMA)
    assert table.column("subject").to_pylist() == ["s1", None, None]
    assert table.column("box").to_pylist() == [BOX.tolist(), None, None]
    assert table.column("landmarks").to_pylist()[0] == [float(number) for number in range(10)]
    assert [row["width"] for row in table.to_pylist()] == [80, None, 60]


def test_face_and_frame_are_squares_of_what_they_claim():
    out = crop({"a.png": saved(red_face())})
    face, frame = (np.asarray(decode(out[name][0]).image) for name in ("face", "frame"))
    assert face.shape == frame.shape == (32, 32, 3)
    assert (face == (255, 0, 0)).all()
    assert (frame[0] == 255).all()


def test_margin_of_the_configuration_is_used():
    out = crop({"a.png": saved(red_face())}, cfg=CropConfig(image_size=40, margin_frac=0.5, encoding="png"))
    face = np.asarray(decode(out["face"][0]).image)
    assert abs((face[20] == (255, 0, 0)).all(1).sum() - 20) <= 2  # the box is half of the crop


def test_crops_are_stored_as_the_configuration_says():
    out = crop({"a.png": saved(red_face())}, cfg=CropConfig(image_size=32))
    assert Image.open(io.BytesIO(out["face"][0])).format == "JPEG"


@pytest.mark.parametrize("error", [FileNotFoundError(), PermissionError(), OSError("damaged")])
def test_photo_that_the_source_cannot_give_keeps_its_row(error):
    out = crop({"a.png": error, "b.png": saved(red_face())})
    assert (out["status"], out["file_sha256"][0]) == (["unreadable", "ok"], "")


def test_damaged_entry_of_a_zip_keeps_its_row(tmp_path):
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", b"abc" * 4000)
        archive.writestr("b.png", saved(red_face()))
    content = bytearray(path.read_bytes())
    content[35:50] = b"\xff" * 15  # inside the first entry's compressed bytes
    path.write_bytes(content)
    out = crop(["a.png", "b.png"], reader=ZipReader(str(path)))
    assert (out["path"], out["status"]) == (["a.png", "b.png"], ["unreadable", "ok"])


def test_hashes_are_of_the_file_and_of_the_pixels():
    photos = {"a.png": saved(red_face()), "a.bmp": saved(red_face(), "BMP"), "b.png": saved(red_face(81)), "c": b"torn"}
    out = crop(photos)
    assert out["file_sha256"] == [hashlib.sha256(content).hexdigest() for content in photos.values()]
    same, too, other, none = out["pixel_sha256"]
    assert same == too != other
    assert none is None


def test_photo_of_too_many_pixels_keeps_its_row(monkeypatch):
    monkeypatch.setattr("datasets.photo.MAX_PIXELS", 85 * 90)
    out = crop({"a.png": saved(red_face(86)), "b.png": saved(red_face(85))})
    assert out["status"] == ["too_large", "ok"]


@pytest.mark.parametrize(
    ("field", "value"), [("image_size", 31), ("margin_frac", 1.0), ("margin_frac", -0.1), ("min_face_size", 19)]
)
def test_impossible_setting_is_refused(field, value):
    with pytest.raises(ValueError, match=field):
        CropConfig(**{field: value})
