"""`wrong.html`: the photos that every condition gets wrong, with their crops. Written only when asked for, never sent.

It is the one file of a run folder that shows photos; the next rebuild of the report without `--wrong-photos` deletes
it.
"""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
from PIL import Image

from datasets.errors import FailedError
from datasets.folder import Folder
from datasets.shards import GROUP_ROWS, open_shard
from orchestrator.detection.photos import read_photos
from orchestrator.report.always_wrong import ALWAYS_WRONG_FILE
from orchestrator.report.template import page_template
from orchestrator.report.wording import counted, percent

WRONG_PAGE = "wrong.html"
MAX_SHOWN = 500
"""Photos on the page: some 4 KB each."""
SIDE, QUALITY = 112, 80
Place = tuple[str, int]


@dataclass(frozen=True)
class WrongPhoto:
    """A photo and what was said of it under each protocol. `source`: a data URI, empty where there is no picture."""

    path: str
    true_class: str
    source: str
    told: tuple[str, ...]


def write_wrong_page(run_folder: Folder, crops: Folder) -> str:
    """Write the page from `always_wrong.csv` and the crops; a line on what it holds.

    Raises FailedError where the crops are gone or cannot be read.
    """
    columns = dict.fromkeys(("photo", "protocol", "true_class", "answers"), "str")
    content = io.BytesIO(run_folder.read_bytes(ALWAYS_WRONG_FILE))
    wrong = pd.read_csv(content, dtype=columns, keep_default_na=False)
    paths = _ranked(wrong)
    shown = paths[:MAX_SHOWN]
    try:
        pictures = _pictures(crops, shown)
    except (OSError, pa.ArrowException):
        raise FailedError(
            f"`--wrong-photos` needs the face crops of this run, and {crops} holds no finished set of them. "
            f"`facet crop` with the settings of the run makes them again. All but {WRONG_PAGE} is written."
        ) from None
    photos = [_photo(path, wrong[wrong["photo"] == path], pictures.get(path)) for path in shown]
    text = page_template("wrong.html.j2").render(photos=photos, num_all=len(paths), file=ALWAYS_WRONG_FILE)
    run_folder.write_text(WRONG_PAGE, text)
    return (
        f"{run_folder}/{WRONG_PAGE} ({counted(len(shown), 'photo')} of {len(paths)}; pictures of people: keep it here)"
    )


def _ranked(wrong: pd.DataFrame) -> list[str]:
    """Each photo once: those that are wrong under most protocols first, then the least believed."""
    by_photo = wrong.groupby("photo")["probability_true_mean"].agg(["size", "mean"]).reset_index()
    ranked = by_photo.sort_values(["size", "mean", "photo"], ascending=[False, True, True])
    return [str(path) for path in ranked["photo"]]


def _photo(path: str, rows: pd.DataFrame, picture: bytes | None) -> WrongPhoto:
    told = tuple(
        f"{row['protocol']}: {row['answers']} ({percent(row['probability_true_mean'])} for the true class)"
        for row in rows.to_dict("records")
    )
    return WrongPhoto(path, str(rows["true_class"].iloc[0]), _data_uri(picture) if picture else "", told)


def _data_uri(picture: bytes) -> str:
    small, buffer = Image.open(io.BytesIO(picture)).convert("RGB"), io.BytesIO()
    small.thumbnail((SIDE, SIDE), Image.Resampling.BICUBIC)
    small.save(buffer, "JPEG", quality=QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _pictures(crops: Folder, paths: list[str]) -> dict[str, bytes]:
    """By path the encoded face crop, or the whole photo where no face was found. Raises OSError, ArrowException."""
    held = read_photos(crops)
    rows = held[held["path"].isin(paths)]
    places: dict[Place, str] = {
        (str(row["shard"]), int(row["row"])): str(row["path"])
        for row in rows[["shard", "row", "path"]].to_dict("records")
    }
    found: dict[str, bytes] = {}
    for shard in sorted({shard for shard, _ in places}):
        inside = sorted(row for name, row in places if name == shard)
        with open_shard(crops, shard) as file:
            for group in sorted({row // GROUP_ROWS for row in inside}):
                columns = file.read_row_group(group, ["face", "frame"])
                for row in (row for row in inside if row // GROUP_ROWS == group):
                    face, frame = (columns.column(name)[row - group * GROUP_ROWS].as_py() for name in ("face", "frame"))
                    if face or frame:
                        found[places[shard, row]] = face or frame
    return found
