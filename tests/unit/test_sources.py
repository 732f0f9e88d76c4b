"""What a user may point at, and what is said where it is not that."""

import os
import pickle
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from datasets.errors import UserError
from datasets.photo import FORMATS
from datasets.sources import PHOTO_SUFFIXES, Photo, SourceConfig, open_source

SPLIT_TREE = ("Train/joy/a.jpg", "Train/Sad/b.jpg", "Test/joy/c.jpg", "Test/Sad/d.jpg")


def zip_of(folder: Path, archive: Path) -> Path:
    with zipfile.ZipFile(archive, "w") as stream:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            stream.write(file, file.relative_to(folder).as_posix())
    return archive


def manifest_of(tmp_path: Path, rows: list[dict], *, suffix: str) -> Path:
    path = tmp_path / f"photos{suffix}"
    table = pd.DataFrame(rows)
    table.to_csv(path, index=False) if suffix == ".csv" else table.to_parquet(path)
    return path


def labels_and_splits(source) -> list[tuple[str, str, str | None]]:
    return [(Path(photo.path).name, photo.label, photo.split) for photo in source.photos]


def test_folder_of_class_folders_has_no_split(photo_tree):
    source = open_source(str(photo_tree("joy/b.jpg", "joy/a.JPEG", "Natural/c.jpg")))
    assert source.photos == (Photo("Natural/c.jpg", "Natural"), Photo("joy/a.JPEG", "joy"), Photo("joy/b.jpg", "joy"))
    assert (source.name, source.generated, source.left_out) == ("photos", False, {})


@pytest.mark.parametrize("train", ["Train", "TRAIN", "train", "Training"])
@pytest.mark.parametrize("test", ["Test", "tEST", "testing"])
def test_split_folders_are_known_in_any_letter_case(photo_tree, train, test):
    source = open_source(str(photo_tree(f"{train}/joy/a.jpg", f"{test}/sad/b.jpg")))
    assert set(labels_and_splits(source)) == {("a.jpg", "joy", "train"), ("b.jpg", "sad", "test")}


@pytest.mark.parametrize("name", ["val", "Valid", "VALIDATION"])
def test_validation_folder_is_the_val_split(photo_tree, name):
    source = open_source(str(photo_tree("Train/joy/a.jpg", f"{name}/joy/b.jpg")))
    assert {photo.split for photo in source.photos} == {"train", "val"}


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
@pytest.mark.parametrize("outer", ["", "faces/"])
@pytest.mark.parametrize("tree", [SPLIT_TREE, ("joy/a.jpg", "Sad/b.jpg")], ids=["split", "unsplit"])
def test_layout_is_the_same_packed_and_one_folder_deeper(photo_tree, tmp_path, tree, outer, packed):
    plain = open_source(str(photo_tree(*tree, root="plain")))
    folder = photo_tree(*(outer + path for path in tree), root="other")
    source = open_source(str(zip_of(folder, tmp_path / "other.ZIP") if packed else folder))
    assert [photo.path for photo in source.photos] == sorted(outer + path for path in tree)
    assert labels_and_splits(source) == labels_and_splits(plain)


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_reader_gives_the_bytes_of_a_photo_also_after_pickling(photo_tree, tmp_path, packed):
    folder = photo_tree("joy/a.jpg", "sad/b.jpg")
    source = open_source(str(zip_of(folder, tmp_path / "photos.zip") if packed else folder))
    expected = (folder / "sad/b.jpg").read_bytes()
    assert source.reader.read("sad/b.jpg") == expected  # a zip is now open, and an open file does not pickle
    assert pickle.loads(pickle.dumps(source.reader)).read("sad/b.jpg") == expected


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_reader_says_with_oserror_that_a_photo_is_gone(photo_tree, tmp_path, packed):
    folder = photo_tree("joy/a.jpg")
    source = open_source(str(zip_of(folder, tmp_path / "photos.zip") if packed else folder))
    with pytest.raises(OSError, match=r"joy/b\.jpg"):
        source.reader.read("joy/b.jpg")


def test_archive_that_was_replaced_by_junk_is_an_oserror(photo_tree, tmp_path):
    archive = zip_of(photo_tree("joy/a.jpg"), tmp_path / "photos.zip")
    reader = open_source(str(archive)).reader
    archive.write_bytes(b"junk")
    with pytest.raises(OSError, match=r"joy/a\.jpg in .*photos\.zip"):
        reader.read("joy/a.jpg")


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_hidden_photos_are_left_out_with_a_count_and_macos_shadows_without(photo_tree, tmp_path, packed):
    folder = photo_tree("joy/a.jpg", "sad/b.jpg", "__MACOSX/joy/._a.jpg", "joy/.DS_Store", ".git/x.jpg", "sad/.b.jpg")
    source = open_source(str(zip_of(folder, tmp_path / "photos.zip") if packed else folder))
    assert [photo.path for photo in source.photos] == ["joy/a.jpg", "sad/b.jpg"]
    assert source.left_out == {"hidden": 2}


def test_links_to_nothing_are_left_out_with_a_count(photo_tree):
    folder = photo_tree("joy/a.jpg", "sad/b.jpg")
    (folder / "joy" / "link.jpg").symlink_to(folder / "sad" / "b.jpg")
    (folder / "joy" / "gone.jpg").symlink_to(folder / "nowhere.jpg")
    os.mkfifo(folder / "joy" / "pipe.jpg")
    source = open_source(str(folder))
    assert [photo.path for photo in source.photos] == ["joy/a.jpg", "joy/link.jpg", "sad/b.jpg"]
    assert source.left_out == {"that are links to nothing or no ordinary files": 2}


def test_every_format_that_is_read_has_its_suffixes():
    Image.init()
    usual = {suffix for suffix, name in Image.EXTENSION.items() if name in FORMATS}
    unusual = {".jpe", ".j2c", ".jpc", ".jpf", ".jpx", ".dib", ".pnm", ".pfm", ".avifs"}
    assert usual - unusual <= PHOTO_SUFFIXES


def test_path_that_no_file_can_have_is_an_oserror(photo_tree):
    reader = open_source(str(photo_tree("joy/a.jpg", "sad/b.jpg"))).reader
    with pytest.raises(OSError, match=r"NUL|null"):
        reader.read("joy/a\0.jpg")


def test_damaged_entry_of_any_compression_is_an_oserror(photo_tree, tmp_path):
    archive = tmp_path / "photos.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_LZMA) as writing:
        writing.writestr("joy/a.jpg", b"some content " * 50)
        writing.writestr("sad/b.jpg", b"other content")
    content = bytearray(archive.read_bytes())
    for place in range(45, 60):  # inside the first entry
        content[place] ^= 255
    archive.write_bytes(bytes(content))
    with pytest.raises(OSError, match=r"joy/a\.jpg"):
        open_source(str(archive)).reader.read("joy/a.jpg")


def test_what_is_left_out_is_counted_by_reason(photo_tree):
    source = open_source(str(photo_tree("joy/a.jpg", "sad/b.jpg", "joy/notes.txt", "README", "c.jpg")))
    assert len(source.photos) == 2
    assert source.left_out == {"not a photo by its file name": 2, "not inside a class folder": 1}


def test_photo_directly_in_a_split_folder_is_left_out(photo_tree):
    source = open_source(str(photo_tree(*SPLIT_TREE, "Train/stray.jpg")))
    assert (len(source.photos), source.left_out) == (4, {"not inside a class folder": 1})


def test_photo_beside_the_outer_folder_does_not_hide_the_classes_in_it(photo_tree):
    source = open_source(str(photo_tree(*(f"faces/{path}" for path in SPLIT_TREE), "cover.jpg")))
    assert source.classes == ("joy", "Sad")
    assert source.left_out == {"not inside a class folder": 1}


def test_photos_in_folders_of_a_class_belong_to_the_class(photo_tree):
    source = open_source(str(photo_tree("joy/monday/a.jpg", "sad/b.jpg")))
    assert [photo.label for photo in source.photos] == ["joy", "sad"]


def test_class_names_keep_their_spelling_and_sort_without_letter_case(photo_tree):
    source = open_source(str(photo_tree("surprise/a.jpg", "Natural/b.jpg", "joy/c.jpg", "Anger/d.jpg")))
    assert source.classes == ("Anger", "joy", "Natural", "surprise")


def test_single_class_folder_keeps_its_name(photo_tree):
    assert open_source(str(photo_tree("joy/a.jpg", "joy/b.jpg"))).classes == ("joy",)


@pytest.mark.parametrize("marker", ["SAMPLE.json", "sample/SAMPLE.json"])
def test_sample_is_known_by_its_marker_also_in_a_zip(photo_tree, tmp_path, marker):
    outer = marker.removesuffix("SAMPLE.json")
    folder = photo_tree(f"{outer}joy/a.jpg", f"{outer}sad/b.jpg", marker)
    source = open_source(str(zip_of(folder, tmp_path / "s.zip")))
    assert (source.generated, source.left_out) == (True, {})


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_manifest_gives_split_and_subject(tmp_path, suffix):
    rows = [
        {"path": "z.jpg", "label": "joy", "split": "Train", "subject": "007"},
        {"path": "a.jpg", "label": "Sad", "split": "validation", "subject": None},
    ]
    source = open_source(str(manifest_of(tmp_path, rows, suffix=suffix)))
    assert source.photos == (Photo("a.jpg", "Sad", "val", None), Photo("z.jpg", "joy", "train", "007"))


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_manifest_paths_are_relative_to_its_folder_or_absolute(photo_tree, tmp_path, suffix):
    folder = photo_tree("a.jpg", "b.jpg")
    rows = [{"path": "photos/a.jpg", "label": "joy"}, {"path": str(folder / "b.jpg"), "label": "sad"}]
    source = open_source(str(manifest_of(tmp_path, rows, suffix=suffix)))
    assert [photo.path for photo in source.photos] == ["photos/a.jpg", "photos/b.jpg"]
    assert source.reader.read(source.photos[1].path) == (folder / "b.jpg").read_bytes()


def test_manifest_of_photos_elsewhere_does_not_tell_where_it_lies(photo_tree, tmp_path):
    folder = photo_tree("joy/a.jpg", "sad/b.jpg")
    away = tmp_path / "deep" / "er"
    away.mkdir(parents=True)
    rows = [{"path": "../../photos/joy/a.jpg", "label": "joy"}, {"path": str(folder / "sad/b.jpg"), "label": "sad"}]
    source = open_source(str(manifest_of(away, rows, suffix=".csv")))
    assert [photo.path for photo in source.photos] == ["joy/a.jpg", "sad/b.jpg"]
    assert source.reader.read("sad/b.jpg") == (folder / "sad/b.jpg").read_bytes()


@pytest.mark.parametrize("label", ["None", "null", "NA"])
def test_manifest_class_may_be_named_like_a_missing_value(tmp_path, label):
    (tmp_path / "photos.csv").write_text(f"path,label,subject\na.jpg,{label},NA\nb.jpg,joy,\n")
    photos = open_source(str(tmp_path / "photos.csv")).photos
    assert [(photo.label, photo.subject) for photo in photos] == [(label, "NA"), ("joy", None)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cannot be read as a manifest"),
        ("path,label\n", "holds no row"),
        ("path;label\na.jpg;joy\n", r"lacks the column \['label', 'path'\]; it has \['path;label'\]"),
        ("path,emotion\na.jpg,joy\n", r"lacks the column \['label'\]"),
        ("path,label\na.jpg,joy\nb.jpg,\n", "no path or no label in row 2. Fill it in"),
        ("path,label\na.jpg,joy\na.jpg,sad\n", "names `a.jpg` twice. Keep one row a photo"),
        ("path,label,split\na.jpg,joy,dev\n", "split `dev` of `a.jpg` is not one of train, val, test"),
    ],
)
def test_manifest_that_cannot_be_used_is_refused(tmp_path, text, message):
    (tmp_path / "photos.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        open_source(str(tmp_path / "photos.csv"))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("photos.parquet", "cannot be read as a manifest"),
        ("photos.zip", "cannot be read as a zip archive.*Unpack it, or fetch it again"),
        ("photos.txt", "neither a folder, a .zip, a .csv nor a .parquet"),
    ],
)
def test_file_that_is_not_what_its_name_says_is_refused(tmp_path, name, message):
    (tmp_path / name).write_bytes(b"junk")
    with pytest.raises(UserError, match=message):
        open_source(str(tmp_path / name))


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("/no/such/place", "`--data /no/such/place` does not exist. Give a folder of class folders, a .zip or a manif"),
        ("nosuch://bucket/x", "`nosuch://bucket/x` is not a location that can be opened"),
        ("file:///no/such/place", "`--data file:///no/such/place` cannot be listed"),
    ],
)
def test_missing_location_is_refused(location, message):
    with pytest.raises(UserError, match=message):
        open_source(location)


def test_tree_without_photos_is_refused(photo_tree):
    with pytest.raises(UserError, match=r"holds no photo \(.apng, .*Give a folder with one folder a class"):
        open_source(str(photo_tree("joy/notes.txt")))


@pytest.mark.parametrize("paths", [("a.jpg", "b.jpg"), ("Train/a.jpg", "Test/b.jpg")])
def test_photos_without_any_class_folder_are_refused(photo_tree, paths):
    with pytest.raises(UserError, match="class folder"):
        open_source(str(photo_tree(*paths)))


@pytest.mark.parametrize("outer", ["", "faces/"])
def test_class_folder_beside_train_and_test_is_refused(photo_tree, outer):
    folder = photo_tree(*(outer + path for path in (*SPLIT_TREE, "anger/x.jpg")))
    with pytest.raises(UserError, match=r"beside them, `(faces/)?anger/x.jpg`. Move every class folder into a split"):
        open_source(str(folder))


def test_unknown_key_of_the_configuration_is_an_error():
    with pytest.raises(ValueError, match="tets_frac"):
        SourceConfig(tets_frac=0.1)
