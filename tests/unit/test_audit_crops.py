"""The audit of a set of crops: what is compared, what is kept, what is drawn, and what may leave the crops' folder."""

import json
import shutil

import pytest
from PIL import Image

from datasets.folder import Folder
from orchestrator.audit import examine, sheets
from orchestrator.audit.examine import audit_crops
from orchestrator.audit.files import publish, publish_sheets, read_document, withdraw_sheets
from orchestrator.audit.rows import read_audit_rows
from orchestrator.audit.sheets import LAYOUT, chosen_pairs, read_frames
from orchestrator.report.audit_words import CLEAN, fact_sentences, finding_sentences, headline
from tests.unit.audit_fixtures import photo, photographs, write_set

ROWS = [
    photo("train/joy/0.jpg", pixels="A"),
    photo("train/joy/1.jpg"),
    photo("train/sad/2.jpg", pixels="A"),
    photo("train/sad/3.jpg", pixels="B", subject="s1"),
    photo("test/joy/4.jpg", subject="s1"),
    photo("test/sad/5.jpg", pixels="B", status="no_face"),
    photo("test/sad/6.jpg", pixels="broken", status="unreadable"),
    photo("train/joy/7.jpg", pixels="broken", status="unreadable"),
]


@pytest.fixture
def crops(tmp_path) -> Folder:
    return write_set(Folder.at(tmp_path / "crops"), ROWS, shard_rows=3)


def test_photos_are_read_from_every_shard_without_their_pictures(crops):
    rows = read_audit_rows(crops)
    assert rows.photos["path"].tolist() == [line["path"] for line in ROWS]
    first = rows.photos.iloc[0]
    assert (first["face_px"], first["found"], first["file_format"]) == (2.0, True, "JPEG")
    shade = sum(b"A") % 200
    assert first["brightness"] == pytest.approx((shade + 4.5) / 255)
    assert first["contrast"] == pytest.approx(4.5 / 255)
    assert rows.photos["readable"].tolist() == [True] * 6 + [False] * 2
    assert [signature is None for signature in rows.signatures] == [False] * 6 + [True] * 2
    assert not {"face", "frame"} & set(rows.photos)


def test_audit_counts_what_was_planted(crops):
    audit = audit_crops(crops)
    assert audit.photographs.group.tolist() == [0, 1, 0, 3, 4, 3, 6, 7], "files without pixels are copies of nothing"
    assert not audit.clean
    counts, data = audit.document["counts"], audit.document["data"]
    assert (data["photos"], data["readable"], data["splits_origin"]) == (8, 6, "given")
    assert (counts["pairs_exact"], counts["pairs_near"], counts["photographs"], counts["photos_surplus"]) == (
        2,
        0,
        4,
        2,
    )
    assert (counts["conflicts"]["photographs"], counts["leaks"]["photographs"]) == (1, 1)
    assert (counts["subjects"], counts["subjects_in_several_splits"]) == (1, 1)
    assert json.loads(crops.read_bytes("audit/audit.json")) == audit.document
    lines = crops.read_bytes("audit/label_patch.csv").decode().splitlines()
    assert [line.split(",")[1] for line in lines[1:]] == ["drop", "drop", "drop", "keep"]


def test_copies_that_stand_after_unreadable_photos_are_counted(tmp_path):
    rows = [photo(f"train/joy/{i}.jpg", status="unreadable") for i in range(3)]
    rows += [photo("train/joy/3.jpg"), photo("train/joy/4.jpg", pixels="A"), photo("train/sad/5.jpg", pixels="A")]
    (row,) = audit_crops(write_set(Folder.at(tmp_path), rows)).document["tables"]["conflicts"]
    assert (row["photographs"], row["photographs_exact"], row["photographs_near"]) == (1, 1, 0)


def test_findings_in_words(crops):
    document = audit_crops(crops).document
    conflict, leak, subject, copies = finding_sentences(document)
    assert conflict == (
        "Label conflicts: 1 photograph stands in several classes, in “joy” and “sad” (1); 2 photos in all, all shown "
        "by exact copies. A model that gives one answer a photograph cannot be right more often than 75.0 % in train."
    )
    assert "1 photo of test (50.0 %) has a copy in train" in leak
    assert subject.startswith("Subjects: 1 of 1 subject has photos in several splits.")
    assert copies.startswith("Copies: 6 photos show 4 photographs, so 2 are surplus.")
    assert headline(document) == (
        "1 photograph in several classes, 1 photograph in several splits, 1 subject in several splits, 2 surplus "
        "copies in all."
    )
    assert "2 photos could not be read and are not compared." in fact_sentences(document)


def test_clean_photos_have_no_finding(tmp_path):
    folder = write_set(Folder.at(tmp_path), [photo(f"train/{name}/{i}.jpg") for name in ("joy", "sad") for i in "12"])
    audit = audit_crops(folder)
    assert audit.clean
    assert finding_sentences(audit.document) == [CLEAN]
    assert headline(audit.document) == CLEAN
    assert folder.read_bytes("audit/label_patch.csv").decode() == "file_sha256,action,label,path,note\n"
    assert (folder / "audit").names(".png") == []


def test_near_copies_count_apart_from_exact_ones(crops, monkeypatch):
    monkeypatch.setattr(
        examine, "find_photographs", lambda *_, progress: photographs(8, exact=[(0, 2)], near=[(3, 5), (1, 4)])
    )
    audit = audit_crops(crops)
    assert audit.document["counts"]["leaks"] == {
        **{"photographs": 2, "photographs_exact": 0, "photographs_near": 2, "photos": 4}
    }
    assert "all by near-copies alone" in finding_sentences(audit.document)[1]


def test_photos_that_are_not_split_cannot_leak(crops):
    audit = audit_crops(crops, origin="none")
    assert audit.document["data"]["splits"] == ["no split"]
    assert audit.document["counts"]["leaks"]["photographs"] == 0
    assert audit.document["tables"]["subjects"] == []
    assert fact_sentences(audit.document)[0].startswith("The photos are not split yet, so nothing can leak yet")
    assert "cannot be right more often than 83.3 %." in finding_sentences(audit.document)[0]


def test_audit_is_made_once(crops, monkeypatch):
    first = audit_crops(crops)
    monkeypatch.setattr(examine, "find_photographs", None)  # which would fail
    again = audit_crops(crops)
    assert again.document == first.document
    assert again.photographs.group.tolist() == first.photographs.group.tolist()
    assert again.photographs.pairs == first.photographs.pairs


CHANGES = ["other crops", "other splits", "older format", "other settings", "damaged", "no hash of the findings"]
FILES = ["findings.csv", "label_patch.csv", "copies-01.png"]


@pytest.mark.parametrize("change", CHANGES)
def test_audit_of_something_else_is_made_again(crops, change):
    audit_crops(crops)
    held = crops.read_json("audit/audit.json")
    if change == "other crops":
        held["data"]["fingerprint"] = "other"
    if change == "other splits":
        held["data"]["splits_origin"] = "drawn"
    if change == "no hash of the findings":
        del held["findings"]
    if change == "older format":
        held["format"] = 0
    if change == "other settings":
        held["settings"]["copies_format"] = 0
    crops.write_text("audit/audit.json", "{" if change == "damaged" else json.dumps(held))
    audit = audit_crops(crops)
    assert audit.document["data"]["fingerprint"] == "abc"
    assert audit.document["data"]["splits_origin"] == "given"
    assert audit.document["settings"]["copies_format"] > 0
    assert audit.document["findings"]["rows"] == len(audit.findings) == 2


@pytest.mark.parametrize("name", FILES)
def test_audit_that_lacks_a_file_is_made_again(crops, tmp_path, name):
    audit_crops(crops)
    crops.delete(f"audit/{name}")
    audit = audit_crops(crops)
    publish(audit, Folder.at(tmp_path / "out"), of_run=False)
    publish_sheets(audit, Folder.at(tmp_path / "out"))
    assert set(FILES) <= set((crops / "audit").names())


@pytest.mark.parametrize("name", ["findings.csv", "label_patch.csv"])
def test_audit_with_an_edited_table_is_made_again(crops, name):
    groups = audit_crops(crops).photographs.group.tolist()
    text = crops.read_bytes(f"audit/{name}").decode()
    crops.write_text(f"audit/{name}", "".join(text.splitlines(keepends=True)[:-1]))
    assert audit_crops(crops).photographs.group.tolist() == groups
    assert crops.read_bytes(f"audit/{name}").decode() == text


def test_audit_that_was_interrupted_while_made_again_leaves_no_old_document(crops, monkeypatch):
    audit_crops(crops)
    crops.delete("audit/findings.csv")

    def interrupted(*_):
        assert not crops.exists("audit/audit.json")
        raise KeyboardInterrupt

    monkeypatch.setattr(examine, "draw_sheets", interrupted)
    with pytest.raises(KeyboardInterrupt):
        audit_crops(crops)
    assert not crops.exists("audit/audit.json")


def test_audits_of_given_drawn_and_no_splits_stand_side_by_side(crops, monkeypatch):
    made = {origin: audit_crops(crops, origin=origin) for origin in ("given", "drawn", "none")}
    assert crops.folders() == ["audit", "audit-drawn", "audit-unsplit"]
    monkeypatch.setattr(examine, "find_photographs", None)  # which would fail
    for origin, audit in made.items():
        assert audit_crops(crops, origin=origin).document == audit.document


def test_the_same_crops_give_the_same_bytes(crops):
    audit_crops(crops)
    folder = crops / "audit"
    once = {name: folder.read_bytes(name) for name in folder.names()}
    folder.delete("audit.json")
    audit_crops(crops)
    assert {name: folder.read_bytes(name) for name in folder.names()} == once


def test_sheets_show_a_pair_of_each_photograph_side_by_side(crops):
    audit = audit_crops(crops)
    assert audit.document["sheets"] == {"files": ["copies-01.png"], "photographs": 2}
    with Image.open(crops.path("audit/copies-01.png")) as sheet:
        assert sheet.size == LAYOUT.sheet_size(2)
        left, top = LAYOUT.place(0)
        middle = LAYOUT.side // 2
        both = [sheet.getpixel((left + middle + offset, top + middle)) for offset in (0, LAYOUT.side + 4)]
        assert both == [(0, 0, 255)] * 2


def test_sheets_are_limited_and_old_ones_go(tmp_path, monkeypatch):
    monkeypatch.setattr(sheets, "PER_SHEET", 2)
    monkeypatch.setattr(sheets, "MAX_SHEETS", 2)
    rows = [photo(f"train/joy/{i}.jpg", pixels=str(i // 2)) for i in range(14)]
    folder = write_set(Folder.at(tmp_path), rows)
    folder.write_bytes("audit/copies-09.png", b"of an earlier audit")
    audit = audit_crops(folder)
    assert audit.document["sheets"] == {"files": ["copies-01.png", "copies-02.png"], "photographs": 7}
    assert (folder / "audit").names(".png") == ["copies-01.png", "copies-02.png"]


def test_of_many_copies_one_pair_is_shown_with_their_number(tmp_path):
    folder = write_set(Folder.at(tmp_path), [photo(f"train/joy/{i}.jpg", pixels="A") for i in range(5)])
    audit = audit_crops(folder)
    photos = read_audit_rows(folder).photos.assign(photograph=audit.photographs.group)
    pairs = chosen_pairs(photos, audit.findings)
    assert (len(audit.findings), len(pairs), pairs["num_photos"].tolist()) == (10, 1, [5])
    assert sheets._caption(pairs.to_dict("records")[0]) == ("both joy · train", "exact copy · 3 more", "0.jpg", "1.jpg")


def test_frames_are_read_from_their_row_groups(tmp_path):
    rows = [photo(f"train/joy/{i}.jpg") | {"frame": str(i).encode()} for i in range(150)]
    folder = write_set(Folder.at(tmp_path), rows, shard_rows=100)
    places = {("part-00000.parquet", 3), ("part-00000.parquet", 64), ("part-00001.parquet", 49)}
    assert {place: content.decode() for place, content in read_frames(folder, places).items()} == {
        ("part-00000.parquet", 3): "3",
        ("part-00000.parquet", 64): "64",
        ("part-00001.parquet", 49): "149",
    }


def test_a_run_folder_gets_no_picture_and_loses_those_of_an_audit(crops, tmp_path):
    audit, run = audit_crops(crops), Folder.at(tmp_path / "run")
    publish(audit, run, of_run=True)
    assert run.names() == ["audit.json", "findings.csv", "label_patch.proposed.csv"]
    assert read_document(run) == audit.document
    publish_sheets(audit, run / "sheets")
    run.write_bytes("sheets/mine.png", b"someone's")
    run.write_text("audit.html", "a page, which may be of other photos by now")
    assert withdraw_sheets(run)
    assert not run.exists("audit.html")
    assert (run / "sheets").names() == ["mine.png"], "what the audit did not write stays"
    (tmp_path / "run" / "sheets" / "mine.png").unlink()
    assert not withdraw_sheets(run)
    assert not (tmp_path / "run" / "sheets").exists()
    assert not withdraw_sheets(run)


def test_unfinished_set_is_not_audited(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no finished set"):
        audit_crops(Folder.at(tmp_path))


def test_document_that_is_no_audit_is_none(tmp_path):
    folder = Folder.at(tmp_path)
    assert read_document(folder) is None
    for text in ("{", "[]", "{}", "3"):
        folder.write_text("audit.json", text)
        assert read_document(folder) is None
    shutil.rmtree(tmp_path)
