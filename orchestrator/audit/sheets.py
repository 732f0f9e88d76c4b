"""Contact sheets of copies: two photos of one photograph side by side, conflicts and leaks first."""

from __future__ import annotations

import io
from collections.abc import Hashable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

import pandas as pd
from PIL import Image

from datasets.folder import Folder
from datasets.shards import GROUP_ROWS, open_shard
from orchestrator.audit.rows import NO_SPLIT
from orchestrator.detection.sheet import Cell, SheetLayout, draw_sheet, photo_picture
from orchestrator.report.wording import counted

LAYOUT = SheetLayout(columns=4, pictures=2, side=144, lines=4)
PER_SHEET = 24
MAX_SHEETS = 10
NOTE = "One pair of each photograph, conflicts and leaks first. Photos of people: keep it where the photos may be."
Row = Mapping[Hashable, Any]
Place = tuple[str, int]


def sheet_name(number: int) -> str:
    """`copies-01.png`."""
    return f"copies-{number:02d}.png"


def chosen_pairs(photos: pd.DataFrame, findings: pd.DataFrame) -> pd.DataFrame:
    """The first pair of every photograph, in the order of `findings`, with `num_photos`: how many copies there are."""
    sizes = photos["photograph"].value_counts()
    photograph = findings["path_a"].map(photos.set_index("path")["photograph"])
    rows = findings.assign(num_photos=photograph.map(sizes), photograph=photograph)
    return rows.drop_duplicates("photograph", ignore_index=True)


def draw_sheets(folder: Folder, photos: pd.DataFrame, pairs: pd.DataFrame) -> Iterator[Image.Image]:
    """At most MAX_SHEETS sheets of PER_SHEET pairs. `photos`: path, width, height, shard, row of all photos of the set.

    Reads no more than the row groups that hold what a sheet shows.
    """
    places = {row["path"]: row for row in photos[["path", "width", "height", "shard", "row"]].to_dict("records")}
    shown = pairs.head(MAX_SHEETS * PER_SHEET)
    for start in range(0, len(shown), PER_SHEET):
        part = shown.iloc[start : start + PER_SHEET]
        shown_photos = [places[path] for path in {*part["path_a"], *part["path_b"]}]
        frames = read_frames(folder, {(row["shard"], row["row"]) for row in shown_photos})
        pictures = {
            row["path"]: _picture(frames[row["shard"], row["row"]], (int(row["width"]), int(row["height"])))
            for row in shown_photos
        }
        cells = [
            Cell((pictures[row["path_a"]], pictures[row["path_b"]]), _caption(row)) for row in part.to_dict("records")
        ]
        yield draw_sheet(_title(start, len(part), len(pairs)), NOTE, cells, LAYOUT)


def read_frames(folder: Folder, places: set[Place]) -> dict[Place, bytes]:
    """The encoded whole photos at those places (shard, row); one row group in memory at a time."""
    found: dict[Place, bytes] = {}
    for shard in sorted({shard for shard, _ in places}):
        rows = sorted(row for name, row in places if name == shard)
        with open_shard(folder, shard) as file:
            for group in sorted({row // GROUP_ROWS for row in rows}):
                column = file.read_row_group(group, ["frame"]).column("frame")
                inside = [row for row in rows if row // GROUP_ROWS == group]
                found |= {(shard, row): column[row - group * GROUP_ROWS].as_py() for row in inside}
    return found


def _picture(frame: bytes, size: tuple[int, int]) -> Image.Image:
    return photo_picture(Image.open(io.BytesIO(frame)), size, LAYOUT.side)


def _title(start: int, count: int, total: int) -> str:
    return f"Copies: {start + 1} to {start + count} of {counted(total, 'photograph')} that stand there several times"


def _caption(row: Row) -> tuple[str, ...]:
    marks = [name for name in ("conflict", "leak") if row[name]]
    kind = str(row["kind"]).replace("_", " ")
    if row["kind"] == "near_copy":
        kind += f" {row['score']:.2f}" + (f", {row['how']}" if row["how"] else "")
    more = f" · {row['num_photos'] - 2} more" if row["num_photos"] > 2 else ""
    sides = [
        " · ".join(part for part in (row[f"class_{side}"], row[f"split_{side}"]) if part != NO_SPLIT) for side in "ab"
    ]
    names = [PurePosixPath(row[f"path_{side}"]).name for side in "ab"]
    head = f"{sides[0]}  |  {sides[1]}" if sides[0] != sides[1] else f"both {sides[0]}"
    return head, ", ".join([*marks, kind]) + more, names[0], names[1]
