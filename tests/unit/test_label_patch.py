"""The file in which a person corrects labels: what is read, what it does, and what is refused in which words."""

import csv
from types import SimpleNamespace

import pyarrow.fs as pafs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.errors import UserError
from datasets.label_patch import LabelPatch, PatchLine, apply_patch, read_patch, write_patch
from datasets.sources import Photo

A, B, C, D, E = ("abcde"[index] * 64 for index in range(5))
UNKNOWN = "9" * 64
CLASSES = ("anger", "joy", "sadness")
PHOTOS = [
    Photo("Train/joy/a.jpg", "joy", "train"),
    Photo("Train/sadness/a copy.jpg", "sadness", "train"),
    Photo("Train/anger/c.jpg", "anger", "train"),
    Photo("Train/joy/d.jpg", "joy", "train"),
    Photo("Train/sadness/e.jpg", "sadness", "train"),
    Photo("Test/joy/c.jpg", "joy", "test"),
]
HASHES = [A, A, B, C, D, E]
HEADER = "file_sha256,action,label,path,note\n"


@pytest.fixture
def patch_of(tmp_path):
    def read(text: str | bytes) -> LabelPatch:
        file = tmp_path / "label_patch.csv"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_patch(file)

    return read


def apply(patch: LabelPatch):
    return apply_patch(patch, PHOTOS, HASHES, CLASSES)


def test_each_action_does_what_it_says(patch_of):
    patch = patch_of(HEADER + f"{A},keep,,Train/joy/a.jpg,\n{A},drop,,Train/sadness/a copy.jpg,\n{C},relabel,anger,,\n")
    patched = apply(patch)
    assert patched.labels == ("joy", "sadness", "anger", "anger", "sadness", "joy")
    assert patched.kept.tolist() == [True] + [False] * 5
    assert patched.dropped.tolist() == [False, True] + [False] * 4
    assert patched.decided.tolist() == [True, True, False, True, False, False]
    assert patched.counts == {"lines": 3, "kept": 1, "dropped": 1, "relabelled": 1}


def test_line_without_a_path_holds_for_every_file_with_these_bytes(patch_of):
    patched = apply(patch_of(HEADER + f"{A},relabel,joy,,\n"))
    assert patched.labels[:2] == ("joy", "joy")
    assert patched.counts["relabelled"] == 1  # the other was joy before
    assert patched.decided.tolist() == [True, True] + [False] * 4


def test_no_patch_changes_nothing():
    patched = apply(LabelPatch())
    assert patched.labels == tuple(photo.label for photo in PHOTOS)
    assert not patched.dropped.any()
    assert not patched.kept.any()
    assert not patched.decided.any()


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbf" + f"file_sha256,action,label\r\n{C},relabel,anger\r\n".encode(),
        f"# by two raters\n\nAction ; File_SHA256;LABEL\n\n RELABEL ; {C.upper()} ; anger\n;;\n".encode(),
        f'file_sha256,action,label,path,note,\n# {C},drop\n{C}, Relabel,anger,Train/joy/d.jpg,"a, b",\n'.encode(),
        f'#a,"odd\nfile_sha256\taction\tlabel\n"{C}"\t"relabel"\tanger\n'.encode(),
        f'"# a note, that Excel quoted",,\nfile_sha256,action,label\n{C},relabel,anger'.encode(),
        f"file_sha256,action,label,path\n{C},relabel,anger,./Train//joy/d.jpg \n".encode(),
    ],
)
def test_forms_that_people_and_spreadsheets_write(patch_of, text):
    assert apply(patch_of(text)).labels[3] == "anger"


def test_fingerprint_is_of_the_meaning(patch_of):
    first = patch_of(HEADER + f"{A},drop,,,blurred\n{C},relabel,joy,Train/joy/d.jpg,\n")
    same = patch_of(f"action;file_sha256;path;label\n# why\nrelabel;{C};./Train/joy/d.jpg;joy\nDROP;{A.upper()};;\n"
                    f"drop;{A};;\n")  # fmt: skip
    assert first.sha256 == same.sha256
    assert len(first.sha256) == 64
    others = [f"{A},keep,,,\n", f"{A},drop,,Train/joy/a.jpg,\n", f"{B},drop,,,\n", f"{A},relabel,joy,,\n"]
    assert len({patch_of(HEADER + line).sha256 for line in others} | {first.sha256}) == 5
    assert patch_of(HEADER + "# nothing yet\n").sha256 == LabelPatch().sha256 == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no header; its first line should be `file_sha256,action"),
        ("# nothing\n\n", "has no header"),
        (f"{A},drop\n", "line 1: the header lacks `file_sha256`; a label patch has the columns"),
        (f"# x\nfile_sha256,label\n{A},joy\n", "line 2: the header lacks `action`"),
        ("file_sha256,action,paths\n", "line 1: column `paths` is unknown or stands twice"),
        ("file_sha256,action,label,label\n", "column `label` is unknown or stands twice"),
        (HEADER + "abcdef12,drop,,,\n", "line 2: file_sha256 `abcdef12` is not 64 hex digits. Copy the whole hash"),
        (HEADER + f"{A}0,drop,,,\n", "is not 64 hex digits"),
        (HEADER + f"\n#\n{A},delete,,,\n", "line 4: action `delete` is not one of keep, drop, relabel"),
        (HEADER + f"{A},,,,\n", "line 2: action `` is not one of"),
        (HEADER + f"{A},relabel,,,\n", "line 2: relabel has no label. Name the class"),
        (HEADER + f"{A},keep,joy,,\n", "line 2: keep has the label `joy`. Empty that cell, or write relabel"),
        (HEADER + f"{A},drop,joy,,\n", "line 2: drop has the label `joy`"),
        (HEADER + f"{A},drop,,,blurred, twice\n", "line 2: there are more cells than columns. Put quotes"),
        (HEADER + f'{A},drop,,,ok\n{B},drop,,,"blurred\n', "line 3: this is not CSV .*Check the quotes"),
        (HEADER.encode() + f"{A},drop,,,flou\u00e9".encode("latin-1"), "is not UTF-8 text. Save it as `CSV UTF-8"),
    ],
)
def test_file_that_says_what_it_may_not_is_refused(patch_of, text, message):
    with pytest.raises(UserError, match=message) as caught:
        patch_of(text)
    assert "label_patch.csv`" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([f"{UNKNOWN},drop,,,"], f"line 2: no photo of the source has the hash {UNKNOWN}. Remove the line, or"),
        ([f"{UNKNOWN},drop,,Train/joy/a.jpg,"], f"line 2: `Train/joy/a.jpg` has the hash {A}, not {UNKNOWN}"),
        ([f"{B},drop,,Train/joy/z.jpg,"], "no photo `Train/joy/z.jpg`; the file with this hash is `Train/anger/c.jpg`"),
        ([f"{UNKNOWN},drop,,z.jpg,"], "line 2: the source has no photo `z.jpg`. Give the path relative to the source"),
        ([f"{B},drop,,Train/joy/a.jpg,"], f"line 2: `Train/joy/a.jpg` has the hash {A}, not {B}; path and hash must"),
        (
            [f"{C},keep,,,", f"{C},drop,,,"],
            "line 3: `drop` for `Train/joy/d.jpg` contradicts `keep` of line 2; a photo",
        ),
        (
            [f"{A},drop,,Train/sadness/a copy.jpg,", f"{A},keep,,,"],
            "line 3: `keep` for `Train/sadness/a copy.jpg` contradicts `drop` of line 2",
        ),
        (
            [f"{C},relabel,joy,,", f"{C},relabel,anger,,"],
            "line 3: `relabel anger` for `Train/joy/d.jpg` contradicts `relabel joy` of line 2",
        ),
        ([f"{C},relabel,Sadnes,,"], "line 2: `Sadnes` is no class of the source; did you mean `sadness`?"),
        ([f"{C},relabel,JOY,,"], "`JOY` is no class of the source; did you mean `joy`?"),
        ([f"{C},relabel,qqq,,"], r"`qqq` is no class of the source, \['anger', 'joy', 'sadness'\]. Take one"),
    ],
)
def test_line_that_does_not_fit_the_source_is_refused(patch_of, lines, message):
    patch = patch_of(HEADER + "\n".join(lines))
    with pytest.raises(UserError, match=message) as caught:
        apply(patch)
    assert "label_patch.csv`" in str(caught.value)


def test_each_class_needs_a_photo_somewhere(patch_of):
    photos = [Photo("joy/a.jpg", "joy"), Photo("sad/b.jpg", "sad")]
    with pytest.raises(UserError, match=r"leaves class `sad` no photo\. Take back"):
        apply_patch(patch_of(HEADER + f"{B},drop,,,"), photos, [A, B], ["joy", "sad"])


def test_identical_lines_and_equal_decisions_are_fine(patch_of):
    text = HEADER + f"{A},drop,,,\n{A},drop,,,again\n{A},drop,,Train/sadness/a copy.jpg,\n"
    assert apply(patch_of(text)).dropped.tolist() == [True, True] + [False] * 4


def test_file_with_no_known_hash_is_not_matched(patch_of):
    with pytest.raises(UserError, match="of no file that could be read"):
        apply_patch(patch_of(HEADER + f"{A},drop,,Train/joy/d.jpg,"), PHOTOS, [A, A, B, "", D, E], CLASSES)


def test_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"none.csv` cannot be read as a label patch .*Check the path"):
        read_patch(tmp_path / "none.csv")
    with pytest.raises(UserError, match="cannot be read as a label patch"):
        read_patch(tmp_path)
    (tmp_path / "photo.csv").write_bytes(b"\xff\xd8\xff\xe0\x00\x10JFIF")
    with pytest.raises(UserError, match="is not UTF-8 text"):
        read_patch(tmp_path / "photo.csv")


def test_file_in_object_storage_is_read_with_the_options_of_its_location(monkeypatch):
    filesystem, asked = pafs._MockFileSystem(), []
    filesystem.create_dir("bucket/set")
    with filesystem.open_output_stream("bucket/set/mine.csv") as file:
        file.write((HEADER + f"{C},relabel,anger,,\n").encode())

    def open_uri(uri):
        asked.append(uri)
        return filesystem, uri.removeprefix("s3://").partition("?")[0]

    monkeypatch.setattr(pafs, "FileSystem", SimpleNamespace(from_uri=open_uri))
    assert apply(read_patch("s3://bucket/set/mine.csv?endpoint_override=localhost:1")).labels[3] == "anger"
    assert asked == ["s3://bucket/set/mine.csv?endpoint_override=localhost:1"]
    with pytest.raises(UserError, match=r"`s3://bucket/set/none.csv` cannot be read as a label patch .*Check the path"):
        read_patch("s3://bucket/set/none.csv")


def test_file_at_a_uri_of_no_known_kind_is_refused(tmp_path):
    (tmp_path / "mine.csv").write_text(HEADER)
    assert read_patch((tmp_path / "mine.csv").as_uri()).lines == ()
    with pytest.raises(UserError, match=r"`nosuch://bucket/mine\.csv` is not a location that can be opened"):
        read_patch("nosuch://bucket/mine.csv")


def test_cell_larger_than_csv_allows_is_refused(patch_of):
    with pytest.raises(UserError, match="line 2: this is not CSV"):
        patch_of(HEADER + "x" * (csv.field_size_limit() + 1))


text = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12)
patch_lines = st.builds(
    lambda sha256, decision, path, note: PatchLine(sha256, *decision, path.strip(" \t"), " ".join(note.split())),
    st.sampled_from([A, B, C]),
    st.sampled_from([("keep", ""), ("drop", ""), ("relabel", "joy"), ("relabel", 'a "b", c;d')]),
    text,
    text,
)


@given(lines=st.lists(patch_lines, max_size=6), remarks=st.lists(text, max_size=2))
def test_written_patch_reads_back(tmp_path_factory, lines, remarks):
    file = write_patch(tmp_path_factory.mktemp("patch"), lines, remarks=remarks)
    assert file.name == "label_patch.csv"
    patch = read_patch(file)
    assert patch.lines == tuple(lines)
    assert patch.sha256 == LabelPatch(tuple(lines)).sha256


@given(order=st.permutations(range(4)))
def test_order_of_lines_changes_nothing(order):
    lines = [PatchLine(A, "keep", path=PHOTOS[0].path), PatchLine(A, "drop", path=PHOTOS[1].path),
             PatchLine(C, "relabel", "anger"), PatchLine(D, "keep")]  # fmt: skip
    patch = LabelPatch(tuple(lines[index] for index in order))
    assert patch.sha256 == LabelPatch(tuple(lines)).sha256
    assert apply(patch).labels == apply(LabelPatch(tuple(lines))).labels


def test_file_that_a_person_may_have_edited_is_not_overwritten(tmp_path):
    lines = [PatchLine(A, "drop", note="two\nlines")]
    file = write_patch(tmp_path / "proposal.csv", lines)
    with pytest.raises(UserError, match="exists and may hold edits"):
        write_patch(file, [])
    assert read_patch(file).lines[0].note == "two lines"
    assert read_patch(write_patch(file, [], overwrite=True)).lines == ()


@pytest.mark.parametrize("name", ["hash", "SHA256", "photo_hash"])
def test_hash_column_has_the_names_that_people_give_it(patch_of, name):
    assert patch_of(f"{name},action,note\n{A},keep,\n").lines[0].sha256 == A
    with pytest.raises(UserError, match="`file_sha256` is unknown or stands twice"):
        patch_of(f"{name},file_sha256,action\n{A},{A},keep\n")
