"""What lies beside the crops for people to look at: every photo, the table, the contact sheets."""

from __future__ import annotations

import io

import pandas as pd
from PIL import Image

from datasets.folder import Folder
from datasets.photo import OK
from orchestrator.detection.choice import is_faceless
from orchestrator.detection.photos import PHOTOS_FILE, read_photos, to_photos_csv
from orchestrator.detection.sheets import draw_faceless, draw_least_certain
from orchestrator.report.detection import FACELESS, LEAST_CERTAIN, detection_table
from orchestrator.report.write import to_csv

TABLE_FILE = "detection.csv"


def write_crop_report(folder: Folder) -> pd.DataFrame:
    """Write `photos.csv`, `detection.csv` and the contact sheets of a finished set into its folder; the photos' rows.

    Pictures of people stay there: a run folder, which may be passed on, gets numbers and names alone. A sheet of no
    photo is not written. Raises FileNotFoundError without a manifest.
    """
    photos = read_photos(folder)
    folder.write_text(PHOTOS_FILE, to_photos_csv(photos))
    folder.write_text(TABLE_FILE, to_csv(detection_table(photos)))
    for name, draw in ((FACELESS, draw_faceless), (LEAST_CERTAIN, draw_least_certain)):
        sheet = draw(folder, photos)
        if sheet is None:
            folder.delete(name)
        else:
            folder.write_bytes(name, _png(sheet))
    return photos


def where_to_look(photos: pd.DataFrame, crops: Folder) -> str:
    """Where the lost and the doubtful photos are shown; empty where the folder of the crops does not hold them."""
    shown = {FACELESS: is_faceless(photos), LEAST_CERTAIN: photos["status"] == OK}
    sheets = [name for name, chosen in shown.items() if chosen.any()]
    lacking = "" if FACELESS in sheets else f" (no {FACELESS}: every photo that could be read has a face)"
    try:
        there = all(crops.exists(name) for name in [*sheets, PHOTOS_FILE])
    except OSError:  # a store that does not answer, or not to whoever got a copy of the run folder
        there = False
    return f"{', '.join([*sheets, PHOTOS_FILE])} in {crops}{lacking}" if there else ""


def _png(sheet: Image.Image) -> bytes:
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()
