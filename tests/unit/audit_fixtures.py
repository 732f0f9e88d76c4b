"""Hand-made photos for the tests of the audit: a finished set of crops, and the photographs that copies make."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from datasets.copies import CopyPair, Photographs
from datasets.cropper import CropConfig
from datasets.folder import Folder
from datasets.shards import CropManifest, write_manifest, write_shard
from orchestrator.audit.groups import groups_of
from tests.unit.test_shards import row, table_of


def photo(path: str, pixels: str = "", status: str = "ok", subject: str | None = None, **changes: object) -> dict:
    """A row of a shard; split and class are read off `train/joy/1.jpg`, pixels are named by a text."""
    split, label, _ = path.split("/")
    line = row(path, label, status, split) | {"file_sha256": f"file {pixels or path}", "subject": subject}
    if status in ("ok", "no_face"):
        shade = sum((pixels or path).encode()) % 200
        line |= {"pixel_sha256": f"pixels {pixels or path}", "signature": bytes([shade, shade + 9] * (96 * 48))}
        line |= {"file_format": "JPEG", "sharpness": 5.0}
    return line | {"file_bytes": 1000} | changes


def write_set(folder: Folder, rows: Sequence[dict], *, shard_rows: int = 100, fingerprint: str = "abc") -> Folder:
    """A finished set of crops of these rows."""
    starts = range(0, len(rows), shard_rows)
    shards = [
        write_shard(folder, index, table_of(list(rows[start : start + shard_rows])))
        for index, start in enumerate(starts)
    ]
    fields = {"fingerprint": fingerprint, "source": "photos", "generated": False, "left_out": {}}
    fields |= {"crop": dict(CropConfig(image_size=32).to_dict()), "classes": [], "num_photos": len(rows)}
    write_manifest(folder, CropManifest(**fields, statuses={}, shards=shards))
    return folder


def photographs(num_photos: int, exact: Sequence[tuple[int, int]] = (), near: Sequence[tuple[int, int]] = ()):
    """The photographs of these pairs."""
    pairs = [CopyPair(a, b, "exact_copy", 1.0, "pixels") for a, b in exact]
    pairs += [CopyPair(a, b, "near_copy", 0.9, "signature") for a, b in near]
    pairs.sort(key=lambda pair: (pair.a, pair.b))
    return Photographs(groups_of(num_photos, pairs), tuple(pairs))


def labelled(*names: str) -> pd.DataFrame:
    """Rows of path, label, split, subject and file_sha256; `train/joy` a photo."""
    parts = [name.split("/") for name in names]
    return pd.DataFrame(
        {
            "path": [f"{name}/{place}.jpg" for place, name in enumerate(names)],
            "label": [label for _, label in parts],
            "split": [split for split, _ in parts],
            "subject": [None] * len(names),
            "file_sha256": [f"hash{place}" for place in range(len(names))],
        }
    )


def metadata(num_photos: int, classes: Sequence[str] = ("anger", "joy", "sad"), seed: int = 0) -> pd.DataFrame:
    """Photos whose class and split have nothing to do with their files and pixels."""
    rng = np.random.default_rng(seed)
    width = rng.choice([48.0, 100.0, 200.0, 640.0], num_photos)
    return pd.DataFrame(
        {
            "label": rng.choice(list(classes), num_photos),
            "split": rng.choice(["train", "test"], num_photos, p=[0.8, 0.2]),
            "file_format": rng.choice(["JPEG", "PNG"], num_photos, p=[0.9, 0.1]),
            "width": width,
            "height": width * rng.choice([1.0, 0.75], num_photos),
            "file_bytes": (width**2 * rng.lognormal(0, 0.3, num_photos)).round(),
            "brightness": rng.random(num_photos),
            "contrast": rng.random(num_photos),
            "sharpness": rng.lognormal(2, 1, num_photos),
            "found": rng.random(num_photos) < 0.95,
            "face_px": width * rng.random(num_photos),
        }
    )
