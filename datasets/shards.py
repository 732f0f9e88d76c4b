"""The cropped set on disk: Parquet shards, and a manifest written last that makes the set valid."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from datasets.cropper import CropConfig, PhotoReader
from datasets.fingerprint import fingerprint
from datasets.folder import Folder
from datasets.sources import Photo

FORMAT = 2
"""Raised when the meaning of a column, or what the cropper writes into it, changes."""
MANIFEST = "manifest.json"
HASH_THREADS = 8

SCHEMA = pa.schema(
    [
        pa.field("path", pa.string(), metadata={"doc": "path relative to the source"}),
        pa.field("label", pa.string(), metadata={"doc": "class, as the source spells it"}),
        pa.field("split", pa.string(), metadata={"doc": "train, val or test"}),
        pa.field("subject", pa.string(), metadata={"doc": "person, where the source says; else null"}),
        pa.field("status", pa.string(), metadata={"doc": "ok, no_face, failed, unreadable or too_large"}),
        pa.field("width", pa.int32(), metadata={"doc": "photo upright by EXIF, then turned by `rotation`; pixels"}),
        pa.field("height", pa.int32(), metadata={"doc": "of the same, pixels"}),
        pa.field(
            "rotation",
            pa.int16(),
            metadata={"doc": "degrees counter-clockwise that the photo was turned to find a face; null without pixels"},
        ),
        pa.field(
            "num_faces",
            pa.int16(),
            metadata={"doc": "faces found (turned: above the threshold); null without pixels or if the search failed"},
        ),
        pa.field(
            "box", pa.list_(pa.float32(), 4), metadata={"doc": "left, top, right, bottom in pixels of width x height"}
        ),
        pa.field("probability", pa.float32(), metadata={"doc": "of the chosen face"}),
        pa.field(
            "landmarks",
            pa.list_(pa.float32(), 10),
            metadata={"doc": "x, y of left eye, right eye, nose, left and right mouth corner, in the same pixels"},
        ),
        pa.field("file_sha256", pa.string(), metadata={"doc": "of the file's bytes; empty if it could not be read"}),
        pa.field("pixel_sha256", pa.string(), metadata={"doc": "of size and RGB pixels, upright by EXIF alone"}),
        pa.field("face", pa.binary(), metadata={"doc": "encoded square face crop; null without a face"}),
        pa.field("frame", pa.binary(), metadata={"doc": "encoded full photo, squeezed to the same square"}),
    ]
)


@dataclass(frozen=True)
class CropManifest:
    """What a finished set of shards holds. Written last: no manifest, no set."""

    fingerprint: str
    source: str
    generated: bool
    crop: dict
    classes: list[str]
    num_photos: int
    statuses: dict[str, int]
    shards: list[str]
    left_out: dict[str, int]
    format: int = FORMAT


def hash_photos(
    photos: Sequence[Photo], reader: PhotoReader, progress: Callable[[int, int], None] | None = None
) -> list[str]:
    """SHA-256 of each file's bytes, in order; empty for a file that cannot be read. `progress`: (done, of all)."""
    hashes = []
    with ThreadPoolExecutor(HASH_THREADS) as pool:  # most of the time is waiting for storage
        for sha256 in pool.map(lambda photo: _hash_one(photo, reader), photos):
            hashes.append(sha256)
            if progress is not None and len(hashes) % 500 == 0:
                progress(len(hashes), len(photos))
    return hashes


def _hash_one(photo: Photo, reader: PhotoReader) -> str:
    try:
        return hashlib.sha256(reader.read(photo.path)).hexdigest()
    except OSError:  # the cropper gives the row its status
        return ""


def crop_fingerprint(photos: Sequence[Photo], hashes: Iterable[str], cfg: CropConfig) -> str:
    """Names a set by its photos (path, label, split, subject, bytes) and every crop setting."""
    rows = [[*asdict(photo).values(), sha256] for photo, sha256 in zip(photos, hashes, strict=True)]
    return fingerprint({"format": FORMAT, "crop": cfg.to_dict(), "photos": rows})


def read_manifest(folder: Folder) -> CropManifest | None:
    """The manifest of a finished set, or None if there is none."""
    if not folder.exists(MANIFEST):
        return None
    return CropManifest(**folder.read_json(MANIFEST))


def write_manifest(folder: Folder, manifest: CropManifest) -> None:
    """Make the set valid."""
    folder.write_text(MANIFEST, json.dumps(asdict(manifest), indent=2, ensure_ascii=False) + "\n")


def shard_name(index: int) -> str:
    """`part-00007.parquet`."""
    return f"part-{index:05d}.parquet"


def write_shard(folder: Folder, index: int, table: pa.Table) -> str:
    """Write one shard whole or not at all; returns its name."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", use_dictionary=["label", "split", "status"])
    folder.write_bytes(shard_name(index), buffer.getvalue())
    return shard_name(index)


def read_shard(folder: Folder, name: str, columns: Sequence[str] | None = None) -> pa.Table:
    """One shard, or some of its columns."""
    return pq.read_table(pa.BufferReader(folder.read_bytes(name)), columns=list(columns) if columns else None)


def read_rows(folder: Folder, columns: Sequence[str]) -> pa.Table:
    """Columns of the whole finished set, in the order of the source. Raises FileNotFoundError without a manifest."""
    manifest = read_manifest(folder)
    if manifest is None:
        raise FileNotFoundError(f"{folder} holds no finished set of crops (no {MANIFEST}).")
    return pa.concat_tables([read_shard(folder, name, columns) for name in manifest.shards])
