"""SHA-256 of every photo's file, kept so that a file that has not changed is not read again."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from datasets.cropper import PhotoReader
from datasets.fingerprint import fingerprint
from datasets.folder import Folder
from datasets.sources import Photo, Source

HASH_THREADS = 8
AT_ONCE = 2048
"""Files handed to the threads at a time: a million futures would take a gigabyte."""
FOLDER = "hashes"
_SCHEMA = pa.schema([("path", pa.string()), ("stamp", pa.string()), ("sha256", pa.string())])
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class HashCache:
    """Hashes of earlier calls, one file a source in `<crops>/hashes/`.

    A hash holds as long as the file's stamp (`Source.stamps`) is the same. A cache that is damaged or cannot be written
    costs time, nothing else.
    """

    folder: Folder
    location: str

    @classmethod
    def of(cls, crops: Folder, source: Source) -> HashCache:
        """The cache of `source` beside the crop sets in `crops`."""
        return cls(crops / FOLDER, source.reader.location)

    @property
    def name(self) -> str:
        """Its file. A location may hold a key of object storage, so it is named by a hash."""
        return f"{fingerprint(self.location)}.parquet"

    def look_up(self, source: Source, photos: Sequence[Photo]) -> list[str]:
        """The hash of each photo's file, in order; empty where it is not known, or the file may have changed."""
        try:
            with pq.ParquetFile(
                self.folder.path(self.name), filesystem=self.folder.filesystem, page_checksum_verification=True
            ) as file:
                held = file.read()
            if held.schema.names != _SCHEMA.names:
                return [""] * len(photos)
            held = held.cast(_SCHEMA)
        except (OSError, pa.ArrowException):
            return [""] * len(photos)
        asked = pa.array([photo.path for photo in photos], pa.string())
        stamps = pa.array([source.stamps.get(photo.path) for photo in photos], pa.string())
        row = pc.index_in(asked, value_set=held.column("path"))
        same = pc.equal(held.column("stamp").take(row), stamps)  # null without a stamp or a row
        return pc.if_else(pc.fill_null(same, False), held.column("sha256").take(row), "").to_pylist()

    def store(self, source: Source, photos: Sequence[Photo], hashes: Sequence[str]) -> None:
        """Replace what is held by these hashes, those of files without a stamp left out."""
        rows = [
            (photo.path, source.stamps[photo.path], sha256)
            for photo, sha256 in zip(photos, hashes, strict=False)
            if sha256 and photo.path in source.stamps
        ]
        if not rows:
            return
        columns = [pa.array([row[index] for row in rows], pa.string()) for index in range(len(_SCHEMA))]
        buffer = io.BytesIO()
        pq.write_table(
            pa.table(columns, schema=_SCHEMA),
            buffer,
            compression="zstd",
            use_dictionary=False,
            write_page_checksum=True,
        )
        try:
            self.folder.write_bytes(self.name, buffer.getvalue())
        except OSError:  # whether the folder can be written is for those to say who must write it
            return

    def forget(self) -> None:
        """Hold nothing: a hash has turned out to be wrong."""
        try:
            self.folder.delete(self.name)
        except OSError:
            return


def hash_photos(
    source: Source,
    photos: Sequence[Photo],
    *,
    cache: HashCache | None = None,
    keep: bool = True,
    progress: Progress | None = None,
) -> list[str]:
    """SHA-256 of each file's bytes, in order; empty for a file that cannot be read.

    `cache`: where hashes of earlier calls are looked up and, with `keep`, stored, also if this call is interrupted.
    `progress`: (read, of those to be read).
    """
    hashes = cache.look_up(source, photos) if cache else [""] * len(photos)
    unknown = [index for index, sha256 in enumerate(hashes) if not sha256]
    try:
        new = _hash_all([photos[index].path for index in unknown], source.reader)
        for done, (index, sha256) in enumerate(zip(unknown, new, strict=True), start=1):
            hashes[index] = sha256
            if progress is not None and done % 500 == 0:
                progress(done, len(unknown))
    finally:
        if cache is not None and keep and unknown:
            cache.store(source, photos, hashes)
    return hashes


def _hash_all(paths: Sequence[str], reader: PhotoReader) -> Iterator[str]:
    with ThreadPoolExecutor(HASH_THREADS) as pool:  # most of the time is waiting for storage
        for start in range(0, len(paths), AT_ONCE):
            yield from pool.map(lambda path: _hash_one(path, reader), paths[start : start + AT_ONCE])


def _hash_one(path: str, reader: PhotoReader) -> str:
    try:
        return hashlib.sha256(reader.read(path)).hexdigest()
    except OSError:  # the cropper gives the row its status
        return ""
