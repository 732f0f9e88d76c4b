"""All numbers of an audit as plain JSON: what `audit.json` holds, and what tables, sentences and pages are made of."""

from __future__ import annotations

import math
import platform
from collections.abc import Sequence
from importlib import metadata
from typing import Any, Literal

import numpy as np
import pandas as pd

from datasets.copies import COPIES_FORMAT, Photographs
from datasets.shards import CropManifest
from orchestrator.audit import guessing, shortcuts
from orchestrator.audit.ceiling import ceiling_rows, outvoted
from orchestrator.audit.contradictions import conflict_rows, counts_of, leak_rows, subject_rows
from orchestrator.audit.groups import exact_groups, mixed, sizes
from orchestrator.audit.traits import balance, trait_rows
from orchestrator.report.detection import classes_of, splits_of

FORMAT = 1
"""Raised when the meaning of a key changes, or how something is counted."""
PACKAGES = ("facet-ablation", "numpy", "pandas", "scikit-learn", "scipy", "pillow")
SplitOrigin = Literal["given", "drawn", "none"]
"""given: by the source; drawn: by facet, for a run; none: the photos are not split yet."""
Document = dict[str, Any]


def make_document(
    photos: pd.DataFrame, photographs: Photographs, manifest: CropManifest, *, origin: SplitOrigin
) -> Document:
    """The audit of a set of crops. `photos`: as AuditRows.photos; unreadable ones are counted and left out."""
    readable = photos["readable"].to_numpy()
    rows, group = photos[readable].reset_index(drop=True), photographs.group[readable]
    exact = exact_groups(photographs)[readable]
    classes, splits = classes_of(rows), splits_of(rows)
    tables = {
        "conflicts": conflict_rows(rows, group, exact, classes),
        "leaks": leak_rows(rows, group, exact, splits),
        "subjects": subject_rows(rows, splits),
        "ceiling": ceiling_rows(rows, group, exact, classes, splits),
        "photos": trait_rows(photos, classes_of(photos), splits_of(photos)),
        "shortcuts": shortcuts.shortcut_rows(rows, group, splits),
    }
    counts = _counts(rows, group, exact, photographs)
    flagged = [row for row in tables["shortcuts"] if row["flagged"] == "yes"]
    document = {
        "format": FORMAT,
        "clean": not (counts["pairs_exact"] or counts["pairs_near"] or tables["subjects"]),
        "data": {
            "name": manifest.source,
            "fingerprint": manifest.fingerprint,
            "generated": manifest.generated,
            "left_out": manifest.left_out,
            "photos": len(photos),
            "readable": len(rows),
            "classes": classes,
            "splits": splits,
            "splits_origin": origin,
        },
        "counts": {**counts, "shortcuts_flagged": len(flagged)},
        "balance": balance(rows, splits),
        "tables": tables,
        "not_examined": _not_examined(rows, group, splits),
        "settings": settings(),
        "versions": {"python": platform.python_version()} | {name: metadata.version(name) for name in PACKAGES},
    }
    return _plain(document)


def _counts(rows: pd.DataFrame, group: np.ndarray, exact: np.ndarray, photographs: Photographs) -> dict[str, Any]:
    kinds = [pair.kind for pair in photographs.pairs]
    several = sizes(group) > 1 if len(group) else np.zeros(0, bool)
    torn = mixed(group, rows["label"]) | mixed(group, rows["split"])
    known = rows[rows["subject"].notna()]
    return {
        "pairs_exact": kinds.count("exact_copy"),
        "pairs_near": kinds.count("near_copy"),
        "photographs": len(np.unique(group)),
        "photographs_repeated": len(np.unique(group[several])),
        "photographs_repeated_only": len(np.unique(group[several & ~torn])),
        "photos_surplus": len(group) - len(np.unique(group)),
        "conflicts": counts_of(group, exact, rows["label"]),
        "leaks": counts_of(group, exact, rows["split"]),
        "photos_outvoted": int(outvoted(rows["label"].to_numpy(), group).sum()),
        "subjects": known["subject"].nunique(),
        "subjects_in_several_splits": int((known.groupby("subject")["split"].nunique() > 1).sum()),
    }


def _not_examined(rows: pd.DataFrame, group: np.ndarray, splits: Sequence[str]) -> dict[str, list[str]]:
    questions = {"class": "label"} | ({"split": "split"} if len(splits) > 1 else {})
    return {name: shortcuts.left_out(rows, group, column) for name, column in questions.items()}


def settings() -> dict[str, float]:
    """What decides the numbers beside photos and versions; an audit under others is made again."""
    return {
        "copies_format": COPIES_FORMAT,
        "shortcut_alpha": shortcuts.ALPHA,
        "shortcut_min_skill": shortcuts.MIN_SKILL,
        "shortcut_min_photographs": shortcuts.MIN_PHOTOGRAPHS,
        "shortcut_max_photos": shortcuts.MAX_ROWS,
        "shortcut_halvings": guessing.REPEATS,
        "shortcut_permutations": guessing.PERMUTATIONS,
        "shortcut_tree_depth": guessing.MAX_DEPTH,
    }


def _plain(value: Any) -> Any:
    """As JSON has it: no NumPy, no NaN; numbers to 9 significant digits."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.9g}") if math.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value
