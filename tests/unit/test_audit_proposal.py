"""The proposed label patch: which photos, which action by which rule, and never over someone's work."""

import pandas as pd

from datasets.folder import Folder
from orchestrator.audit.proposal import digest, propose, to_patch_csv, write_proposal
from tests.unit.audit_fixtures import labelled, photographs


def actions(photos: pd.DataFrame, **pairs: list[tuple[int, int]]) -> dict[str, str]:
    proposal = propose(photos, photographs(len(photos), **pairs).group)
    return dict(zip(proposal["path"], proposal["action"], strict=True))


def test_all_copies_of_a_conflict_are_dropped_and_the_note_names_the_classes():
    proposal = propose(labelled("train/joy", "train/sad", "train/joy", "test/joy"), photographs(4, [(0, 1)]).group)
    assert proposal.columns.tolist() == ["file_sha256", "action", "label", "path", "note"]
    assert proposal["path"].tolist() == ["train/joy/0.jpg", "train/sad/1.jpg"]
    assert proposal["action"].tolist() == ["drop", "drop"]
    assert set(proposal["label"]) == {""}
    assert "joy (1), sad (1), see train/sad/1.jpg" in proposal["note"][0]


def test_of_a_leak_the_reported_copies_are_kept():
    photos = labelled("train/joy", "val/joy", "test/joy", "train/joy", "val/joy", "train/joy", "train/joy")
    told = actions(photos, near=[(0, 1), (0, 2), (1, 2), (3, 4), (5, 6)])
    assert told == {
        "train/joy/0.jpg": "drop",
        "val/joy/1.jpg": "drop",
        "test/joy/2.jpg": "keep",
        "train/joy/3.jpg": "drop",
        "val/joy/4.jpg": "keep",
    }, "5 and 6 are copies in one class and split: no contradiction"


def test_conflict_across_splits_is_dropped_on_both_sides():
    assert set(actions(labelled("train/joy", "test/sad"), exact=[(0, 1)]).values()) == {"drop"}


def test_many_copies_are_named_by_a_few():
    note = propose(labelled(*["train/joy"] * 8, "train/sad"), photographs(9, [(0, i) for i in range(1, 9)]).group)[
        "note"
    ]
    assert "train/joy/4.jpg and 4 more; drop all" in note[0]


def test_edited_patch_is_left_alone(tmp_path):
    folder = Folder.at(tmp_path)
    first = to_patch_csv(propose(labelled("train/joy", "train/sad"), photographs(2, [(0, 1)]).group))
    assert write_proposal(folder, first, proposed_before="", of_run=False) == "label_patch.csv"
    other = first.replace("drop", "keep")
    assert write_proposal(folder, other, proposed_before=digest(first.encode()), of_run=False) == "label_patch.csv", (
        "not edited: new"
    )
    folder.write_text("label_patch.csv", "by hand")
    assert (
        write_proposal(folder, first, proposed_before=digest(other.encode()), of_run=False)
        == "label_patch.proposed.csv"
    )
    assert (tmp_path / "label_patch.csv").read_text() == "by hand"
    assert (tmp_path / "label_patch.proposed.csv").read_text() == first


def test_run_folder_gets_no_file_that_looks_applied(tmp_path):
    folder = Folder.at(tmp_path)
    first, second = "first proposal", "second proposal"
    folder.write_text("label_patch.csv", "handed to --label-patch")
    assert write_proposal(folder, first, proposed_before="", of_run=True) == "label_patch.proposed.csv"
    assert write_proposal(folder, second, proposed_before=digest(first.encode()), of_run=True) == (
        "label_patch.proposed.csv"
    )
    assert (tmp_path / "label_patch.csv").read_text() == "handed to --label-patch"
    assert (tmp_path / "label_patch.proposed.csv").read_text() == second


def test_edited_proposal_is_left_alone_as_well(tmp_path):
    folder = Folder.at(tmp_path)
    folder.write_text("label_patch.proposed.csv", "by hand")
    write_proposal(folder, "proposal", proposed_before=digest(b"proposal"), of_run=True)
    assert (tmp_path / "label_patch.proposed.csv").read_text() == "by hand"
