"""The generated sample: same arguments, same bytes, and no file of anyone else's lost."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets import sample
from datasets.sample import MARKER_NAME, TEST_PER_CLASS, TRAIN_PER_CLASS, draw_photo, write_sample
from datasets.sample_expressions import EXPRESSIONS

SMALL = {"train_per_class": {"anger": 1, "joy": 2}, "test_per_class": {"Natural": 1}}


def photo_bytes(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.jpg"))}


@pytest.fixture(scope="module")
def small_sample(tmp_path_factory) -> Path:
    """Read only; tests that change a sample write their own."""
    folder = tmp_path_factory.mktemp("sample") / "photos"
    write_sample(folder, **SMALL)
    return folder


def test_same_seed_gives_the_same_bytes(small_sample, tmp_path):
    write_sample(tmp_path / "again", **SMALL)
    assert photo_bytes(tmp_path / "again") == photo_bytes(small_sample)


def test_other_seed_gives_other_photos_under_the_same_names(small_sample, tmp_path):
    write_sample(tmp_path / "other", seed=1, **SMALL)
    ours, theirs = photo_bytes(small_sample), photo_bytes(tmp_path / "other")
    assert ours.keys() == theirs.keys()
    assert all(ours[name] != theirs[name] for name in ours)


def test_photos_of_a_class_differ(small_sample):
    photos = photo_bytes(small_sample)
    assert len(set(photos.values())) == len(photos)


def test_larger_sample_contains_the_smaller(small_sample, tmp_path):
    write_sample(tmp_path / "larger", train_per_class={"joy": 3, "anger": 1}, test_per_class={"Natural": 1})
    assert photo_bytes(small_sample).items() <= photo_bytes(tmp_path / "larger").items()


def test_layout_is_split_class_and_number(small_sample):
    assert list(photo_bytes(small_sample)) == [
        "Test/Natural/Natural_0001.jpg",
        "Train/anger/anger_0001.jpg",
        "Train/joy/joy_0001.jpg",
        "Train/joy/joy_0002.jpg",
    ]


def test_default_counts_are_those_of_the_study():
    classes = ["anger", "fear", "joy", "Natural", "sadness", "surprise"]
    assert list(TRAIN_PER_CLASS) == list(TEST_PER_CLASS) == list(EXPRESSIONS) == classes
    assert (sum(TRAIN_PER_CLASS.values()), sum(TEST_PER_CLASS.values())) == (253, 75)


def test_photos_are_rgb_jpegs_of_the_stated_size(small_sample):
    for path in small_sample.rglob("*.jpg"):
        with Image.open(path) as photo:
            assert (photo.format, photo.mode, photo.size) == ("JPEG", "RGB", (240, 180))


def test_only_the_expression_changes_between_classes_of_equal_randomness():
    photos = [np.asarray(draw_photo(expression, np.random.default_rng(5)), int) for expression in EXPRESSIONS.values()]
    for i, photo in enumerate(photos):
        for other in photos[:i]:
            changed_HW = np.abs(photo - other).max(-1) > 8
            assert 0.002 < changed_HW.mean() < 0.25


def test_marker_says_that_the_photos_are_generated_and_prove_nothing(small_sample):
    marker = json.loads((small_sample / MARKER_NAME).read_text())
    assert (marker["generated"], marker["seed"]) == (True, 0)
    assert "prove nothing about faces" in marker["note"]


def test_second_call_writes_nothing_and_returns_the_count(small_sample, monkeypatch):
    monkeypatch.setattr(sample, "draw_photo", lambda *_: pytest.fail("drew a photo again"))
    assert write_sample(small_sample, **SMALL) == 4


def test_sample_with_a_lost_photo_is_made_whole(small_sample, tmp_path):
    write_sample(tmp_path / "s", **SMALL)
    (tmp_path / "s/Train/joy/joy_0002.jpg").unlink()
    write_sample(tmp_path / "s", **SMALL)
    assert photo_bytes(tmp_path / "s") == photo_bytes(small_sample)


def test_other_arguments_replace_the_sample(tmp_path):
    write_sample(tmp_path / "s", train_per_class={"joy": 2}, test_per_class={})
    assert write_sample(tmp_path / "s", train_per_class={"fear": 1}, test_per_class={}) == 1
    assert list(photo_bytes(tmp_path / "s")) == ["Train/fear/fear_0001.jpg"]
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


def test_replacing_a_sample_that_holds_other_files_is_refused(tmp_path):
    write_sample(tmp_path / "s", train_per_class={"joy": 1}, test_per_class={})
    (tmp_path / "s/Train/joy/mine.jpg").write_bytes(b"mine")
    with pytest.raises(ValueError, match=r"1 files that are not part of it, such as Train/joy/mine.jpg"):
        write_sample(tmp_path / "s", train_per_class={"fear": 1}, test_per_class={})
    assert (tmp_path / "s/Train/joy/mine.jpg").read_bytes() == b"mine"


@pytest.mark.parametrize("marker", [None, "not json", "[]", '{"generated": true}'])
def test_folder_of_someone_else_is_refused_and_left_alone(tmp_path, marker):
    (tmp_path / "holiday.jpg").write_bytes(b"mine")
    if marker is not None:
        (tmp_path / MARKER_NAME).write_text(marker)
    with pytest.raises(ValueError, match=r"has no valid SAMPLE.json.*Name a new or empty folder"):
        write_sample(tmp_path, **SMALL)
    assert (tmp_path / "holiday.jpg").read_bytes() == b"mine"


def test_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "s").write_bytes(b"mine")
    with pytest.raises(ValueError, match="is a file, and the sample needs a folder"):
        write_sample(tmp_path / "s", **SMALL)


def test_empty_folder_is_filled(tmp_path):
    assert write_sample(tmp_path, train_per_class={"joy": 1}, test_per_class={}) == 1
    assert (tmp_path / MARKER_NAME).exists()


@pytest.mark.parametrize(
    ("counts", "message"), [({"neutral": 1}, "got 'neutral'"), ({"joy": -1}, "got -1 photos of 'joy'")]
)
def test_impossible_counts_are_refused_before_anything_is_written(tmp_path, counts, message):
    with pytest.raises(ValueError, match=message):
        write_sample(tmp_path / "s", train_per_class=counts)
    assert not any(tmp_path.iterdir())


def test_interrupted_write_leaves_nothing_behind(tmp_path):
    def stop(num_done: int, num_photos: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_sample(tmp_path / "s", progress=stop, **SMALL)
    assert not any(tmp_path.iterdir())


def test_progress_counts_every_photo(tmp_path):
    seen = []
    write_sample(tmp_path / "s", progress=lambda num_done, num_photos: seen.append((num_done, num_photos)), **SMALL)
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
