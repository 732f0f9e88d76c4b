"""How often a face is found, by class and split."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from datasets.photo import NO_FACE, OK, TOO_LARGE, UNREADABLE
from orchestrator.report.columns import make_frame
from orchestrator.report.group_tests import GroupTest, one_against_rest
from orchestrator.report.intervals import wilson_interval

ALL_CLASSES, ALL_SPLITS = "all classes", "all splits"
FAILED = "failed"
"""Status of a photo that could be read, but on which the search for a face broke."""
SPLITS = ("train", "val", "test")
FACELESS, LEAST_CERTAIN = "faceless.png", "least_certain.png"
"""The contact sheets beside the crops."""


def detection_table(photos: pd.DataFrame) -> pd.DataFrame:
    """A row a class and split, then the totals. `photos`: one row each, columns of orchestrator/detection/photos.py.

    Classes stand by name, splits as train, val, test. A lone class or split gets no total of its own.
    """
    classes, splits = classes_of(photos), splits_of(photos)
    groups = photos.groupby(["label", "split"]).indices
    by_class = {test.name: test.p_value for test in class_tests(photos)}
    by_split = {test.name: test.p_value for test in split_tests(photos)}
    rows = []
    for label, labels in _with_total(ALL_CLASSES, classes).items():
        for split, inside in _with_total(ALL_SPLITS, splits).items():
            places = [groups[pair] for one in labels for part in inside if (pair := (one, part)) in groups]
            if not places:
                continue
            p_value = by_class.get(label) if len(inside) == len(splits) else None
            p_value = by_split.get(split) if len(labels) == len(classes) and p_value is None else p_value
            head = {"class": label, "split": split, "p_value": np.nan if p_value is None else p_value}
            rows.append(head | _numbers(photos.iloc[np.concatenate(places)]))
    return make_frame("detection", rows)


def classes_of(photos: pd.DataFrame) -> list[str]:
    """In the order of `Source.classes`: by name, whatever the letter case."""
    return sorted(photos["label"].unique(), key=lambda name: (name.casefold(), name))


def splits_of(photos: pd.DataFrame) -> list[str]:
    """train, val, test, as far as they occur."""
    return sorted(photos["split"].unique(), key=lambda name: SPLITS.index(name) if name in SPLITS else len(SPLITS))


def class_tests(photos: pd.DataFrame) -> list[GroupTest]:
    """Each class against all others."""
    return one_against_rest(_counts(photos, "label", classes_of(photos)))


def split_tests(photos: pd.DataFrame) -> list[GroupTest]:
    """Each split against all others."""
    return one_against_rest(_counts(photos, "split", splits_of(photos)))


def status_counts(photos: pd.DataFrame) -> dict[str, int]:
    """found, no_face, unreadable, too_large, and failed for every other status; they add up to the photos."""
    counts = photos["status"].value_counts()
    known = {"found": OK, "no_face": NO_FACE, "unreadable": UNREADABLE, "too_large": TOO_LARGE}
    named = {name: int(counts.get(status, 0)) for name, status in known.items()}
    return named | {"failed": len(photos) - sum(named.values())}


def _counts(photos: pd.DataFrame, column: str, names: Iterable[str]) -> dict[str, tuple[int, int]]:
    photos_of, found_of = photos[column].value_counts(), photos.loc[photos["status"] == OK, column].value_counts()
    return {name: (int(found_of.get(name, 0)), int(photos_of[name])) for name in names}


def _with_total(title: str, names: list[str]) -> Mapping[str, list[str]]:
    """Each name for itself, and all of them under `title` where there are several."""
    return {name: [name] for name in names} | ({title: names} if len(names) > 1 else {})


def _numbers(photos: pd.DataFrame) -> dict[str, Any]:
    counts, faces = status_counts(photos), photos[photos["status"] == OK]
    share = wilson_interval(counts["found"], len(photos))
    sides = pd.DataFrame({"width": faces["right"] - faces["left"], "height": faces["bottom"] - faces["top"]})
    several = int((faces["num_faces"] > 1).sum()) if "num_faces" in photos else np.nan
    return {
        "photos": len(photos),
        **counts,
        "share_mean": share.mean,
        "share_low": share.low,
        "share_high": share.high,
        "several_faces": several,
        "probability_median": float(faces["probability"].median()),
        "face_px_median": float(sides.max(axis=1).median()),
    }
