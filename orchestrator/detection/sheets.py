"""The two contact sheets of a set of crops: the photos without a face, and the least certain faces."""

from __future__ import annotations

import io
from collections.abc import Callable, Hashable, Mapping
from pathlib import PurePosixPath
from typing import Any

import pandas as pd
import pyarrow as pa
from PIL import Image

from datasets.folder import Folder
from datasets.photo import OK
from datasets.shards import read_shard
from orchestrator.detection.choice import faceless, is_faceless, least_certain
from orchestrator.detection.photos import BOX
from orchestrator.detection.sheet import Cell, SheetLayout, draw_sheet, photo_picture
from orchestrator.report.detection import FAILED
from orchestrator.report.wording import counted

FACELESS_LAYOUT = SheetLayout(columns=6, pictures=1, side=176)
LEAST_CERTAIN_LAYOUT = SheetLayout(columns=4, pictures=2, side=144)
Row = Mapping[Hashable, Any]
KEPT_LOCAL = "Kept beside the crops: no report shows it and no tracker receives it."


def draw_faceless(folder: Folder, photos: pd.DataFrame) -> Image.Image | None:
    """Photos in which no face was found, whole; None if there are none."""
    rows, layout = faceless(photos), FACELESS_LAYOUT
    if rows.empty:
        return None
    num_all = int(is_faceless(photos).sum())
    some = len(rows) < num_all
    title = f"{len(rows)} of the {num_all} photos without a face" if some else _all_of(num_all, "without a face")
    note = "Whole photos with their size in pixels, by class and split" + (
        ", as many of each as there is room for. " if some else ". "
    )

    def cell(row: Row, pictures: dict[str, Image.Image]) -> Cell:
        whole = photo_picture(pictures["frame"], (row["width"], row["height"]), layout.side)
        return Cell((whole,), (f"{row['label']} · {row['split']} · {row['width']}×{row['height']}", _name(row)))

    return draw_sheet(title, note + KEPT_LOCAL, _cells(folder, rows, ["frame"], cell), layout)


def draw_least_certain(folder: Folder, photos: pd.DataFrame) -> Image.Image | None:
    """The found faces of lowest probability, as whole photo with the box and as face crop; None if there are none."""
    rows, layout = least_certain(photos), LEAST_CERTAIN_LAYOUT
    if rows.empty:
        return None
    num_all = int((photos["status"] == OK).sum())
    title = f"The {len(rows)} least certain of {num_all} faces" if len(rows) < num_all else f"All {num_all} faces"
    note = "Left the photo with the box, right the face crop; p: of being a face, lowest first. "

    def cell(row: Row, pictures: dict[str, Image.Image]) -> Cell:
        box = tuple(row[edge] for edge in BOX)  # of the photo as its frame is kept, turned or not
        whole = photo_picture(pictures["frame"], (row["width"], row["height"]), layout.side, box)
        face = photo_picture(pictures["face"], (1, 1), layout.side)
        return Cell((whole, face), (f"p {row['probability']:.4f} · {row['label']} · {row['split']}", _name(row)))

    return draw_sheet(title, note + KEPT_LOCAL, _cells(folder, rows, ["frame", "face"], cell), layout)


def _all_of(count: int, what: str) -> str:
    return f"The one photo {what}" if count == 1 else f"All {counted(count, 'photo')} {what}"


def _cells(
    folder: Folder, rows: pd.DataFrame, columns: list[str], make: Callable[[Row, dict[str, Image.Image]], Cell]
) -> list[Cell]:
    """A cell a row, in the order of `rows`; one shard in memory at a time."""
    made: dict[tuple[str, int], Cell] = {}
    for shard, members in rows.groupby("shard", sort=True):
        table = read_shard(folder, str(shard), columns)
        for row in members.to_dict("records"):
            made[row["shard"], row["row"]] = make(row, _pictures(table, row["row"]))
    return [made[place] for place in zip(rows["shard"], rows["row"], strict=True)]


def _pictures(table: pa.Table, row: int) -> dict[str, Image.Image]:
    return {name: Image.open(io.BytesIO(table.column(name)[row].as_py())) for name in table.column_names}


def _name(row: Row) -> str:
    """The file's name, and what is out of the ordinary about the photo."""
    rotation, failed = row.get("rotation"), row["status"] == FAILED
    turned = f" · turned {rotation}°" if not pd.isna(rotation) and rotation != 0 else ""
    return PurePosixPath(row["path"]).name + turned + (" · search failed" if failed else "")
