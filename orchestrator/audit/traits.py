"""What the photos of each class and split are like: how many, how large, in which format, how bright and sharp."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from orchestrator.audit.ceiling import majority
from orchestrator.report.detection import ALL_CLASSES, ALL_SPLITS

Row = dict[str, Any]
MEDIANS = ("file_bytes", "brightness", "contrast", "sharpness", "face_px")
QUARTILES = {"q25": 0.25, "median": 0.5, "q75": 0.75}


def trait_rows(photos: pd.DataFrame, classes: Sequence[str], splits: Sequence[str]) -> list[Row]:
    """A row a class and split, then the totals. `photos`: all of them, columns of AuditRows.photos."""
    rows = []
    for name in [*classes, *([ALL_CLASSES] if len(classes) > 1 else [])]:
        for split in [*splits, *([ALL_SPLITS] if len(splits) > 1 else [])]:
            of_split = photos if split == ALL_SPLITS else photos[photos["split"] == split]
            part = of_split if name == ALL_CLASSES else of_split[of_split["label"] == name]
            if len(part):
                rows.append({"class": name, "split": split, **_numbers(part, len(of_split))})
    return rows


def balance(photos: pd.DataFrame, splits: Sequence[str]) -> dict[str, Row]:
    """By split: photos a class, how often the commonest class outnumbers the rarest, and the majority baseline."""
    result: dict[str, Row] = {}
    for split in [*splits, *([ALL_SPLITS] if len(splits) > 1 else [])]:
        labels = photos["label"] if split == ALL_SPLITS else photos.loc[photos["split"] == split, "label"]
        counts = labels.value_counts()
        result[split] = {
            "counts": {str(name): int(counts[name]) for name in sorted(counts.index)},
            "imbalance_ratio": float(counts.max() / counts.min()),
            **majority(labels.to_numpy()),
        }
    return result


def _numbers(part: pd.DataFrame, num_split: int) -> Row:
    formats = part["file_format"].value_counts(normalize=True)
    short = part[["width", "height"]].min(axis=1)
    quantiles = {f"short_side_{name}": float(short.quantile(share)) for name, share in QUARTILES.items()}
    return {
        "photos": len(part),
        "share_of_split": len(part) / num_split,
        "share_mean": float(part["found"].mean()),
        "format_main": str(formats.index[0]) if len(formats) else "",
        "format_share": float(formats.iloc[0]) if len(formats) else np.nan,
        **quantiles,
        **{f"{name}_median": float(part.loc[part["readable"], name].median()) for name in MEDIANS},
    }
