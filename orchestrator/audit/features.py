"""What is known of a photo without looking at what it shows: as numbers for a small model, and in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeClassifier

from orchestrator.report.wording import percent

FILE_FEATURES = ("file_format", "file_bytes", "width", "height", "aspect_ratio", "bytes_per_pixel")
"""Of the file: a class that these tell was collected in another way, which a model can learn in place of faces."""
IMAGE_FEATURES = ("brightness", "contrast", "sharpness", "face_found", "face_px", "face_share")
"""Of the pixels: a difference may be a shortcut, or belong to the class. Reported, not flagged."""
SETS = {"file": FILE_FEATURES, "image": IMAGE_FEATURES}


@dataclass(frozen=True)
class FeatureDoc:
    """How a sentence names a feature, its unit and the digits it is given with."""

    name: str
    unit: str = ""
    digits: int = 0


DOCS = {
    "file_format": FeatureDoc("file format"),
    "file_bytes": FeatureDoc("file size", "bytes"),
    "width": FeatureDoc("width", "pixels"),
    "height": FeatureDoc("height", "pixels"),
    "aspect_ratio": FeatureDoc("aspect ratio", digits=2),
    "bytes_per_pixel": FeatureDoc("bytes per pixel", digits=3),
    "brightness": FeatureDoc("brightness", digits=3),
    "contrast": FeatureDoc("contrast", digits=3),
    "sharpness": FeatureDoc("sharpness", digits=1),
    "face_found": FeatureDoc("whether a face is found"),
    "face_px": FeatureDoc("size of the face", "pixels"),
    "face_share": FeatureDoc("share of the photo's longer side that the face takes", digits=2),
}
_SHARES = ("file_format", "face_found")


def feature_table(photos: pd.DataFrame) -> pd.DataFrame:
    """All features of readable photos as floats, in their order. The format is a number by how common it is; a photo
    without a face has the size 0.
    """
    ranks = {name: rank for rank, name in enumerate(_by_frequency(photos["file_format"]))}
    pixels = photos["width"] * photos["height"]
    longer = photos[["width", "height"]].max(axis=1)
    return pd.DataFrame(
        {
            "file_format": photos["file_format"].map(ranks).astype("float64"),
            "file_bytes": photos["file_bytes"],
            "width": photos["width"],
            "height": photos["height"],
            "aspect_ratio": photos["width"] / photos["height"],
            "bytes_per_pixel": photos["file_bytes"] / pixels,
            "brightness": photos["brightness"],
            "contrast": photos["contrast"],
            "sharpness": photos["sharpness"],
            "face_found": photos["found"].astype("float64"),
            "face_px": photos["face_px"].fillna(0.0),
            "face_share": (photos["face_px"] / longer).fillna(0.0),
        }
    ).astype("float64")


def contrast_words(feature: str, photos: pd.DataFrame, table: pd.DataFrame, inside: np.ndarray) -> str:
    """How the feature differs between the photos `inside` and all others: `PNG: 98.0 % against 3.1 %`.

    Of a number, the range in which the shares differ most (cut by a small tree, from the photos at hand).
    """
    if feature in _SHARES:
        values = photos["file_format"] if feature == "file_format" else table[feature].map({0.0: "no", 1.0: "yes"})
        names = _by_frequency(values)
        gaps = {name: float((values[inside] == name).mean() - (values[~inside] == name).mean()) for name in names}
        name = max(names, key=lambda one: gaps[one])
        title = name if feature == "file_format" else {"yes": "face found", "no": "no face found"}[name]
        shares = (percent(float((values[part] == name).mean())) for part in (inside, ~inside))
        return f"{title}: {' against '.join(shares)}"
    doc, numbers = DOCS[feature], table[feature].to_numpy()
    within = _telling_range(numbers, inside)
    low, high = (f"{edge:,.{doc.digits}f}" for edge in (numbers[within].min(), numbers[within].max()))
    shares = (percent(float(within[part].mean())) for part in (inside, ~inside))
    unit = f" {doc.unit}" if doc.unit else ""
    return f"{low if low == high else f'{low} to {high}'}{unit}: {' against '.join(shares)}"


def _telling_range(values: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Which photos lie in the range that holds a larger share of those `inside` than of the others, by most."""
    tree = DecisionTreeClassifier(max_depth=2, min_samples_leaf=5, class_weight="balanced", random_state=0)
    cuts = tree.fit(values[:, None], inside).tree_
    edges = np.sort(cuts.threshold[cuts.feature >= 0])
    bins = np.searchsorted(edges, values.astype(np.float32), side="left")
    gaps = [(bins[inside] == place).mean() - (bins[~inside] == place).mean() for place in range(len(edges) + 1)]
    return bins == int(np.argmax(gaps))


def _by_frequency(values: pd.Series) -> list[str]:
    """The different values, the commonest first, equals by name."""
    counts = values.value_counts()
    return sorted(counts.index, key=lambda name: (-int(counts[name]), name))
