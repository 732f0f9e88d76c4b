"""The cropped set on disk, and the arrays read from it."""

import dataclasses
import errno
import io
import pickle

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from datasets import folder as folder_module
from datasets.cropper import CropConfig
from datasets.errors import UserError
from datasets.folder import Folder
from datasets.shards import (
    SCHEMA,
    CropManifest,
    crop_fingerprint,
    read_manifest,
    read_rows,
    read_shard,
    shard_name,
    write_manifest,
    write_shard,
)
from datasets.sources import Photo
from datasets.store import load_arrays

PHOTOS = (Photo("a.jpg", "joy", "train", "s1"), Photo("b.jpg", "sad", "test", None))


def png(colour: str, side: int = 32) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(buffer, "PNG")
    return buffer.getvalue()


def row(path: str, label: str, status: str, split: str = "train") -> dict:
    shown = status in ("ok", "no_face", "failed")
    face = {"box": [0.0, 1.0, 2.0, 3.0], "probability": 0.5, "landmarks": [20.0, 5.0] * 5, "face": png("red")}
    face |= {"num_faces": 1}
    seen = {"width": 80, "height": 50, "rotation": 0, "num_faces": 0, "pixel_sha256": "p", "frame": png("blue")}
    return {"path": path, "label": label, "split": split, "subject": None, "status": status, "file_sha256": "f"} | (
        seen if shown else {}
    ) | (face if status == "ok" else {})  # fmt: skip


def table_of(rows: list[dict]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def manifest_of(shards: list[str], **changes) -> CropManifest:
    fields = {"fingerprint": "abc", "source": "photos", "generated": False, "crop": CropConfig(image_size=32).to_dict()}
    fields |= {"classes": ["joy", "sad"], "num_photos": 4, "statuses": {"ok": 4}, "shards": shards, "left_out": {}}
    return CropManifest(**fields | changes)


def test_shard_comes_back_as_it_was_written(tmp_path):
    table = table_of([row("a.jpg", "joy", "ok"), row("b.jpg", "sad", "no_face"), row("c.jpg", "sad", "unreadable")])
    name = write_shard(Folder.at(tmp_path), 7, table)
    assert name == shard_name(7) == "part-00007.parquet"
    assert read_shard(Folder.at(tmp_path), name).equals(table)
    assert read_shard(Folder.at(tmp_path), name, ["label", "status"]).column_names == ["label", "status"]


def test_set_is_there_once_its_manifest_is_written(tmp_path):
    folder = Folder.at(tmp_path / "crops")
    shards = [write_shard(folder, index, table_of([row(f"{index}.jpg", "joy", "ok")])) for index in range(3)]
    assert read_manifest(folder) is None
    with pytest.raises(FileNotFoundError, match=r"holds no finished set of crops \(no manifest.json\)"):
        read_rows(folder, ["path"])
    write_manifest(folder, manifest_of(shards))
    assert read_manifest(folder) == manifest_of(shards)
    assert read_rows(folder, ["path"]).column("path").to_pylist() == ["0.jpg", "1.jpg", "2.jpg"]


def test_shard_that_the_manifest_does_not_name_is_not_read(tmp_path):
    folder = Folder.at(tmp_path)
    shards = [write_shard(folder, index, table_of([row(f"{index}.jpg", "joy", "ok")])) for index in range(2)]
    write_manifest(folder, manifest_of(shards[:1]))
    assert len(read_rows(folder, ["path"])) == 1


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Photo)])
def test_fingerprint_changes_with_every_field_of_a_photo(field):
    other = (dataclasses.replace(PHOTOS[0], **{field: "val"}), PHOTOS[1])
    hashes, cfg = ["h1", "h2"], CropConfig()
    assert crop_fingerprint(PHOTOS, hashes, cfg) != crop_fingerprint(other, hashes, cfg)


@pytest.mark.parametrize(
    "change",
    [
        {"image_size": 128},
        {"margin_frac": 0.1},
        {"min_face_size": 40},
        {"face_search": "largest"},
        {"face_choice": "most_probable"},
        {"try_rotations": True},
        {"rotation_threshold": 0.9},
        {"align_eyes": True},
        {"crop_geometry": "facenet"},
        {"encoding": "png"},
        {"jpeg_quality": 90},
    ],
    ids=lambda change: next(iter(change)),
)
def test_fingerprint_changes_with_every_crop_setting(change):
    before = CropConfig(face_search="exact")  # with which every setting goes
    names = {crop_fingerprint(PHOTOS, ["h1", "h2"], cfg) for cfg in (before, before.replace(**change))}
    assert len(names) == 2


def test_every_crop_setting_has_a_case_above():
    (mark,) = test_fingerprint_changes_with_every_crop_setting.pytestmark
    assert {name for change in mark.args[1] for name in change} == set(CropConfig.model_fields)


def test_fingerprint_changes_with_bytes_and_number_of_photos_and_with_nothing_else():
    cfg, ours = CropConfig(), crop_fingerprint(PHOTOS, ["h1", "h2"], CropConfig())
    assert crop_fingerprint(PHOTOS, ["h1", "hx"], cfg) != ours
    assert crop_fingerprint(PHOTOS[:1], ["h1"], cfg) != ours
    assert crop_fingerprint(list(PHOTOS), iter(["h1", "h2"]), CropConfig(image_size=224)) == ours


def test_crops_are_decoded_into_arrays_in_order(tmp_path):
    folder = Folder.at(tmp_path)
    first = table_of([row("a.jpg", "joy", "ok"), row("b.jpg", "sad", "no_face", "test")])
    second = table_of([row("c.jpg", "sad", "unreadable"), row("d.jpg", "sad", "ok", "test")])
    write_manifest(folder, manifest_of([write_shard(folder, 0, first), write_shard(folder, 1, second)]))
    arrays = load_arrays(folder)
    assert (arrays.path.tolist(), arrays.split.tolist()) == (["a.jpg", "b.jpg", "d.jpg"], ["train", "test", "test"])
    assert (arrays.label.tolist(), arrays.classes, len(arrays)) == ([0, 1, 1], ("joy", "sad"), 3)
    assert arrays.found.tolist() == [True, False, True]


def test_face_falls_back_to_the_frame_and_landmarks_are_fractions(tmp_path):
    folder = Folder.at(tmp_path)
    shard = write_shard(folder, 0, table_of([row("b.jpg", "sad", "no_face"), row("a.jpg", "joy", "ok")]))
    write_manifest(folder, manifest_of([shard]))
    arrays = load_arrays(folder)
    red, blue = [255, 0, 0], [0, 0, 255]
    assert (arrays.face_u8[0] == blue).all()
    assert (arrays.face_u8[1] == red).all()
    assert (arrays.frame_u8 == blue).all()
    assert (arrays.landmarks[0] == 0).all()
    np.testing.assert_allclose(arrays.landmarks[1], [[20 / 80, 5 / 50]] * 5)


@pytest.mark.parametrize("status", ["no_face", "failed", "unreadable"])
def test_set_without_any_face_or_photo_can_be_loaded(tmp_path, status):
    shard = write_shard(Folder.at(tmp_path), 0, table_of([row("a.jpg", "joy", status)]))
    write_manifest(Folder.at(tmp_path), manifest_of([shard]))
    arrays = load_arrays(Folder.at(tmp_path))
    assert (arrays.found.any(), len(arrays)) == (False, int(status != "unreadable"))
    assert arrays.face_u8.shape[1:] == (32, 32, 3)


def test_interrupted_write_leaves_the_old_content_and_nothing_else(tmp_path, monkeypatch):
    folder = Folder.at(tmp_path)
    folder.write_bytes("a.json", b"old")

    def disk_full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(folder_module.os, "fsync", disk_full)
    with pytest.raises(OSError, match="No space left"):
        folder.write_bytes("a.json", b"new")
    assert (folder.read_bytes("a.json"), [path.name for path in tmp_path.iterdir()]) == (b"old", ["a.json"])


def test_partial_file_of_a_killed_process_is_not_listed(tmp_path):
    (tmp_path / ".partial-123-a.json").write_bytes(b"{")
    folder = Folder.at(tmp_path)
    folder.write_text("b.json", "é")
    (tmp_path / "c.json").mkdir()
    assert (folder.names(), folder.names(".json"), folder.names(".csv")) == (["b.json"], ["b.json"], [])


def test_folder_pickles_and_lists_nothing_where_it_is_missing(tmp_path):
    folder = pickle.loads(pickle.dumps(Folder.at(tmp_path) / "run"))
    assert (folder.names(), folder.exists(), folder.is_local) == ([], False, True)
    folder.write_bytes("a/b.txt", b"x")
    assert (folder.exists("a"), (folder / "a").read_bytes("b.txt"), str(folder)) == (True, b"x", str(tmp_path / "run"))


def test_deleting_is_done_once_and_may_be_repeated(tmp_path):
    folder = Folder.at(tmp_path)
    folder.write_bytes("a", b"x")
    folder.delete("a")
    folder.delete("a")
    assert folder.names() == []


def test_uri_of_a_local_folder_is_the_same_place(tmp_path):
    Folder.at(tmp_path).write_bytes("a.txt", b"x")
    assert Folder.at(f"file://{tmp_path}/").names() == ["a.txt"]


def test_location_that_cannot_be_opened_is_refused():
    with pytest.raises(
        UserError, match=r"`nosuch://x` is not a location .* Write a local folder or s3://bucket/folder"
    ):
        Folder.at("nosuch://x")
