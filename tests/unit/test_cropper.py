"""Row i out is row i in, whatever the photo."""

import hashlib
import io
import weakref
import zipfile
from functools import partial

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from datasets.cropper import CropConfig, PhotoCropper, load_detector
from datasets.detector import Detection
from datasets.geometry import aligned_crop, face_crop, full_frame
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
    def detect_all(self, images):
        points = np.arange(10, dtype=np.float32).reshape(5, 2)
        return [[Detection(BOX, 0.9, points)] if image.width >= 80 else [] for image in images]


def crop(contents, *, cfg: CropConfig | None = None, reader=None, detector=None, **columns) -> dict:
    cfg = cfg or CropConfig(image_size=32, margin_frac=0.0, encoding="png")
    paths = list(contents)
    batch = {"path": paths, "label": ["joy"] * len(paths), "split": ["train"] * len(paths)}
    batch |= {"subject": [None] * len(paths)} | columns
    cropper = PhotoCropper(cfg, reader or FakeReader(contents), lambda cfg: detector or FakeDetector())
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
    ("field", "value"),
    [
        ("image_size", 31), ("margin_frac", 1.0), ("margin_frac", -0.1), ("min_face_size", 19),
        ("rotation_threshold", 1.01), ("crop_geometry", "round"), ("face_search", "all"), ("face_choice", "all"),
    ],
)  # fmt: skip
def test_impossible_setting_is_refused(field, value):
    with pytest.raises(ValueError, match=field):
        CropConfig(**{field: value})


def test_turned_crop_of_upstreams_geometry_is_refused():
    with pytest.raises(ValueError, match="Give --align-eyes or --crop-geometry facenet, not both"):
        CropConfig(align_eyes=True, crop_geometry="facenet")


class Watcher(FakeDetector):
    """Notes the sizes of each batch; fails on photos 83 wide."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    def detect_all(self, images):
        self.batches.append([image.width for image in images])
        if 83 in self.batches[-1]:
            raise RuntimeError("83 is too much")
        return super().detect_all(images)


def widths(*numbers: int) -> dict[str, bytes]:
    return {f"joy/{index}-{width}.png": saved(red_face(width)) for index, width in enumerate(numbers)}


@pytest.mark.parametrize(
    ("limit", "try_rotations", "batches"),
    [
        (1e9, False, [[81, 82, 60, 84, 85]]),
        (2 * 85 * 90, False, [[81, 82], [60, 84], [85]]),
        (100, False, [[81], [82], [60], [84], [85]]),
        (2 * 85 * 90, True, [[81], [82], [60], [90], [90], [60], [84], [85]]),  # 60 is turned three times
    ],
)
def test_photos_are_searched_together_within_the_memory_they_may_hold(monkeypatch, limit, try_rotations, batches):
    monkeypatch.setattr("datasets.cropper.MAX_HELD_PIXELS", limit)
    watcher = Watcher()
    cfg = CropConfig(image_size=32, try_rotations=try_rotations)
    out = crop(widths(81, 82, 60, 84, 85), detector=watcher, cfg=cfg)
    assert watcher.batches == batches
    assert out["width"] == [81, 82, 60, 84, 85]


def test_decoded_photos_are_let_go_before_the_next_is_decoded(monkeypatch):
    images, most = [], 0

    def watched(content: bytes):
        nonlocal most
        decoded = decode(content)
        images.append(weakref.ref(decoded.image))
        most = max(most, sum(image() is not None for image in images))
        return decoded

    monkeypatch.setattr("datasets.cropper.decode", watched)
    monkeypatch.setattr("datasets.cropper.MAX_HELD_PIXELS", 2 * 82 * 90)
    crop(widths(*[82] * 7))
    assert most == 2


def test_photo_that_the_search_fails_on_is_a_row_without_a_face_and_costs_no_other(caplog):
    out = crop(widths(81, 83, 60), detector=Watcher())
    assert (out["status"], out["num_faces"]) == (["ok", "failed", "no_face"], [1, None, 0])
    assert (out["width"][1], out["rotation"][1], out["face"][1]) == (83, 0, None)
    assert None not in out["frame"] + out["pixel_sha256"]
    (message,) = [record.getMessage() for record in caplog.records]
    assert ("`joy/1-83.png`" in message, "RuntimeError" in message) == (True, True)


class FindsTheTallOne(FakeDetector):
    """Two faces in a photo 80 wide and 200 high, none in others."""

    def detect_all(self, images):
        faces = [Detection(BOX + shift, 0.999, np.ones((5, 2), np.float32)) for shift in (0, 20)]
        return [faces if image.size == (80, 200) else [] for image in images]


def lying_and_upright(**changes) -> tuple[dict, dict]:
    """The same photo lying, a quarter turn clockwise, and upright."""
    upright = Image.new("RGB", (80, 200), "white")
    upright.paste((255, 0, 0), (10, 20, 50, 60))
    photos = upright.transpose(Image.Transpose.ROTATE_270), upright
    cfg = CropConfig(image_size=32, margin_frac=0.1, encoding="png", **changes)
    lying, upright = (crop({"a.png": saved(photo)}, cfg=cfg, detector=FindsTheTallOne()) for photo in photos)
    return lying, upright


def test_lying_photo_is_turned_crop_frame_and_all():
    lying, upright = lying_and_upright(try_rotations=True)
    assert (lying["rotation"], upright["rotation"], lying["num_faces"]) == ([90], [0], [2])
    same = set(SCHEMA.names) - {"rotation", "file_sha256", "file_bytes", "pixel_sha256", "sharpness", "signature"}
    assert {name: lying[name] for name in same} == {name: upright[name] for name in same}


def test_pixel_hash_does_not_depend_on_whether_photos_are_turned():
    (turned, _), (as_it_lies, _) = lying_and_upright(try_rotations=True), lying_and_upright()
    assert turned["pixel_sha256"] == as_it_lies["pixel_sha256"]
    assert (as_it_lies["status"], as_it_lies["width"], as_it_lies["rotation"]) == (["no_face"], [200], [0])


def test_each_geometry_cuts_its_own_square():
    wide = {"a.png": saved(red_face(200))}
    tilted = np.array([[20, 30], [40, 44], [30, 40], [25, 50], [35, 55]], np.float32)

    class Tilted:
        def detect_all(self, images):
            return [[Detection(np.array([10, 20, 50, 80], np.float32), 1.0, tilted)] for _ in images]

    def face(**changes) -> bytes:
        return crop(wide, cfg=CropConfig(image_size=32, encoding="png", **changes), detector=Tilted())["face"][0]

    assert len({face(), face(align_eyes=True), face(crop_geometry="facenet")}) == 3


def test_detector_is_made_as_the_configuration_says(monkeypatch):
    made = {}
    monkeypatch.setattr("datasets.detector.FaceDetector", lambda device, **options: made.update(options))
    load_detector(CropConfig(face_search="exact", face_choice="most_probable", min_face_size=28.2087))
    assert made == {"mode": "exact", "select": "most_probable", "min_face_size": 28.2087}


@given(width=st.integers(80, 120), height=st.integers(65, 90), coloured=st.booleans(), align_eyes=st.booleans())
def test_photo_without_colour_gives_the_pixels_that_three_channels_would(width, height, coloured, align_eyes):
    pixels = np.repeat(np.random.default_rng(width).integers(0, 256, (height, width, 1), np.uint8), 3, axis=2)
    pixels[height // 2, width // 2, 2] ^= coloured  # the least colour there is
    image, points = Image.fromarray(pixels), np.arange(10, dtype=np.float32).reshape(5, 2)
    points[1] = (40, 30)
    cfg = CropConfig(image_size=32, margin_frac=0.1, encoding="png", align_eyes=align_eyes)
    out = crop({"a.png": saved(image)}, cfg=cfg, detector=OneFace(Detection(BOX, 0.9, points)))
    cut = partial(aligned_crop, landmarks=points) if align_eyes else face_crop
    for name, expected in {
        "face": cut(image, box=BOX, image_size=32, margin_frac=0.1), "frame": full_frame(image, image_size=32)
    }.items():  # fmt: skip
        stored = Image.open(io.BytesIO(out[name][0]))
        assert stored.mode == "RGB"
        assert stored.tobytes() == expected.tobytes()


class OneFace:
    def __init__(self, face: Detection) -> None:
        self.face = face

    def detect_all(self, images):
        return [[self.face] for _ in images]
