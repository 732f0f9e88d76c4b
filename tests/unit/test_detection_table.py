"""Faces found by class and split: the numbers, the test between classes, the sentences."""

import math

import pandas as pd
import pytest

from datasets.folder import Folder
from orchestrator.detection.photos import PHOTOS_FILE, read_photos_csv, to_photos_csv
from orchestrator.report.columns import TABLE_COLUMNS
from orchestrator.report.detection import detection_table
from orchestrator.report.detection_words import counts_line, findings, terminal_table, warnings
from orchestrator.report.display import reading_table
from orchestrator.report.group_tests import one_against_rest
from orchestrator.report.write import to_csv
from orchestrator.statistics.paired import holm
from tests.unit.report_fixtures import make_photos

COUNTS = {
    ("joy", "train"): (56, 72),
    ("joy", "test"): (0, 10),
    ("Anger", "train"): (30, 30),
    ("fear", "test"): (2, 2),
}


def row(table: pd.DataFrame, label: str, split: str) -> pd.Series:
    (found,) = [line for _, line in table.iterrows() if (line["class"], line["split"]) == (label, split)]
    return found


def test_rows_are_classes_by_name_and_splits_with_their_totals():
    table = detection_table(make_photos(COUNTS))
    assert tuple(table.columns) == TABLE_COLUMNS["detection"]
    assert [*zip(table["class"], table["split"], table["found"], table["photos"], strict=True)] == [
        ("Anger", "train", 30, 30),
        ("Anger", "all splits", 30, 30),
        ("fear", "test", 2, 2),
        ("fear", "all splits", 2, 2),
        ("joy", "train", 56, 72),
        ("joy", "test", 0, 10),
        ("joy", "all splits", 56, 82),
        ("all classes", "train", 86, 102),
        ("all classes", "test", 2, 12),
        ("all classes", "all splits", 88, 114),
    ]


def test_shares_have_the_published_wilson_intervals():
    """56 of 72 and 0 of 10: as in tests/unit/test_intervals.py."""
    table = detection_table(make_photos(COUNTS))
    train, test = row(table, "joy", "train"), row(table, "joy", "test")
    assert (round(train["share_low"], 3), round(train["share_high"], 3)) == (0.669, 0.858)
    assert (test["share_mean"], round(test["share_high"], 4)) == (0.0, 0.2775)


def test_every_status_has_its_column_and_an_unknown_one_is_a_failure():
    statuses = ["ok", "no_face", "no_face", "unreadable", "too_large", "failed", "of another version"]
    photos = make_photos({("joy", "train"): (7, 7)}).assign(status=statuses)
    (line,) = detection_table(photos).to_dict("records")
    assert [line[name] for name in ("photos", "found", "no_face", "unreadable", "too_large", "failed")] == [
        *(7, 1, 2, 1, 1, 2)
    ]
    assert line["share_mean"] == pytest.approx(1 / 7), "the share is of all photos"
    assert counts_line(photos) == "7: 1 with a face, 2 without, 1 unreadable, 1 too large, 2 failed"


def test_medians_are_of_found_faces_and_the_longer_side():
    photos = make_photos({("joy", "train"): (3, 4)}, probability=[0.8, 0.9, 1.0, math.nan])
    photos["right"] = [40.0, 110.0, 30.0, math.nan]
    (line,) = detection_table(photos).to_dict("records")
    assert (line["probability_median"], line["face_px_median"]) == (0.9, 40.0)


@pytest.mark.parametrize(("num_faces", "several"), [(None, None), ([1, 3, 2, 0], 2)])
def test_several_faces_are_counted_where_the_column_is_there(num_faces, several):
    columns = {} if num_faces is None else {"num_faces": pd.array(num_faces, "Int64")}
    table = detection_table(make_photos({("joy", "train"): (3, 4)}, **columns))
    shown = [column.heading for column in reading_table("detection", table).columns]
    assert ("Several faces" in shown) == (several is not None)
    assert math.isnan(table["several_faces"][0]) if several is None else table["several_faces"][0] == several


def test_columns_that_are_zero_throughout_are_not_shown_to_readers():
    view = reading_table("detection", detection_table(make_photos(COUNTS)))
    assert {"Too large", "Failed"}.isdisjoint(column.heading for column in view.columns)
    assert {"No face", "Unreadable"} <= {column.heading for column in view.columns}


def test_set_without_any_face_has_a_table_and_a_sentence():
    photos = make_photos({("joy", "train"): (0, 3), ("sad", "train"): (0, 2)})
    table = detection_table(photos)
    assert table["found"].tolist() == [0, 0, 0]
    assert table["face_px_median"].isna().all()
    assert findings(photos) == ["No face was found in any photo."]
    assert reading_table("detection", table).rows[0][-3:] == ("", "", "1.000")


def test_set_with_every_face_has_a_sentence():
    assert findings(make_photos({("joy", "train"): (3, 3)})) == ["A face was found in every photo."]


def test_one_class_and_one_split_have_no_totals_of_their_own():
    lone = detection_table(make_photos({("joy", "train"): (2, 3)}))
    assert [(lone["class"][0], lone["split"][0], len(lone))] == [("joy", "train", 1)]
    splits = detection_table(make_photos({("joy", "train"): (90, 90), ("joy", "test"): (2, 10)}))
    assert splits["split"].tolist() == ["train", "test", "all splits"]
    assert splits["p_value"].lt(0.001).tolist() == [True, True, False]
    assert findings(make_photos({("joy", "train"): (2, 3)})) == []


def test_table_does_not_depend_on_the_order_of_photos():
    photos = make_photos(COUNTS)
    assert to_csv(detection_table(photos)) == to_csv(detection_table(photos.sample(frac=1.0, random_state=3)))


def test_two_groups_have_the_p_of_the_lady_tasting_tea():
    """Fisher (1935): 3 of 4 cups right on either side, two-sided p 34/70."""
    tests = one_against_rest({"milk first": (3, 4), "tea first": (1, 4)})
    assert [test.p_value for test in tests] == pytest.approx([34 / 70, 34 / 70])
    assert [test.gap for test in tests] == [0.5, -0.5]


def test_several_groups_are_each_set_against_all_others_and_corrected():
    tests = one_against_rest({"a": (3, 4), "b": (1, 4), "c": (4, 8)})
    assert [(test.other_found, test.other_photos) for test in tests] == [(5, 12), (7, 12), (4, 8)]
    assert all(0 < test.p_value <= 1 for test in tests)
    assert one_against_rest({"a": (3, 4)}) == []


def test_holm_gives_the_values_of_its_definition():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_class_that_loses_faces_is_named_with_its_test():
    photos = make_photos({("joy", "train"): (99, 100), ("fear", "train"): (10, 20), ("sad", "train"): (98, 100)})
    assert warnings(photos) == [
        "Faces are found less often in class “fear” (10 of 20 photos, 50.0 %, against 98.5 % of all other photos, "
        "p < 0.001); Fisher's exact test, Holm-corrected over 3 classes. Crops are then not missing at random: "
        "comparisons with full frames are biased."
    ]


def test_small_or_uncertain_gaps_are_no_warning():
    few = make_photos({("joy", "train"): (10, 10), ("fear", "train"): (2, 3)})
    assert warnings(few) == []
    assert findings(few) == [
        "No class differs clearly from the others in its share of photos with a face (Fisher's exact test: none with p "
        "below 0.05 and a gap of one point or more)."
    ]
    tests = one_against_rest({"many": (19_960, 20_000), "more": (19_840, 20_000)})
    assert tests[0].p_value < 1e-6, "beyond chance, yet below a point"
    assert abs(tests[0].gap) < 0.01
    many = make_photos({("many", "train"): (19_960, 20_000), ("more", "train"): (19_840, 20_000)})
    assert warnings(many) == []
    assert findings(many)[0].startswith("No class differs clearly")


def test_class_with_more_faces_is_told_where_none_has_fewer():
    counts = {(name, "train"): (80, 100) for name in ("a", "b", "c", "d")} | {("joy", "train"): (100, 100)}
    (sentence,) = findings(make_photos(counts))
    assert sentence.startswith("Faces are found more often in class “joy” (100 of 100 photos")
    assert warnings(make_photos(counts)) == []


def test_terminal_gets_a_line_a_class_a_split_and_the_total_where_they_fit():
    table = detection_table(make_photos(COUNTS))
    lines = terminal_table(table, 80)
    assert [line.split("  ")[0] for line in lines[1:]] == ["Anger", "fear", "joy", "train", "test", "all photos"]
    assert lines[-1].split() == ["all", "photos", *["114", "88", "77.2", "%", "(68.7", "to", "83.9)", "26", "0"]]
    assert terminal_table(table, max(map(len, lines)) - 1) == []
    one_split = terminal_table(detection_table(make_photos({("a", "train"): (1, 2), ("b", "train"): (2, 2)})), 80)
    assert [line.split("  ")[0] for line in one_split[1:]] == ["a", "b", "all photos"]


def test_photos_come_back_from_their_file_whatever_their_class_is_called(tmp_path):
    photos = make_photos({("NA", "train"): (1, 2), ("007", "test"): (1, 1)}, num_faces=pd.array([2, None, 1], "Int64"))
    Folder.at(tmp_path).write_text(PHOTOS_FILE, to_photos_csv(photos))
    again = read_photos_csv(Folder.at(tmp_path))
    assert again["label"].tolist() == ["NA", "NA", "007"]
    assert to_csv(detection_table(again)) == to_csv(detection_table(photos))
    assert read_photos_csv(Folder.at(tmp_path / "nowhere")) is None
