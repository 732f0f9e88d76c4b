"""What cropping found: one row a photo, read from the shards or from `photos.csv`. No picture is in it."""

from __future__ import annotations

import io

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from datasets.folder import Folder
from datasets.shards import SCHEMA, read_manifest, read_shard

PHOTOS_FILE = "photos.csv"
TEXTS = ("path", "label", "split", "status")
BOX = ("left", "top", "right", "bottom")
_WHOLE = ("width", "height", "num_faces", "rotation")
COLUMNS = (*TEXTS, "width", "height", *BOX, "probability", "num_faces", "rotation")
"""Of `photos.csv`, as in the shards, the box in four columns; the last two where the shards have them."""
SHARD_COLUMNS = tuple(
    name for name in (*TEXTS, "width", "height", "box", "probability", "num_faces", "rotation") if name in SCHEMA.names
)


def read_photos(folder: Folder) -> pd.DataFrame:
    """COLUMNS of a finished set of crops in the order of the source, with `shard` and `row`: where the photo lies.

    Shard by shard, so that memory does not grow with the pictures. Raises FileNotFoundError without a manifest.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        raise FileNotFoundError(f"{folder} holds no finished set of crops.")
    parts = [rows_of(read_shard(folder, name, SHARD_COLUMNS), name) for name in manifest.shards]
    return pd.concat(parts, ignore_index=True)


def rows_of(table: pa.Table, shard: str) -> pd.DataFrame:
    """The rows of one shard; columns that it lacks are left out."""
    columns = {name: table.column(name).to_pandas() for name in TEXTS}
    columns |= {name: table.column(name).to_pandas().astype("Int64") for name in _WHOLE if name in table.column_names}
    edges = {name: pc.list_element(table.column("box"), place) for place, name in enumerate(BOX)}
    columns |= {name: edge.to_pandas().astype("float64").round(2) for name, edge in edges.items()}
    columns["probability"] = table.column("probability").to_pandas().astype("float64").round(6)
    frame = pd.DataFrame({name: columns[name] for name in COLUMNS if name in columns})
    return frame.assign(shard=shard, row=range(len(frame)))


def to_photos_csv(photos: pd.DataFrame) -> str:
    """`photos.csv`: what is known of each photo but where its crops lie."""
    shown = [name for name in COLUMNS if name in photos]
    return photos[shown].to_csv(index=False, lineterminator="\n")


def read_photos_csv(folder: Folder) -> pd.DataFrame | None:
    """`photos.csv` of a run folder; None where there is none. A class may be called `NA`, or be a number."""
    if not folder.exists(PHOTOS_FILE):
        return None
    content = io.BytesIO(folder.read_bytes(PHOTOS_FILE))
    empty = {name: [""] for name in COLUMNS if name not in TEXTS}
    dtypes = dict.fromkeys(TEXTS, "str") | dict.fromkeys(_WHOLE, "Int64")
    return pd.read_csv(content, dtype=dtypes, keep_default_na=False, na_values=empty)
