"""The cropped set on disk: its settings, Parquet shards, and a manifest written last that makes the set valid."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields

import pyarrow as pa
import pyarrow.parquet as pq

from datasets.cropper import CropConfig
from datasets.fingerprint import fingerprint_of_rows
from datasets.folder import Folder
from datasets.sources import Photo

FORMAT = 3
"""Raised when the meaning of a column, or what the cropper writes into it, changes."""
MANIFEST = "manifest.json"
SETTINGS = "settings.json"
GROUP_ROWS = 64
"""Rows of a Parquet row group: what reading a single row of a shard costs."""
PHOTO_COLUMNS = tuple(field.name for field in fields(Photo))
"""The columns that come from the source; the others are computed from a file's bytes and the crop settings alone."""

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
        pa.field("file_bytes", pa.int64(), metadata={"doc": "length of the file; 0 if it could not be read"}),
        pa.field("file_format", pa.string(), metadata={"doc": "by the content, such as JPEG; null without pixels"}),
        pa.field("pixel_sha256", pa.string(), metadata={"doc": "of size and RGB pixels, upright by EXIF alone"}),
        pa.field("sharpness", pa.float32(), metadata={"doc": "of those pixels; see datasets/measures.py"}),
        pa.field("signature", pa.binary(), metadata={"doc": "those pixels as 96 x 96 grey bytes; null without pixels"}),
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


def crop_fingerprint(photos: Sequence[Photo], hashes: Iterable[str], cfg: CropConfig) -> str:
    """Names a set by its photos (path, label, split, subject, bytes) and every crop setting."""
    rows = (
        [*(getattr(photo, name) for name in PHOTO_COLUMNS), sha256]
        for photo, sha256 in zip(photos, hashes, strict=True)
    )
    return fingerprint_of_rows({"format": FORMAT, "crop": cfg.to_dict()}, "photos", rows)


def read_manifest(folder: Folder) -> CropManifest | None:
    """The manifest of a finished set, or None if there is none."""
    if not folder.exists(MANIFEST):
        return None
    return CropManifest(**folder.read_json(MANIFEST))


def write_settings(folder: Folder, cfg: CropConfig) -> None:
    """Say how the rows of this set are made, before there are any: others may reuse those of an unfinished set."""
    folder.write_text(SETTINGS, json.dumps({"format": FORMAT, "crop": dict(cfg.to_dict())}, indent=2) + "\n")


def made_alike(folder: Folder, cfg: CropConfig) -> bool:
    """Whether the folder says that its rows are made by this format and these settings. Never raises."""
    for name in (SETTINGS, MANIFEST):
        try:
            held = json.loads(folder.read_bytes(name))
            return bool(held["format"] == FORMAT and held["crop"] == dict(cfg.to_dict()))
        except (OSError, ValueError, LookupError, TypeError):  # missing, damaged, or someone else's file
            continue
    return False


def write_manifest(folder: Folder, manifest: CropManifest) -> None:
    """Make the set valid."""
    folder.write_text(MANIFEST, json.dumps(asdict(manifest), indent=2, ensure_ascii=False) + "\n")


def shard_name(index: int) -> str:
    """`part-00007.parquet`."""
    return f"part-{index:05d}.parquet"


def write_shard(folder: Folder, index: int, table: pa.Table) -> str:
    """Write one shard whole or not at all; returns its name."""
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        row_group_size=GROUP_ROWS,
        compression="zstd",
        use_dictionary=["label", "split", "status"],
        write_page_checksum=True,
    )
    folder.write_bytes(shard_name(index), sink.getvalue())
    return shard_name(index)


def read_shard(folder: Folder, name: str, columns: Sequence[str] | None = None) -> pa.Table:
    """One shard, or some of its columns."""
    with open_shard(folder, name) as shard:
        return shard.read(list(columns) if columns else None)


def open_shard(folder: Folder, name: str) -> pq.ParquetFile:
    """A shard of which parts can be read; close it. Raises OSError, also where its bytes are damaged, or
    pyarrow.ArrowInvalid where it is no Parquet file.
    """
    return pq.ParquetFile(folder.path(name), filesystem=folder.filesystem, page_checksum_verification=True)


def read_rows(folder: Folder, columns: Sequence[str]) -> pa.Table:
    """Columns of the whole finished set, in the order of the source. Raises FileNotFoundError without a manifest."""
    manifest = read_manifest(folder)
    if manifest is None:
        raise FileNotFoundError(f"{folder} holds no finished set of crops (no {MANIFEST}).")
    return pa.concat_tables([read_shard(folder, name, columns) for name in manifest.shards])
