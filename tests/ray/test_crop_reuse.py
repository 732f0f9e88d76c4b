"""Cropping only what is new, from a folder and a zip alike, and what is said where a worker cannot work."""

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from datasets.crop_set import NoNews
from datasets.cropper import CropConfig, load_detector
from datasets.errors import FailedError
from datasets.folder import Folder
from datasets.hashes import hash_photos
from datasets.pipeline import CropResources, crop_photos
from datasets.sources import SourceConfig, open_source
from datasets.splits import split_source

pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("ignore")]  # Ray Data's own deprecations


class News(NoNews):
    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


def noting_detector(calls: Path) -> Callable:
    """Finds one face everywhere; adds a byte a photo to `calls`. A closure, so that workers need not find this file."""
    file_name = str(calls)

    def load(cfg):
        from datasets.detector import Detection

        class Noting:
            def detect_all(self, images):
                with open(file_name, "ab") as file:
                    file.write(b"." * len(images))
                found = Detection(np.array([1, 1, 20, 20], np.float32), 0.5, np.ones((5, 2), np.float32))
                return [[found] for _ in images]

        return Noting()

    return load


def broken_detector(cfg):
    class Broken:
        def detect_all(self, images):
            raise ValueError("the weights do not fit")

    return Broken()


def crop(data: Path | str, out: Folder, load: Callable, news: NoNews | None = None):
    source = open_source(str(data))
    rows = split_source(source, SourceConfig())
    return crop_photos(
        source,
        rows,
        CropConfig(image_size=32),
        out,
        name=out.base.rpartition("/")[2],
        resources=CropResources(num_workers=1),
        expected_sha256=hash_photos(source, rows),
        shard_rows=10,
        news=news,
        load=load,
    )


def shards_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.parquet")}


def test_added_photos_alone_are_cropped(local_ray, tiny_photos, tmp_path):
    photos, news = tmp_path / "photos", News()
    shutil.copytree(tiny_photos, photos)
    crop(photos, Folder.at(tmp_path / "crops" / "before"), noting_detector(tmp_path / "before"))
    for name in ("aa", "zz"):
        extra = next((photos / "Train" / "joy").iterdir()).read_bytes() + name.encode()
        (photos / "Train" / "joy" / f"{name}.jpg").write_bytes(extra)
    crop(photos, Folder.at(tmp_path / "crops" / "after"), noting_detector(tmp_path / "after"), news)
    assert ((tmp_path / "before").stat().st_size, (tmp_path / "after").stat().st_size) == (36, 2)
    assert news.said == ["38 photos: 36 cropped before, 2 left to crop."]
    crop(photos, Folder.at(tmp_path / "elsewhere" / "after"), noting_detector(tmp_path / "fresh"))
    assert shards_in(tmp_path / "crops" / "after") == shards_in(tmp_path / "elsewhere" / "after")


def test_detector_finds_the_same_in_any_company(local_ray, tiny_photos, tmp_path):
    """Otherwise a shard would show what was reused: photos are looked at in other batches then."""
    photos = tmp_path / "photos"
    shutil.copytree(tiny_photos, photos)
    taken = [path for index, path in enumerate(sorted(photos.rglob("*.jpg"))) if index % 5 == 0]
    kept = {path: path.read_bytes() for path in taken}
    for path in taken:
        path.unlink()
    crop(photos, Folder.at(tmp_path / "crops" / "some"), load_detector)
    for path, content in kept.items():
        path.write_bytes(content)
    crop(photos, Folder.at(tmp_path / "crops" / "all"), load_detector)
    crop(photos, Folder.at(tmp_path / "elsewhere" / "all"), load_detector)
    assert shards_in(tmp_path / "crops" / "all") == shards_in(tmp_path / "elsewhere" / "all")


def test_zip_gives_the_shards_of_its_folder(local_ray, tiny_photos, tmp_path):
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        for path in sorted(tiny_photos.rglob("*.*")):
            archive.write(path, path.relative_to(tiny_photos).as_posix())
    load = noting_detector(tmp_path / "calls")
    crop(tiny_photos, Folder.at(tmp_path / "a" / "set"), load)
    crop(tmp_path / "photos.zip", Folder.at(tmp_path / "b" / "set"), load)
    assert shards_in(tmp_path / "a" / "set") == shards_in(tmp_path / "b" / "set")
    assert (tmp_path / "calls").stat().st_size == 2 * 36


def test_failing_worker_ends_in_one_sentence(local_ray, tiny_photos, tmp_path):
    with pytest.raises(FailedError) as failure:
        crop(tiny_photos, Folder.at(tmp_path / "crops" / "set"), broken_detector)
    assert str(failure.value) == (
        "Cropping stopped, since Ray or a cropping worker failed: ValueError: the weights do not fit. "
        "Finished shards are kept; run again to go on."
    )
