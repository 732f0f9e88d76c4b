"""The hashes of photos' files, and when those of an earlier call are trusted."""

import dataclasses
import hashlib
import os
import time
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets.folder import Folder
from datasets.hashes import HashCache, hash_photos
from datasets.sources import Photo, Source, open_source

PATHS = ("joy/a.jpg", "joy/b.jpg", "sad/c.jpg")


class WatchedReader:
    """Notes what is read; stops at `stop_at` as Ctrl-C would."""

    def __init__(self, reader, stop_at: str = "") -> None:
        self.reader, self.stop_at, self.seen = reader, stop_at, []
        self.location = reader.location

    def read(self, path: str) -> bytes:
        if path == self.stop_at:
            raise KeyboardInterrupt
        self.seen.append(path)
        return self.reader.read(path)


def aged(path: Path, seconds: float = 100.0) -> Path:
    """As if it had last changed that long ago."""
    then = time.time() - seconds
    for file in [path, *path.rglob("*")] if path.is_dir() else [path]:
        os.utime(file, (then, then))
    return path


def zipped(folder: Path, archive: Path) -> Path:
    with zipfile.ZipFile(archive, "w") as stream:
        for path in sorted(folder.rglob("*.jpg")):
            stream.write(path, path.relative_to(folder).as_posix())
    return aged(archive)


@pytest.fixture
def hashed(tmp_path):
    """`hashed(location)` hashes its photos with the cache in `tmp_path`; the hashes, and the files that were read."""

    def run(location: Path, *, keep: bool = True, stop_at: str = "") -> tuple[list[str], list[str]]:
        source = open_source(str(location))
        source = dataclasses.replace(source, reader=WatchedReader(source.reader, stop_at))
        cache = HashCache.of(Folder.at(tmp_path / "crops"), source)
        hashes = hash_photos(source, source.photos, cache=cache, keep=keep)
        return hashes, sorted(source.reader.seen)

    return run


def expected(folder: Path) -> list[str]:
    return [hashlib.sha256((folder / path).read_bytes()).hexdigest() for path in PATHS]


@pytest.fixture(params=["folder", "zip", "manifest"])
def location(request, photo_tree, tmp_path) -> Path:
    """The photos of PATHS, which have not changed for long, as each kind of source."""
    folder = aged(photo_tree(*PATHS))
    if request.param == "zip":
        return zipped(folder, tmp_path / "photos.zip")
    if request.param == "manifest":
        (folder / "list.csv").write_text("\n".join(["path,label", *(f"{path},{path[:3]}" for path in PATHS)]))
        return folder / "list.csv"
    return folder


def test_file_that_cannot_be_read_has_an_empty_hash(photo_tree):
    source = open_source(str(photo_tree("joy/a.jpg")))
    found, missing = hash_photos(source, [Photo("joy/a.jpg", "joy"), Photo("joy/b.jpg", "joy")])
    assert (len(found), missing) == (64, "")


def test_second_call_reads_nothing(hashed, location, tmp_path):
    first, read = hashed(location)
    assert (first, read) == (expected(tmp_path / "photos"), list(PATHS))
    assert hashed(location) == (first, [])


@pytest.mark.parametrize("change", ["size", "time", "both"])
def test_changed_file_is_read_again_and_no_other(hashed, photo_tree, change):
    folder = aged(photo_tree(*PATHS))
    hashed(folder)
    file = folder / PATHS[1]
    before = file.stat().st_mtime
    file.write_bytes(file.read_bytes() + b"more" if change != "time" else file.read_bytes()[::-1])
    then = before if change == "size" else before + 1
    os.utime(file, (then, then))
    assert hashed(folder) == (expected(folder), [PATHS[1]])


def test_file_that_changed_just_now_is_not_trusted(hashed, photo_tree):
    """A change in the same tick of the clock, to as many bytes, shows in neither size nor time."""
    folder = aged(photo_tree(*PATHS))
    now = time.time()
    os.utime(folder / PATHS[0], (now, now))
    hashed(folder)
    (folder / PATHS[0]).write_bytes((folder / PATHS[0]).read_bytes()[::-1])
    os.utime(folder / PATHS[0], (now, now))
    assert hashed(folder) == (expected(folder), [PATHS[0]])


def test_archive_that_was_written_anew_is_read_again(hashed, photo_tree, tmp_path):
    folder = photo_tree(*PATHS)
    archive = zipped(folder, tmp_path / "photos.zip")
    hashed(archive)
    aged(archive, seconds=50)
    assert hashed(archive) == (expected(folder), list(PATHS))


def test_added_and_removed_files_are_noticed(hashed, photo_tree):
    folder = aged(photo_tree(*PATHS[:2]))
    hashed(folder)
    aged(photo_tree(*PATHS[2:]) / PATHS[2])
    (folder / PATHS[0]).unlink()
    hashes, read = hashed(folder)
    assert (hashes, read) == (
        [hashlib.sha256((folder / path).read_bytes()).hexdigest() for path in PATHS[1:]],
        [PATHS[2]],
    )


def test_each_source_has_its_own_hashes(hashed, photo_tree):
    one = aged(photo_tree(*PATHS))
    other = aged(photo_tree("joy/x.jpg", *PATHS[:2], root="other"))
    hashed(one)
    assert hashed(other)[1] == ["joy/a.jpg", "joy/b.jpg", "joy/x.jpg"]
    assert hashed(one)[1] == []


def flip_a_byte(content: bytes) -> bytes:
    return content[:60] + bytes([content[60] ^ 1]) + content[61:]  # inside the first page


def other_table(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"path": ["joy/a.jpg"], "sha256": ["0" * 64]}), sink)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize("damage", [lambda content: b"", lambda content: content[:-9], flip_a_byte, other_table])
def test_damaged_cache_is_made_again(hashed, photo_tree, tmp_path, damage):
    folder = aged(photo_tree(*PATHS))
    hashed(folder)
    (file,) = (tmp_path / "crops" / "hashes").iterdir()
    file.write_bytes(damage(file.read_bytes()))
    assert hashed(folder) == (expected(folder), list(PATHS))
    assert hashed(folder)[1] == []


def test_cache_that_cannot_be_written_stops_nothing(hashed, photo_tree, tmp_path):
    (tmp_path / "crops").write_text("a file where the folder should be")
    folder = aged(photo_tree(*PATHS))
    assert hashed(folder) == (expected(folder), list(PATHS))


def test_nothing_is_written_where_nothing_is_to_be_kept(hashed, photo_tree, tmp_path):
    hashed(aged(photo_tree(*PATHS)), keep=False)
    assert not (tmp_path / "crops").exists()


def test_interrupted_call_keeps_what_it_has_read(hashed, photo_tree):
    folder = aged(photo_tree(*PATHS))
    with pytest.raises(KeyboardInterrupt):
        hashed(folder, stop_at=PATHS[2])
    assert hashed(folder) == (expected(folder), [PATHS[2]])


def test_forgotten_hashes_are_computed_again(hashed, photo_tree, tmp_path):
    folder = aged(photo_tree(*PATHS))
    hashed(folder)
    cache = HashCache.of(Folder.at(tmp_path / "crops"), open_source(str(folder)))
    cache.forget()
    cache.forget()
    assert hashed(folder)[1] == list(PATHS)


def test_source_without_stamps_is_hashed_each_time(hashed, photo_tree):
    folder = photo_tree(*PATHS)  # just now
    assert [hashed(folder)[1], hashed(folder)[1]] == [list(PATHS)] * 2


def test_location_that_may_hold_a_key_does_not_name_the_file(tmp_path):
    source = Source("x", (), WatchedReader(open_reader("s3://key:secret@bucket/photos")))
    assert "secret" not in HashCache.of(Folder.at(tmp_path), source).name


def open_reader(location: str):
    class Reader:
        pass

    reader = Reader()
    reader.location = location
    return reader
