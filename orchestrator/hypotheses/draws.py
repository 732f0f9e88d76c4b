"""`photo_groups.csv` of a run folder: photos that are one draw, being copies of one photograph or of one person."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import numpy as np

from datasets.folder import Folder

GROUPS_FILE = "photo_groups.csv"


def write_draws(folder: Folder, photos: Sequence[str], group: np.ndarray) -> None:
    """Photos that share their group with another, beside the first photo of that group. group: (P,), equal for one."""
    _, first, code, count = np.unique(group, return_index=True, return_inverse=True, return_counts=True)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["photo", "group"])
    for place in np.flatnonzero(count[code] > 1).tolist():
        writer.writerow([photos[place], photos[first[code[place]]]])
    folder.write_text(GROUPS_FILE, text.getvalue())


def read_draws(folder: Folder) -> dict[str, str]:
    """By photo, the name of its group; empty where none was written."""
    if not folder.exists(GROUPS_FILE):
        return {}
    rows = csv.DictReader(io.StringIO(folder.read_bytes(GROUPS_FILE).decode("utf-8"), newline=""))
    return {row["photo"]: row["group"] for row in rows}
