"""Conflicts, leaks and the ceiling they put on accuracy: every number here is counted by hand."""

import io

import numpy as np
import pandas as pd
import pytest

from datasets.folder import Folder
from orchestrator.audit.ceiling import ceiling_rows, majority, outvoted
from orchestrator.audit.contradictions import conflict_rows, counts_of, leak_rows, subject_rows
from orchestrator.audit.findings import COLUMNS, find_pairs, photographs_of, read_findings, to_findings_csv
from orchestrator.audit.groups import exact_groups, groups_of, mixed, sizes
from orchestrator.audit.traits import balance
from tests.unit.audit_fixtures import labelled, photographs

# 0 and 1 exact copies in two classes; 2 and 3 near-copies in two splits; 4, 5, 6 one photograph, 4-5 exact; 7 alone.
PHOTOS = labelled(
    "train/joy", "train/sad", "train/joy", "test/joy", "train/sad", "train/sad", "test/anger", "test/joy"
)  # fmt: skip
COPIES = photographs(8, exact=[(0, 1), (4, 5)], near=[(2, 3), (4, 6), (5, 6)])
EXACT = exact_groups(COPIES)


def test_photographs_are_the_groups_that_pairs_make():
    assert COPIES.group.tolist() == [0, 0, 2, 2, 4, 4, 4, 7]
    assert EXACT.tolist() == [0, 0, 2, 3, 4, 4, 6, 7]
    assert sizes(COPIES.group).tolist() == [2, 2, 2, 2, 3, 3, 3, 1]
    assert groups_of(4, photographs(4, near=[(2, 3), (1, 2), (0, 1)]).pairs).tolist() == [0, 0, 0, 0]
    assert mixed(np.array([0, 0, 2]), ["a", None, "b"]).tolist() == [False, False, False]


def test_conflicts_and_leaks_are_counted_by_photograph_and_kind():
    conflicts, leaks = (counts_of(COPIES.group, EXACT, PHOTOS[name]) for name in ("label", "split"))
    assert conflicts == {"photographs": 2, "photographs_exact": 1, "photographs_near": 1, "photos": 5}
    assert leaks == {"photographs": 2, "photographs_exact": 0, "photographs_near": 2, "photos": 5}


def test_conflicts_by_pair_of_classes():
    rows = conflict_rows(PHOTOS, COPIES.group, EXACT, ["anger", "joy", "sad"])
    near = {"photographs": 1, "photographs_exact": 0, "photographs_near": 1, "photos_a": 1, "photos_b": 2}
    exact = {"photographs": 1, "photographs_exact": 1, "photographs_near": 0, "photos_a": 1, "photos_b": 1}
    assert rows == [{"class_a": "anger", "class_b": "sad", **near}, {"class_a": "joy", "class_b": "sad", **exact}]


def test_leaks_by_pair_of_splits_with_the_share_of_each():
    (row,) = leak_rows(PHOTOS, COPIES.group, EXACT, ["train", "test"])
    assert (row["split_a"], row["split_b"], row["photographs"], row["photographs_exact"]) == ("train", "test", 2, 0)
    assert (row["photos_a"], row["photos_b"]) == (3, 2)
    assert (row["share_a"], row["share_b"]) == (3 / 5, 2 / 3)


@pytest.mark.parametrize("unreadable", [[0, 1, 2], [5, 6, 7], [0, 1, 6, 7]])
def test_unreadable_photos_before_and_after_copies_change_no_count(unreadable):
    first = min(set(range(8)) - set(unreadable))
    names = ["train/joy"] * 8
    names[first + 1] = names[first + 3] = "test/sad"
    copies = photographs(8, near=[(first, first + 1)], exact=[(first + 2, first + 3)])
    readable = ~np.isin(np.arange(8), unreadable)
    rows = labelled(*names)[readable].reset_index(drop=True)
    group, exact = copies.group[readable], exact_groups(copies)[readable]
    (conflict,) = conflict_rows(rows, group, exact, ["joy", "sad"])
    (leak,) = leak_rows(rows, group, exact, ["train", "test"])
    for row in (conflict, leak, counts_of(group, exact, rows["label"]), counts_of(group, exact, rows["split"])):
        assert (row["photographs"], row["photographs_exact"], row["photographs_near"]) == (2, 1, 1)


def test_no_copies_no_rows():
    alone = np.arange(8)
    assert conflict_rows(PHOTOS, alone, alone, ["anger", "joy", "sad"]) == []
    assert leak_rows(PHOTOS, alone, alone, ["train", "test"]) == []
    assert subject_rows(PHOTOS, ["train", "test"]) == []


def test_subjects_in_several_splits_are_counted_and_unknown_ones_are_not():
    photos = labelled(*["train/joy"] * 3, *["test/joy"] * 3).assign(subject=["s1", "s2", None, "s1", "s1", None])
    (row,) = subject_rows(photos, ["train", "test"])
    assert row == {"split_a": "train", "split_b": "test", "subjects": 1, "photos_a": 1, "photos_b": 2}


def test_ceiling_by_hand():
    rows = ceiling_rows(PHOTOS, COPIES.group, EXACT, ["anger", "joy", "sad"], ["train", "test"])
    table = pd.DataFrame(rows).set_index(["split", "class"])
    # In train 0 and 1 contradict each other: one of the five photos must be wrong. In test nothing does.
    assert table.loc[("train", "all classes"), "ceiling"] == table.loc[("train", "all classes"), "ceiling_exact"] == 0.8
    assert table.loc[("test", "all classes"), "ceiling"] == 1
    # Over both splits near-copy 6 (anger) is outvoted by 4 and 5 (sad) as well.
    assert table.loc[("all splits", "all classes"), "ceiling"] == 6 / 8
    assert table.loc[("all splits", "all classes"), "ceiling_exact"] == 7 / 8
    assert table.loc[("all splits", "anger"), "ceiling"] == 0
    assert table.loc[("all splits", "anger"), "ceiling_exact"] == 1
    assert table.loc[("train", "joy"), "ceiling"] == 1, "in a tie no one is outvoted"
    assert table.loc[("all splits", "all classes"), "photographs"] == 4
    assert table.loc[("train", "joy"), "photos_contradicted"] == table.loc[("train", "sad"), "photos_contradicted"] == 1
    assert table.loc[("all splits", "sad"), "photos_contradicted"] == 3
    assert ("train", "anger") not in table.index


def test_majority_of_copies_wins():
    labels, group = np.array(["a", "a", "b", "b", "c"]), np.array([0, 0, 0, 3, 3])
    assert outvoted(labels, group).tolist() == [False, False, True, False, False]
    assert ceiling_rows(
        pd.DataFrame({"label": labels, "split": "train"}), group, group, ["a", "b", "c"], ["train"]
    )[-1]["ceiling"] == pytest.approx(3 / 5)  # fmt: skip


def test_majority_baseline_and_imbalance():
    assert majority(np.array(["b", "a", "b", "a", "c"])) == {"majority_class": "a", "majority_accuracy": 0.4}
    result = balance(PHOTOS, ["train", "test"])
    assert list(result) == ["train", "test", "all splits"]
    assert result["train"]["counts"] == {"joy": 2, "sad": 3}
    assert (result["train"]["imbalance_ratio"], result["train"]["majority_accuracy"]) == (1.5, 0.6)


def test_findings_have_their_columns_and_the_worst_come_first():
    findings = find_pairs(PHOTOS, COPIES)
    assert tuple(findings.columns) == COLUMNS
    assert COLUMNS[:10] == (
        *("kind", "path_a", "path_b", "class_a", "class_b", "split_a", "split_b", "conflict", "leak", "score"),
    )
    marks = list(zip(findings["conflict"], findings["leak"], strict=True))
    assert marks == [(True, True), (True, True), (True, False), (False, True), (False, False)]
    lines = to_findings_csv(findings).splitlines()
    assert lines[0] == "kind,path_a,path_b,class_a,class_b,split_a,split_b,conflict,leak,score,how"
    assert lines[1] == (
        "near_copy,train/sad/4.jpg,test/anger/6.jpg,sad,anger,train,test,true,true,0.9,signature"
    )  # fmt: skip


def test_findings_come_back_from_the_file_with_their_photographs(tmp_path):
    photos = PHOTOS.assign(label=["NA", "1", *PHOTOS["label"][2:]])
    findings, folder = find_pairs(photos, COPIES), Folder.at(tmp_path)
    folder.write_text("findings.csv", to_findings_csv(findings))
    again = read_findings(folder)
    pd.testing.assert_frame_equal(again, findings, check_dtype=False)
    back = photographs_of(again, photos["path"].tolist())
    assert back.group.tolist() == COPIES.group.tolist()
    assert back.pairs == COPIES.pairs


def test_unsplit_photos_have_an_empty_split_and_never_leak():
    text = to_findings_csv(find_pairs(PHOTOS.assign(split="no split"), COPIES))
    table = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    assert set(table["split_a"]) | set(table["split_b"]) == {""}
    assert set(table["leak"]) == {"false"}
