"""What an audit compares, read from the shards without their pictures: one row a photo."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from datasets.folder import Folder
from datasets.photo import OK, READABLE
from datasets.shards import read_manifest, read_shard
from orchestrator.detection.photos import BOX

TEXTS = ("path", "label", "split", "subject", "status", "file_sha256", "pixel_sha256", "file_format")
NUMBERS = ("width", "height", "file_bytes", "sharpness")
SHARD_COLUMNS = (*TEXTS, *NUMBERS, "box", "signature")
NO_SPLIT = "no split"
"""Split of every photo where the photos are not split yet."""


@dataclass(frozen=True)
class AuditRows:
    """`photos`: TEXTS and NUMBERS, and `readable`, `found`, `face_px` (longer side of the face, pixels),
    `brightness` and `contrast` (mean and standard deviation of the grey photo, 0 to 1), `shard` and `row`: where the
    photo lies. `signatures`: the photo as grey bytes; None without pixels.
    """

    photos: pd.DataFrame
    signatures: list[bytes | None]


def read_audit_rows(folder: Folder, *, split: bool = True) -> AuditRows:
    """All photos of a finished set, in the order of the source. `split`: False if the photos are not split yet.

    Shard by shard, and no picture is read. Raises FileNotFoundError without a manifest.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        raise FileNotFoundError(f"{folder} holds no finished set of crops.")
    parts: list[pd.DataFrame] = []
    signatures: list[bytes | None] = []
    for name in manifest.shards:
        table = read_shard(folder, name, SHARD_COLUMNS)
        of_shard = table.column("signature").to_pylist()
        parts.append(_rows_of(table, of_shard).assign(shard=name, row=range(len(table))))
        signatures += of_shard
    photos = pd.concat(parts, ignore_index=True)
    return AuditRows(photos if split else photos.assign(split=NO_SPLIT), signatures)


def _rows_of(table: pa.Table, signatures: list[bytes | None]) -> pd.DataFrame:
    columns: dict[str, object] = {name: table.column(name).to_pylist() for name in TEXTS}
    columns |= {name: table.column(name).to_pandas().astype("float64") for name in NUMBERS}
    left, top, right, bottom = (
        pc.list_element(table.column("box"), place).to_pandas().astype("float64") for place in range(len(BOX))
    )
    grey = [(np.nan, np.nan) if signature is None else _grey_levels(signature) for signature in signatures]
    photos = pd.DataFrame(columns)
    return photos.assign(
        readable=photos["status"].isin(sorted(READABLE)),
        found=photos["status"] == OK,
        face_px=np.maximum(right - left, bottom - top),
        brightness=[mean for mean, _ in grey],
        contrast=[deviation for _, deviation in grey],
    )


def _grey_levels(signature: bytes) -> tuple[float, float]:
    grey = np.frombuffer(signature, np.uint8)
    return float(grey.mean()) / 255, float(grey.std()) / 255
