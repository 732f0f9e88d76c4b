"""What a tracker is given: the numbers of a trial, the comparison, and nothing that names a photo or a place."""

import json
import subprocess
import sys

import pandas as pd
import pytest
from sklearn.metrics import accuracy_score

from datasets.folder import Folder
from orchestrator.tracking.child import child_environment, reason_in
from orchestrator.tracking.content import RunContent
from orchestrator.tracking.private import alias, photo_names, without_photos
from orchestrator.tracking.summary import summary_content
from orchestrator.tracking.trial import trial_content
from orchestrator.tracking.wrong_photos import MOST, wrong_photos
from tests.unit.report_fixtures import make_predictions
from tests.unit.tracking_fixtures import KEY, crop_set, finished_run, full_record, grey_png, write_report


@pytest.fixture
def trial() -> RunContent:
    record = full_record()
    return trial_content(record, make_predictions([record]))


def test_a_trial_is_grouped_by_condition_and_protocol_and_keeps_its_seed(trial):
    assert (trial.group, trial.job_type, trial.config["seed"], trial.config["fold"]) == ("proposed", "paper", 0, 0)
    assert (trial.id, trial.name) == ("proposed00000000", "proposed-paper-s0")
    assert trial.folder_name == "offline-run-20260102_030400-proposed00000000"


def test_a_fold_is_a_run_of_its_own():
    record = full_record(num_folds=5, fold=3, protocol="grouped_kfold")
    assert trial_content(record, make_predictions([record])).name == "proposed-grouped_kfold-s0-f3"


def test_curves_are_there_by_epoch_and_again_by_stage(trial):
    assert [(epoch["epoch"], epoch["stage"]) for epoch in trial.history] == [
        (1, "head"),
        (2, "finetune"),
        (3, "finetune"),
    ]
    assert [epoch["val_accuracy"] for epoch in trial.history] == [0.3, 0.5, 0.7]
    assert [epoch.get("head/val_accuracy") for epoch in trial.history] == [0.3, None, None]
    assert [epoch.get("finetune/val_accuracy") for epoch in trial.history] == [None, 0.5, 0.7]


def test_the_confusion_matrix_and_the_scores_are_those_of_the_predictions(trial):
    record = full_record()
    rows = make_predictions([record])
    confusion, scores = trial.confusion["confusion"], trial.tables["class_scores"]
    right = sum(confusion.counts_KK[place][place] for place in range(3))
    assert right / sum(map(sum, confusion.counts_KK)) == accuracy_score(rows["true_label"], rows["predicted_label"])
    assert [sum(row) for row in confusion.counts_KK] == [row[scores.columns.index("photos")] for row in scores.rows]
    recalls = [row[scores.columns.index("recall")] for row in scores.rows]
    assert recalls == [confusion.counts_KK[place][place] / sum(confusion.counts_KK[place]) for place in range(3)]


def test_final_values_count_the_chosen_epoch_from_one(trial):
    assert (trial.summary["best_epoch"], trial.summary["final/accuracy"]) == (3, 0.7)


def test_a_trial_names_no_photo(trial):
    assert ".png" not in json.dumps(trial.to_dict())


def test_a_fingerprint_changes_with_the_content_alone(trial):
    record = full_record()
    assert trial.fingerprint == trial_content(record, make_predictions([record])).fingerprint
    other = full_record(metrics=record["metrics"] | {"loss": 1.1})
    assert trial.fingerprint != trial_content(other, make_predictions([other])).fingerprint


def test_the_summary_holds_tables_verdicts_and_figures(tmp_path):
    ledger = finished_run(tmp_path, seeds=2)
    write_report(tmp_path)
    run = summary_content(Folder.at(tmp_path), ledger.read_all(), {})
    assert (run.job_type, run.config["seeds"], run.config["trials"]) == ("summary", [0, 1], 2)
    assert run.summary["verdicts/A1/paper/verdict"] == "undecided"
    assert run.summary["verdicts/A1/paper/p_value"] == 0.25
    assert run.summary["conditions/proposed/paper/accuracy_mean"] == 0.7
    assert list(run.tables["tables/table1"].rows[0][:3]) == ["proposed", "paper", 1]
    assert list(run.pictures) == ["figures/figure3"]


def test_the_summary_is_one_run_however_the_study_grows(tmp_path):
    ledger = finished_run(tmp_path, seeds=3)
    write_report(tmp_path)
    few, all_three = ledger.read_all()[:1], ledger.read_all()
    runs = [summary_content(Folder.at(tmp_path), records, {}) for records in (few, all_three)]
    assert (runs[0].id, runs[0].folder_name) == (runs[1].id, runs[1].folder_name)
    assert runs[0].fingerprint != runs[1].fingerprint


def test_a_column_that_names_photos_stays_at_home(tmp_path):
    ledger = finished_run(tmp_path)
    write_report(tmp_path)
    run = summary_content(Folder.at(tmp_path), ledger.read_all(), {})
    hard = run.tables["tables/hard"]
    assert (list(hard.columns), [list(row) for row in hard.rows]) == (["class", "wrong"], [["NA", 6]])
    assert "people" not in json.dumps(run.to_dict())


@pytest.mark.parametrize(
    ("cell", "stays"),
    [
        ("people/3.png", True),
        ("3.png", True),
        ("people/3", True),
        ("see /home/someone/x", True),
        ("s3://bucket/x", True),
        ("a copy of IMG_1.JPEG", True),
        ("joy", False),
        ("t over seeds", False),
        ("8 of 10 seeds/folds", False),
    ],
)
def test_what_counts_as_naming_a_photo_or_a_place(cell, stays):
    table = pd.DataFrame({"class": ["joy", "joy"], "cell": ["", cell]})
    names = photo_names(pd.Series(["people/3.png", "joy.jpg"]))
    assert list(without_photos(table, names).columns) == (["class"] if stays else ["class", "cell"])


def test_wrong_photos_come_by_how_many_seeds_get_them_wrong_and_without_their_names(tmp_path):
    ledger = finished_run(tmp_path / "run", seeds=2)
    rows = ledger.read_predictions(ledger.read_all())
    first_seed_right = (rows["seed"] == 0) & (rows["photo"] == "people/15.png")
    rows.loc[first_seed_right, "predicted_label"] = rows["true_label"]
    (pictures,) = wrong_photos(rows, crop_set(tmp_path / "crops"), "abc").values()
    assert [picture.encoded for picture in pictures] == [grey_png(shade) for shade in (14, 16, 17, 18, 15)]
    assert pictures[0].caption == f"joy, answered sadness (2 of 2 seeds) #{alias('abc', 'people/14.png')}"
    assert "(1 of 2 seeds)" in pictures[-1].caption
    assert not any("people" in picture.caption for picture in pictures)


def test_a_photo_without_a_face_is_never_a_wrong_photo(tmp_path):
    ledger = finished_run(tmp_path / "run")
    rows = ledger.read_predictions(ledger.read_all()).assign(face_found=False)
    assert wrong_photos(rows, crop_set(tmp_path / "crops"), "abc") == {}


def test_wrong_photos_are_few_and_none_where_the_crops_are_gone(tmp_path):
    ledger = finished_run(tmp_path / "run")
    rows = ledger.read_predictions(ledger.read_all())
    many = pd.concat([rows.assign(photo=f"people/{copy}" + rows["photo"]) for copy in range(9)])
    assert len(rows[rows["predicted_label"] != rows["true_label"]]) * 9 > MOST
    assert wrong_photos(many, Folder.at(tmp_path / "nowhere"), "abc") == {}


def test_only_a_program_that_sends_knows_the_key():
    variables = {"PATH": "/bin", "WANDB_API_KEY": KEY, "WANDB_RUN_ID": "mine", "WANDB_MODE": "disabled"}
    offline, online = (child_environment(variables, online=online) for online in (False, True))
    assert KEY not in offline.values()
    assert online["WANDB_API_KEY"] == KEY
    assert not {"WANDB_RUN_ID", "WANDB_MODE"} & {*offline, *online}
    assert offline["PATH"] == "/bin"


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (
            "ERROR POST http://h:9/graphql giving up after 3 attempt(s): dial tcp: connect: connection refused",
            "reached",
        ),
        ("wandb: Not authenticated.", "does not accept the key"),
        ("ERROR 401 Unauthorized", "does not accept the key"),
        ("", "it said nothing"),
    ],
)
def test_reasons_are_short_words(output, reason):
    assert reason in reason_in(output)


def test_a_reason_tells_no_address_no_path_and_no_key():
    said = reason_in(f"fine\nERROR at https://wandb.lab.example/x in /home/someone/run with {KEY}: odd\nthe end")
    assert said == "ERROR at ... in ... with ...: odd"


def test_trackers_cost_nothing_until_there_is_something_to_track():
    code = (
        "import sys, orchestrator.tracking; print({'torch', 'wandb', 'sklearn', 'tensorboardX'} & sys.modules.keys())"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"
