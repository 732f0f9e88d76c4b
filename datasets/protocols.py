"""The three protocols: which photo plays which role, whether a source suits one, and what it leaves out."""

from __future__ import annotations

from typing import Any

import numpy as np

from datasets.left_out import RULES, left_out
from datasets.photo_table import PROTOCOLS, REPORT, SELECT, TRAIN, UNUSED, PhotoTable, Protocol
from datasets.protocol_check import check_protocol
from datasets.roles import assign_roles

__all__ = [
    "PROTOCOLS",
    "REPORT",
    "ROLES_FORMAT",
    "ROLE_NAMES",
    "SELECT",
    "TRAIN",
    "UNUSED",
    "PhotoTable",
    "Protocol",
    "assign_roles",
    "check_protocol",
    "describe",
]
ROLES_FORMAT = 1
"""Raised when the same photos would get other roles: it is part of a trial's key."""
ROLE_NAMES = {TRAIN: "train", SELECT: "select", REPORT: "report"}


def describe(photos: PhotoTable, roles: np.ndarray, protocol: str) -> dict[str, Any]:
    """Counts of photos for a report, as JSON values.

    photos: all. roles: by role (train, select, report), then by class. left_out: by rule (conflict, leak, subject,
    copy), then by class; `val_not_used` are the val photos of `paper`. num_left_out: by rule.
    """
    rule = left_out(photos, protocol)
    counted = {name: rule == code for code, name in RULES.items()}
    if protocol == "paper":
        counted["val_not_used"] = photos.split == "val"
    return {
        "protocol": protocol,
        "photos": len(photos),
        "roles": {name: _by_class(photos, roles == role) for role, name in ROLE_NAMES.items()},
        "num_left_out": {name: int(rows.sum()) for name, rows in counted.items()},
        "left_out": {name: _by_class(photos, rows) for name, rows in counted.items()},
    }


def _by_class(photos: PhotoTable, rows: np.ndarray) -> dict[str, int]:
    counts = np.bincount(photos.label[rows], minlength=len(photos.classes))
    return {name: int(count) for name, count in zip(photos.classes, counts, strict=True)}
