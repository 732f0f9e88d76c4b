"""Likely label errors: photos whose label an ensemble of models that never saw them finds hard to believe.

By confident learning (C. Northcutt, L. Jiang, I. Chuang, 2021, doi:10.1613/jair.1.12125), as cleanlab does it. A photo
is suspected, not convicted: a hard or odd photo looks the same. It takes predictions from out of the fold: a model that
was trained on a photo has learned its label, right or wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import softmax

from datasets.folder import Folder

LABEL_ISSUES_FILE = "label_issues.csv"
COLUMNS = ("path", "label", "suggested", "quality", "probability_suggested", "issue")


def rank_label_issues(
    probabilities_NK: np.ndarray, labels: Sequence[str], paths: Sequence[str], classes: Sequence[str]
) -> pd.DataFrame:
    """COLUMNS, a row a photo, the least credible label first (equals by path).

    `probabilities_NK`: of each class, from models that did not train on the photo; rows add up to 1. `quality`: the
    probability of the given label, 0 to 1. `issue`: whether confident learning counts the label among the errors: the
    photo is as sure of `suggested`, the other class it is surest of, as photos of that class are on average. Raises
    ValueError where shapes or labels do not fit.
    """
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    index = {name: place for place, name in enumerate(classes)}
    unknown = sorted(set(labels) - set(index))
    if unknown or probabilities_NK.shape != (len(labels), len(classes)) or len(paths) != len(labels):
        raise ValueError(
            f"probabilities {probabilities_NK.shape} of {len(labels)} labels, {len(paths)} paths and {len(classes)} "
            f"classes do not fit (unknown labels: {unknown})."
        )
    given = np.array([index[label] for label in labels], np.int64)
    if len(given) == 0:
        return pd.DataFrame(columns=list(COLUMNS))
    others = probabilities_NK.copy()
    others[np.arange(len(given)), given] = -1.0
    suggested = others.argmax(axis=1)
    frame = pd.DataFrame(
        {
            "path": list(paths),
            "label": list(labels),
            "suggested": [classes[place] for place in suggested],
            "quality": get_label_quality_scores(given, probabilities_NK, method="self_confidence"),
            "probability_suggested": probabilities_NK[np.arange(len(given)), suggested],
            "issue": find_label_issues(given, probabilities_NK, filter_by="confident_learning", n_jobs=1),
        }
    )
    return frame.sort_values(["quality", "path"], ignore_index=True)[list(COLUMNS)]


def write_label_issues(run_folder: Folder, predictions: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Write `label_issues.csv`: every predicted photo, the least credible label first; its rows.

    `predictions`: photo, true_label, seed and logits (one a class, in the order of `classes`), of one condition under a
    protocol whose models did not train on the photo. Probabilities are averaged over a photo's rows. Raises ValueError
    where a photo has two labels.
    """
    if (predictions.groupby("photo")["true_label"].nunique() > 1).any():
        raise ValueError("predictions give one photo two labels.")
    logits_RK = np.array(predictions["logits"].tolist(), np.float64).reshape(len(predictions), len(classes))
    probabilities = pd.DataFrame(softmax(logits_RK, axis=1), index=predictions["photo"].tolist())
    averaged = probabilities.groupby(level=0, sort=True).mean()
    labels = predictions.drop_duplicates("photo").set_index("photo")["true_label"].loc[averaged.index]
    issues = rank_label_issues(averaged.to_numpy(), labels.tolist(), averaged.index.tolist(), classes)
    words = {True: "true", False: "false"}
    text = issues.assign(issue=issues["issue"].map(words)).to_csv(index=False, lineterminator="\n", float_format="%.6g")
    run_folder.write_text(LABEL_ISSUES_FILE, text)
    return issues
