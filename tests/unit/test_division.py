"""From a spec and the audit's photographs to the role of every photo in every trial."""

from dataclasses import replace

import numpy as np
import pytest

from datasets.errors import UserError
from datasets.hashes import hash_photos
from datasets.protocols import REPORT, SELECT, TRAIN, UNUSED
from datasets.sources import open_source
from orchestrator.division import check_before_cropping, divide, roles_of, settled, write_account
from orchestrator.spec import quick
from orchestrator.study import make_study

CLASSES = ("anger", "fear", "joy")
GRID = {"conditions": ("proposed", "plus_rare_class"), "seeds": 2, "weights": "random"}


@pytest.fixture
def study_of(photo_tree, tmp_path):
    """`study_of(protocols=("clean",))`: of 3 classes, 4 photos of each to train on and 2 to test on."""
    names = [f"Train/{label}/{n}.jpg" for label in CLASSES for n in range(4)]
    photos = photo_tree(*names, *(f"Test/{label}/{n}.jpg" for label in CLASSES for n in range(2)))

    def make(**changes):
        return make_study(quick().replace(data=str(photos), out=str(tmp_path / "run"), **GRID | changes))

    return make


def roles_by_path(study, division, part) -> dict[str, int]:
    return dict(zip([photo.path for photo in study.photos], roles(study, division)[part].tolist(), strict=True))


def roles(study, division):
    return roles_of(study, division, settled(study, division).cells)


def alone(study) -> np.ndarray:
    """No photo is a copy."""
    return np.arange(len(study.photos))


def same(study, *paths: str) -> np.ndarray:
    """These photos are copies of one."""
    places = [[photo.path for photo in study.photos].index(path) for path in paths]
    groups = alone(study)
    groups[places] = min(places)
    return groups


def test_trials_of_all_protocols_and_folds_are_enumerated_seed_by_seed(study_of):
    study = study_of(protocols=("paper", "clean", "grouped_kfold"), folds=3)
    assert len(study.cells) == len({job.key for job in study.jobs.values()}) == 2 * 2 * (1 + 1 + 3)
    assert [cell.seed for cell in study.cells] == [0] * 10 + [1] * 10
    assert {cell.fold for cell in study.cells if cell.protocol == "grouped_kfold"} == {0, 1, 2}
    assert {job.num_folds for job in study.jobs.values()} == {1, 3}


def test_settings_of_a_protocol_change_its_trials_alone(study_of):
    def keys(**changes):
        study = study_of(protocols=("paper", "clean", "grouped_kfold"), **changes)
        return {cell: job.key for cell, job in study.jobs.items() if cell.fold == 0}

    plain, folds, share = keys(), keys(folds=2), keys(select_frac=0.4)
    changed = {
        name: {c.protocol for c in plain if plain[c] != other[c]} for name, other in (("k", folds), ("s", share))
    }
    assert changed == {"k": {"grouped_kfold"}, "s": {"clean", "grouped_kfold"}}


def test_protocols_divide_the_readable_photos(study_of):
    study = study_of(protocols=("paper", "clean", "grouped_kfold"), folds=2)
    statuses = ["ok"] * len(study.photos)
    statuses[0] = "unreadable"
    division = divide(study, statuses, alone(study))
    divided = roles(study, division)
    assert {part: len(roles_N) for part, roles_N in divided.items()} == dict.fromkeys(
        [(name, seed, fold) for name, folds in (("paper", 1), ("clean", 1), ("grouped_kfold", 2)) for seed in (0, 1)
         for fold in range(folds)], 17,
    )  # fmt: skip
    assert set(divided["paper", 0, 0].tolist()) == {TRAIN, REPORT}
    assert set(divided["clean", 0, 0].tolist()) == {TRAIN, SELECT, REPORT}
    folds = [divided["grouped_kfold", 1, fold] == REPORT for fold in (0, 1)]
    assert np.array_equal(folds[0], ~folds[1])
    assert division.account["paper"]["photos"] == 17


def test_leaks_and_conflicts_touch_protocol_clean_alone(study_of):
    study = study_of(protocols=("paper", "clean"))
    photograph = same(study, "Train/joy/0.jpg", "Test/joy/1.jpg")
    photograph[[p.path for p in study.photos].index("Train/anger/2.jpg")] = 1000
    photograph[[p.path for p in study.photos].index("Train/fear/2.jpg")] = 1000
    division = divide(study, ["ok"] * len(study.photos), photograph)
    assert UNUSED not in roles(study, division)["paper", 0, 0]
    clean = roles_by_path(study, division, ("clean", 0, 0))
    out = {path for path, role in clean.items() if role == UNUSED}
    assert out == {"Train/joy/0.jpg", "Train/anger/2.jpg", "Train/fear/2.jpg"}
    assert (
        division.account["clean"]["num_left_out"] | {"conflict": 2, "leak": 1}
        == division.account["clean"]["num_left_out"]
    )


def test_label_patch_changes_labels_and_uses_of_every_protocol(study_of, tmp_path):
    plain = study_of(protocols=("paper", "clean"))
    source = open_source(plain.spec.data)
    sha256 = dict(zip([p.path for p in plain.photos], hash_photos(source, plain.photos), strict=True))
    patch = tmp_path / "label_patch.csv"
    lines = [f"{sha256['Train/joy/0.jpg']},drop,,,blurred", f"{sha256['Train/joy/1.jpg']},relabel,anger,,"]
    patch.write_text("\n".join(["file_sha256,action,label,path,note", *lines]))
    study = study_of(protocols=("paper", "clean"), label_patch=str(patch))
    assert study.crop_fingerprint == plain.crop_fingerprint
    assert study.data_fingerprint != plain.data_fingerprint
    assert not {job.key for job in study.jobs.values()} & {job.key for job in plain.jobs.values()}
    division = divide(study, ["ok"] * len(study.photos), alone(study))
    paths = [photo.path for photo in study.photos]
    assert division.label_N[paths.index("Train/joy/1.jpg")] == 0
    for part in (("paper", 0, 0), ("clean", 0, 0)):
        assert roles_by_path(study, division, part)["Train/joy/0.jpg"] == UNUSED


def test_protocol_that_was_asked_for_and_cannot_be_is_an_error(study_of):
    with pytest.raises(UserError, match=r"`grouped_kfold`: class `anger` has 6"):
        check_before_cropping(study_of(protocols=("grouped_kfold",), folds=7))
    study = study_of(protocols=("paper", "clean"))
    with pytest.raises(UserError, match=r"`clean`: class `fear` has no photo left in the test split"):
        divide(study, ["ok"] * len(study.photos), same(study, "Test/fear/0.jpg", "Test/fear/1.jpg", "Test/joy/0.jpg"))


def test_protocol_that_was_not_asked_for_is_left_out_with_a_sentence(study_of):
    study = study_of()
    assert study.protocols == ("paper", "clean")
    check_before_cropping(study)
    copies = same(study, "Test/fear/0.jpg", "Test/fear/1.jpg", "Test/joy/0.jpg")
    division = divide(study, ["ok"] * len(study.photos), copies)
    assert division.refused["clean"].startswith("Protocol clean is left out. `--data photos`, protocol `clean`: class")
    left = settled(study, division)
    assert left.protocols == ("paper",)
    assert {part[0] for part in roles(study, division)} == {"paper"}
    write_account(study, division)
    assert study.run_folder.read_json("protocols.json")["refused"] == division.refused


def test_copies_found_otherwise_make_other_trials_of_the_protocols_that_look_at_them(study_of):
    study = study_of(protocols=("paper", "clean", "grouped_kfold"), folds=2)
    statuses = ["ok"] * len(study.photos)
    plain, renumbered, joined = (
        settled(study, divide(study, statuses, groups))
        for groups in (alone(study), alone(study) + 7, same(study, "Train/joy/0.jpg", "Train/joy/1.jpg"))
    )
    keys = [{cell: job.key for cell, job in one.jobs.items()} for one in (plain, renumbered, joined)]
    assert keys[0] == keys[1]
    changed = {cell.protocol for cell in keys[0] if keys[0][cell] != keys[2][cell]}
    assert changed == {"clean", "grouped_kfold"}


def test_person_is_followed_through_a_photo_that_the_patch_drops(study_of, tmp_path):
    """Train/joy/1 is a copy of Train/joy/0, which shows a person of Test; dropping the one must not free the other."""
    plain = study_of(protocols=("clean",))
    paths = [photo.path for photo in plain.photos]
    sha256 = plain.hashes[paths.index("Train/joy/0.jpg")]
    (tmp_path / "patch.csv").write_text(f"file_sha256,action,label,path,note\n{sha256},drop,,,")
    study = study_of(protocols=("clean",), label_patch=str(tmp_path / "patch.csv"))
    known = {"Train/joy/0.jpg": "ann", "Test/joy/0.jpg": "ann"}
    photos = tuple(replace(photo, subject=known.get(photo.path)) for photo in study.photos)
    study = replace(study, photos=photos)
    division = divide(study, ["ok"] * len(photos), same(study, "Train/joy/0.jpg", "Train/joy/1.jpg"))
    clean = roles_by_path(study, division, ("clean", 0, 0))
    assert (clean["Train/joy/0.jpg"], clean["Train/joy/1.jpg"], clean["Test/joy/0.jpg"]) == (UNUSED, UNUSED, REPORT)


def test_class_without_a_face_is_named_where_faceless_photos_are_dropped(study_of):
    study = study_of(protocols=("paper",), no_face="drop")
    statuses = ["no_face" if photo.path.startswith("Train/fear") else "ok" for photo in study.photos]
    with pytest.raises(
        UserError, match=r"`no_face` drop leaves class `fear` no photo to train on .* none of its 4 there"
    ):
        divide(study, statuses, alone(study))


def test_patch_is_kept_as_it_was_applied(study_of, tmp_path):
    patch = tmp_path / "mine.csv"
    patch.write_text(f"file_sha256,action,note\n{study_of().hashes[0]},keep,seen by me\n")
    study = study_of(label_patch=str(patch))
    write_account(study, divide(study, ["ok"] * len(study.photos), alone(study)))
    assert study.run_folder.read_bytes("label_patch.applied.csv") == patch.read_bytes()
