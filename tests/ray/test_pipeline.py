"""Cropping through Ray Data: every photo a row, the same files whatever the number of workers."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from datasets.crop_set import NoNews
from datasets.cropper import CropConfig
from datasets.folder import Folder
from datasets.pipeline import CropResources, crop_photos
from datasets.shards import CropManifest, read_manifest, read_rows
from datasets.sources import SourceConfig, open_source
from datasets.splits import split_source
from datasets.store import load_arrays

pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("ignore")]  # Ray Data's own deprecations


@pytest.fixture
def photos(tiny_photos, tmp_path) -> Path:
    """The tiny photos, one of them damaged."""
    folder = tmp_path / "photos"
    shutil.copytree(tiny_photos, folder)
    (folder / "Train" / "joy" / "joy_0002.jpg").write_bytes(b"no photo at all")
    return folder


def crop(folder: Path, out: Path, resources: CropResources, seen: list[int] | None = None) -> CropManifest:
    source = open_source(str(folder))
    rows = split_source(source, SourceConfig())
    cfg, news = CropConfig(image_size=32), NoNews()
    if seen is not None:
        news.progress = lambda done, total: seen.append(done)
    return crop_photos(source, rows, cfg, Folder.at(out), name="x", resources=resources, shard_rows=10, news=news)


def test_every_photo_is_a_row_in_order_with_its_status(local_ray, photos, tmp_path):
    seen: list[int] = []
    manifest = crop(photos, tmp_path / "out", CropResources(num_workers=2), seen)
    rows = read_rows(Folder.at(tmp_path / "out"), ["path", "status"]).to_pandas()
    expected = sorted(path.relative_to(photos).as_posix() for path in photos.rglob("*.jpg"))
    assert rows["path"].tolist() == expected
    assert rows.set_index("path")["status"]["Train/joy/joy_0002.jpg"] == "unreadable"
    assert manifest.statuses["unreadable"] == 1
    assert manifest.shards == [f"part-0000{index}.parquet" for index in range(4)]
    assert (seen == sorted(seen), seen[-1]) == (True, 36)


def test_number_of_workers_and_gpus_changes_no_byte(local_ray, photos, tmp_path):
    crop(photos, tmp_path / "one", CropResources(num_workers=1))
    crop(photos, tmp_path / "two", CropResources(num_workers=2, num_cpus=0.5, num_gpus=0.5))  # the GPU is logical
    for file in sorted((tmp_path / "one").iterdir()):
        assert (tmp_path / "two" / file.name).read_bytes() == file.read_bytes()


def test_interrupted_cropping_keeps_finished_shards(local_ray, photos, tmp_path):
    whole = crop(photos, tmp_path / "whole", CropResources())
    (tmp_path / "part").mkdir()
    shutil.copy(tmp_path / "whole" / "part-00000.parquet", tmp_path / "part")
    kept_at = (tmp_path / "part" / "part-00000.parquet").stat().st_mtime_ns
    assert read_manifest(Folder.at(tmp_path / "part")) is None
    seen: list[int] = []
    assert crop(photos, tmp_path / "part", CropResources(), seen) == whole
    assert (tmp_path / "part" / "part-00000.parquet").stat().st_mtime_ns == kept_at
    assert min(seen) > 10, "the rows of the finished shard were computed again"


def test_arrays_leave_unreadable_photos_out(local_ray, photos, tmp_path):
    crop(photos, tmp_path / "out", CropResources())
    arrays = load_arrays(Folder.at(tmp_path / "out"))
    assert (len(arrays), arrays.face_u8.shape[1:]) == (35, (32, 32, 3))
    assert arrays.found.sum() > 30
    assert not np.array_equal(arrays.face_u8[arrays.found], arrays.frame_u8[arrays.found])
