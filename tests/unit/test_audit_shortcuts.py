"""The shortcut check finds what was planted, names the feature, and is quiet on noise."""

import numpy as np
import pytest

from orchestrator.audit import guessing
from orchestrator.audit.features import contrast_words, feature_table
from orchestrator.audit.guessing import guess, halve
from orchestrator.audit.shortcuts import MAX_ROWS, _drawn, left_out, shortcut_rows
from tests.unit.audit_fixtures import metadata


@pytest.fixture(autouse=True)
def fewer_halves(monkeypatch):
    """What is told and what is not does not hang on five halvings."""
    monkeypatch.setattr(guessing, "REPEATS", 2)


def flagged(photos, group=None, splits=("train", "test")):
    group = np.arange(len(photos)) if group is None else group
    return [row for row in shortcut_rows(photos, group, splits) if row["flagged"] == "yes"]


def test_noise_is_quiet():
    rows = shortcut_rows(metadata(150), np.arange(150), ["train", "test"])
    assert {row["question"] for row in rows} == {"class", "split"}
    assert [row for row in rows if row["told"] == "yes"] == []
    assert min(row["p_value"] for row in rows) > 0.05


def test_class_of_its_own_format_is_named_with_the_feature():
    photos = metadata(200, classes=("anger", "fear", "joy", "sad"))
    photos.loc[photos["label"] == "sad", "file_format"] = "PNG"
    rows = {(row["question"], row["target"], row["used"]): row for row in flagged(photos)}
    row = rows["class", "sad", "all"]
    assert row["balanced_accuracy"] > 0.9
    assert row["p_value"] < 0.001
    assert (row["feature"], row["features"]) == ("file format", "file")
    assert row["contrast"].startswith("PNG: 100.0 % against ")
    assert ("class", "anger", "all") not in rows
    assert not any(question == "split" for question, _, _ in rows)


def test_test_photos_of_another_size_are_flagged():
    photos = metadata(200)
    photos.loc[photos["split"] == "test", ["width", "height"]] = 1024.0
    rows = flagged(photos)
    assert {row["question"] for row in rows} == {"split"}
    row = next(row for row in rows if row["used"] == "all")
    assert row["contrast"] == "“test”: 1,024 pixels: 100.0 % against 0.0 %"


def test_brightness_is_told_and_is_no_finding():
    photos = metadata(200)
    photos.loc[photos["label"] == "joy", "brightness"] += 2
    rows = shortcut_rows(photos, np.arange(200), ["train"])
    told = [row for row in rows if row["told"] == "yes" and row["target"] == "joy"]
    assert [(row["features"], row["flagged"], row["feature"]) for row in told] == [("image", "no", "brightness")]


def test_copies_do_not_make_a_shortcut():
    """40 photos a hundred times each: an accident of 40 becomes no proof by being repeated."""
    few = metadata(40, classes=("joy", "sad"))
    photos = few.loc[np.repeat(np.arange(40), 20)].reset_index(drop=True)
    assert flagged(photos, np.repeat(np.arange(40) * 20, 20), ["train"]) == []


def test_classes_of_few_photographs_are_left_out_and_named():
    photos = metadata(60).assign(label=["rare"] * 5 + ["joy"] * 30 + ["sad"] * 25)
    assert left_out(photos, np.arange(60), "label") == ["rare"]
    assert {row["target"] for row in shortcut_rows(photos, np.arange(60), ["train"])} == {"all classes"}
    assert shortcut_rows(photos.assign(label="joy"), np.arange(60), ["train"]) == []


def test_of_many_photos_an_even_share_is_drawn():
    photos = metadata(50).loc[np.arange(9000) % 50].reset_index(drop=True)
    photos["label"] = ["rare"] * 100 + ["joy"] * 8900
    drawn = _drawn(photos, "label")
    assert len(drawn) == MAX_ROWS
    assert (drawn["label"] == "rare").sum() == 100
    assert drawn.index.equals(_drawn(photos, "label").index)


def test_the_same_photos_give_the_same_rows():
    photos = metadata(60, classes=("joy", "sad"))
    assert shortcut_rows(photos, np.arange(60), ["train"]) == shortcut_rows(photos, np.arange(60), ["train"])


def test_perfect_and_useless_features_of_three_groups():
    target = np.repeat([0, 1, 2], 20)
    halves = halve(target, np.arange(60))
    perfect = guess(target[:, None].astype(float), target, halves)
    assert (perfect.balanced_accuracy, perfect.skill, perfect.p_value) == (1, 1, pytest.approx(2 / 2000))
    useless = guess(np.zeros((60, 1)), target, halves)
    assert (useless.p_value, useless.balanced_accuracy) == (1, pytest.approx(1 / 3))


def test_copies_of_a_photograph_stay_on_one_side():
    photograph = np.repeat(np.arange(20), 3)
    for learned, asked in halve(np.repeat([0, 1], 30), photograph):
        assert not set(photograph[learned]) & set(photograph[asked])


def test_contrast_in_words():
    photos = metadata(40)
    table, inside = feature_table(photos), (photos["label"] == "joy").to_numpy()
    assert contrast_words("face_found", photos, table, inside).startswith(("face found: ", "no face found: "))
    assert contrast_words("file_bytes", photos, table, inside).partition(": ")[0].endswith(" bytes")
    photos["height"] = photos["width"].where(inside, photos["width"] * 0.75)
    assert contrast_words("aspect_ratio", photos, feature_table(photos), inside) == "1.00: 100.0 % against 0.0 %"
