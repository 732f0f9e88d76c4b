"""Who is trained on and who is reported on."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.errors import UserError
from datasets.folder import Folder
from datasets.sources import FolderReader, Photo, Source, SourceConfig
from datasets.splits import split_source


def source_of(photos) -> Source:
    return Source("photos", tuple(photos), FolderReader(Folder.at("/nowhere")))


def rows(counts: dict[str, int], *, split: str | None = None) -> list[Photo]:
    start = split or "p"
    return [Photo(f"{label}/{start}{index}.jpg", label, split) for label, num in counts.items() for index in range(num)]


def test_same_seed_gives_the_same_split_and_another_seed_another():
    source = source_of(rows({"joy": 20, "sad": 15}))
    assert split_source(source, SourceConfig(split_seed=3)) == split_source(source, SourceConfig(split_seed=3))
    assert split_source(source, SourceConfig(split_seed=3)) != split_source(source, SourceConfig(split_seed=4))


def test_split_does_not_depend_on_the_order_of_files():
    photos = rows({"joy": 20, "sad": 15})
    assert split_source(source_of(photos), SourceConfig()) == split_source(source_of(photos[::-1]), SourceConfig())


@pytest.mark.parametrize("test_frac", [0.1, 0.2, 0.25, 0.5])
def test_each_class_gives_its_share_to_the_test_split(test_frac):
    photos = split_source(source_of(rows({"joy": 100, "sad": 40, "fear": 20})), SourceConfig(test_frac=test_frac))
    held_out = Counter(photo.label for photo in photos if photo.split == "test")
    assert held_out == {"joy": 100 * test_frac, "sad": 40 * test_frac, "fear": 20 * test_frac}


labels_and_subjects = st.integers(1, 12).flatmap(
    lambda num: st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, num)), min_size=10, max_size=60)
)


@given(rows=labels_and_subjects, seed=st.integers(0, 3))
def test_split_with_subjects_is_whole_or_refused_in_our_words(rows, seed):
    photos = [Photo(f"{index:02d}.jpg", label, None, f"s{subject}") for index, (label, subject) in enumerate(rows)]
    try:
        divided = split_source(source_of(photos), SourceConfig(split_seed=seed))
    except UserError:
        return
    sides = {side: {photo.subject for photo in divided if photo.split == side} for side in ("train", "test")}
    assert not sides["train"] & sides["test"]
    assert sorted(photo.path for photo in divided) == [photo.path for photo in photos]
    assert {(p.label, p.split) for p in divided} == {(p.label, side) for p in photos for side in ("train", "test")}


@given(counts=st.tuples(st.integers(5, 40), st.integers(5, 40), st.integers(5, 40)), seed=st.integers(0, 99))
def test_split_without_subjects_is_a_fifth_of_each_class(counts, seed):
    source = source_of(rows(dict(zip("abc", counts, strict=True))))
    photos = split_source(source, SourceConfig(split_seed=seed))
    for label, count in zip("abc", counts, strict=True):
        held_out = sum(photo.split == "test" for photo in photos if photo.label == label)
        assert count // 5 <= held_out <= -(-count // 5)


def test_no_subject_is_on_both_sides():
    photos = [Photo(f"{n:03d}.jpg", "ab"[n % 2], None, f"s{n // 4}") for n in range(80)]
    divided = split_source(source_of(photos), SourceConfig())
    sides = {side: {photo.subject for photo in divided if photo.split == side} for side in ("train", "test")}
    assert not sides["train"] & sides["test"]
    assert (len(sides["train"]), len(sides["test"])) == (16, 4)


def test_photos_without_a_subject_count_as_a_subject_each():
    photos = [Photo(f"{n:03d}.jpg", "ab"[n % 2], None, "one" if n < 4 else None) for n in range(40)]
    divided = split_source(source_of(photos), SourceConfig())
    assert len({photo.split for photo in divided if photo.subject == "one"}) == 1
    assert 4 <= sum(photo.split == "test" for photo in divided) <= 12


def test_too_few_subjects_are_refused_in_our_words():
    photos = [Photo(f"{n:03d}.jpg", "ab"[n % 2], None, f"s{n // 10}") for n in range(20)]
    with pytest.raises(UserError, match="subject"):
        split_source(source_of(photos), SourceConfig())


def test_given_split_is_kept_whatever_the_settings():
    photos = [photo for split in ("train", "val", "test") for photo in rows({"joy": 2, "sad": 1}, split=split)]
    assert split_source(source_of(photos), SourceConfig(test_frac=0.5, split_seed=9)) == tuple(photos)


def test_source_with_train_and_val_alone_reports_on_val():
    photos = rows({"joy": 2, "sad": 2}, split="train") + rows({"joy": 1, "sad": 1}, split="val")
    assert [photo.split for photo in split_source(source_of(photos), SourceConfig())] == ["train"] * 4 + ["test"] * 2


@pytest.mark.parametrize(
    ("photos", "message"),
    [
        (rows({"joy": 9}), r"has one class only, \['joy'\]; a study needs at least two"),
        (rows({"joy": 9, "Joy": 9}), "classes `Joy` and `joy` differ in letter case only. Rename one"),
        (rows({"joy": 9, "sad": 4}), "Class `sad` has 4 photos; `test_frac` 0.2 needs at least 5 of each"),
        (
            rows({"joy": 2, "sad": 2}, split="train") + rows({"joy": 2}),
            "`joy/p0.jpg` of `--data photos` has no split while others have one. Give all or none",
        ),
        (
            rows({"joy": 2, "sad": 2}, split="train") + rows({"joy": 2}, split="test"),
            "class `sad` has no photo in the test split; each side needs one",
        ),
        (rows({"joy": 2, "sad": 2}, split="test"), "class `joy` has no photo in the train split"),
    ],
)
def test_source_that_cannot_be_split_is_refused(photos, message):
    with pytest.raises(UserError, match=message):
        split_source(source_of(photos), SourceConfig())


@pytest.mark.parametrize("change", [{"test_frac": 0.0}, {"test_frac": 0.51}, {"split_seed": -1}, {"split_seed": 2**32}])
def test_impossible_setting_is_refused(change):
    with pytest.raises(ValueError, match=f"(?s){next(iter(change))}.*should be"):
        SourceConfig(**change)
