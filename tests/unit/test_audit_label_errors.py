"""Likely label errors from predictions out of the fold."""

import numpy as np
import pandas as pd
import pytest

from datasets.folder import Folder
from orchestrator.audit.label_errors import COLUMNS, rank_label_issues, write_label_issues

CLASSES = ["anger", "joy", "sad"]


def predictions(num_wrong: int = 2) -> pd.DataFrame:
    """30 photos under two seeds; models see the truth, the first labels are not it."""
    rng = np.random.default_rng(0)
    rows = []
    for place in range(30):
        truth = place % 3
        given = (truth + 1) % 3 if place < num_wrong else truth
        rows += [
            (f"{place:02d}.jpg", CLASSES[given], seed, [3.0 * (c == truth) + rng.normal(0, 0.2) for c in range(3)])
            for seed in (0, 1)
        ]
    return pd.DataFrame(rows, columns=["photo", "true_label", "seed", "logits"])


def test_wrong_labels_come_first_with_a_suggestion(tmp_path):
    issues = write_label_issues(Folder.at(tmp_path), predictions(), CLASSES)
    assert tuple(issues.columns) == COLUMNS
    assert issues["path"].tolist()[:2] == ["00.jpg", "01.jpg"] or issues["path"].tolist()[:2] == ["01.jpg", "00.jpg"]
    first = issues.set_index("path").loc["00.jpg"]
    assert (first["label"], first["suggested"], bool(first["issue"])) == ("joy", "anger", True)
    assert issues["issue"].sum() == 2
    assert len(issues) == 30, "one row a photo, not one a seed"
    lines = (tmp_path / "label_issues.csv").read_text().splitlines()
    assert lines[0] == "path,label,suggested,quality,probability_suggested,issue"
    assert lines[1].endswith(",true")


def test_right_labels_are_not_suspected(tmp_path):
    assert not write_label_issues(Folder.at(tmp_path), predictions(num_wrong=0), CLASSES)["issue"].any()


def test_probabilities_are_averaged_over_seeds():
    logits = [[np.log(9.0), 0.0], [0.0, np.log(3.0)]]
    rows = pd.DataFrame({"photo": ["a"] * 2, "true_label": ["x"] * 2, "seed": [0, 1], "logits": logits})
    folder = Folder.at("/nowhere")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Folder, "write_text", lambda *_: None)
        issues = write_label_issues(folder, rows, ["x", "y"])
    assert issues["quality"].tolist() == [pytest.approx((0.9 + 0.25) / 2)]


def test_few_photos_and_classes_without_any_do_no_harm():
    issues = rank_label_issues(np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]]), ["anger", "joy"], ["x", "y"], CLASSES)
    assert issues["path"].tolist() == ["y", "x"]
    assert rank_label_issues(np.zeros((0, 3)), [], [], CLASSES).empty


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="do not fit"):
        rank_label_issues(np.ones((2, 2)), ["anger", "joy"], ["x", "y"], CLASSES)
    with pytest.raises(ValueError, match=r"unknown labels: \['fear'\]"):
        rank_label_issues(np.ones((1, 3)), ["fear"], ["x"], CLASSES)
    twice = pd.DataFrame({"photo": ["a", "a"], "true_label": ["x", "y"], "seed": [0, 1], "logits": [[1.0, 2.0]] * 2})
    with pytest.raises(ValueError, match="two labels"):
        write_label_issues(Folder.at("/nowhere"), twice, ["x", "y"])
