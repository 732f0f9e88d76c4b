"""Several protocols in one report: folds made one, claims side by side, the rare class left out fairly."""

import pandas as pd
import pytest

from datasets.folder import Folder
from orchestrator.paper import load_paper
from orchestrator.report.convergence import first_epoch_at
from orchestrator.report.results import make_results
from orchestrator.report.survival import survives
from orchestrator.report.suspects import write_suspects
from orchestrator.report.tables import build_tables
from tests.unit.report_fixtures import CLASSES, make_epoch, make_predictions, make_record, results_of

FOLDS = (("anger", "joy", "joy"), ("anger", "joy"), ("sadness", "joy", "joy"))
"""True classes of three folds, of which the first are answered rightly."""


def fold_of(number: int, num_right: int, *, condition: str = "proposed", seed: int = 0, **changes) -> dict:
    epochs = [0.2 * number, 0.5]
    return make_record(
        condition, seed, num_right, protocol="grouped_kfold", true_labels=FOLDS[number], val_accuracies=epochs,
        fold=number, num_folds=3, key=f"{condition}-{seed}-{number}", **changes,
    )  # fmt: skip


def test_folds_of_a_seed_are_one_trial_over_all_photos():
    folds = [fold_of(0, 3), fold_of(1, 0, num_dropped=2, compute_s=9.0), fold_of(2, 1, compute_s=3.0)]
    results = results_of(folds[::-1])
    (group,) = results.groups
    (record,) = group.records
    assert (len(results.records), results.num_waiting, group.photos) == (3, 0, 8)
    assert group.metric("accuracy") == {0: pytest.approx(4 / 8)}
    assert [epoch["val_accuracy"] for epoch in record["epochs"]] == [pytest.approx(0.2), 0.5]
    assert record["compute_s"] == pytest.approx((folds[0]["compute_s"] + 9.0 + 3.0) / 3)
    assert group.accuracy_on_all == {0: pytest.approx(4 / 10)}
    assert group.confusion().sum() == 8


def test_macro_f1_of_folds_is_that_of_all_photos():
    """Not the mean of folds, in which a class may be missing."""
    (group,) = results_of([fold_of(0, 3), fold_of(1, 2), fold_of(2, 3)]).groups
    assert group.metric("macro_f1") == {0: 1.0}


def test_seed_with_a_fold_missing_is_not_shown():
    records = [fold_of(0, 3), fold_of(1, 2), fold_of(2, 3), fold_of(0, 3, seed=1)]
    results = results_of(records)
    assert [group.seeds for group in results.groups] == [[0]]
    assert (len(results.records), results.num_waiting) == (4, 1)


def test_baseline_answers_the_class_that_is_commonest_in_training():
    record = make_record("proposed", 0, protocol="clean", train_counts={"anger": 50, "joy": 20, "sadness": 30})
    (group,) = results_of([record]).groups
    assert (group.majority_class, group.majority_accuracy) == ("anger", pytest.approx(4 / 20))
    assert group.majority_in_training == pytest.approx(0.5)


@pytest.mark.parametrize(("protocol", "threshold"), [("paper", 0.65), ("clean", 0.75)])
def test_threshold_outside_protocol_paper_does_not_look_at_the_reported_photos(protocol, threshold):
    record = make_record("proposed", 0, protocol=protocol, train_counts={"anger": 20, "joy": 70, "sadness": 10})
    table = build_tables(results_of([record]), load_paper())["table2"]
    assert table.set_index("threshold_kind")["threshold"]["above_majority"] == pytest.approx(threshold)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ({"paper": "supported"}, "not tested: only protocol paper was run"),
        ({"paper": "supported", "clean": "supported", "grouped_kfold": "supported"}, "yes"),
        ({"paper": "supported", "clean": "undecided"}, "not shown: undecided under clean"),
        (
            {"paper": "supported", "clean": "supported", "grouped_kfold": "refuted"},
            "contradictory: supported under clean, refuted under grouped_kfold",
        ),
        ({"paper": "undecided", "clean": "undecided"}, "undecided"),
        ({"paper": "undecided", "clean": "supported"}, "supported under clean"),
        (
            {"paper": "supported", "clean": "undecided", "grouped_kfold": "supported"},
            "in part: supported under grouped_kfold alone",
        ),
        ({"paper": "refuted", "clean": "undecided"}, "refuted under protocol paper, undecided elsewhere"),
        ({"clean": "undecided"}, "undecided"),
    ],
)
def test_what_becomes_of_a_claim(verdicts, expected):
    assert survives(verdicts) == expected


def test_claims_stand_side_by_side():
    records = [make_record("proposed", seed, 18, protocol=side) for seed in range(6) for side in ("paper", "clean")]
    records += [make_record("minus_crop", seed, 12) for seed in range(6)]
    records += [make_record("minus_crop", seed, 12 + 7 * (seed == 0), protocol="clean") for seed in range(6)]
    table = build_tables(results_of(records), load_paper())["claims"]
    (row,) = table.to_dict("records")
    assert (row["assumption"], row["verdict_paper"], row["verdict_grouped_kfold"]) == ("A1", "supported", "not run")
    assert row["verdict_clean"] == "undecided"  # p = 2 / 64 would need all six signs alike
    assert row["difference_paper"] == pytest.approx(6 / 20)
    assert row["difference_clean"] == pytest.approx((5 * 6 - 1) / 6 / 20)
    assert pd.isna(row["difference_grouped_kfold"])


def without_and_with_fear() -> tuple[list[dict], pd.DataFrame]:
    """The larger model calls two joys fear, and knows one of two fears."""
    known = [*CLASSES, "fear"]
    labels = ["joy"] * 4 + ["anger"] * 2 + ["fear"] * 2
    answers = ["joy", "joy", "fear", "fear", "anger", "joy", "fear", "joy"]
    larger = make_record("plus_rare_class", 0, 4, classes=known, true_labels=labels) | {"labels": (labels, answers)}
    smaller = make_record("proposed", 0, 5, true_labels=labels[:6])
    forced = make_record("proposed", 0, 0, true_labels=["joy", "joy"])
    excluded = make_predictions([forced]).assign(true_label="fear", predicted_label=["joy", "sadness"])
    return [smaller, larger], excluded


def test_class_is_left_out_fairly_on_the_same_photos():
    records, excluded = without_and_with_fear()
    table = build_tables(make_results(records, make_predictions(records), excluded), load_paper())["exclusion"]
    (row,) = table.to_dict("records")
    assert (row["condition"], row["other"], row["photos"]) == ("proposed", "plus_rare_class", 6)
    assert row["accuracy_without_class_mean"] == pytest.approx(5 / 6)
    assert row["accuracy_unmasked_mean"] == pytest.approx(3 / 6)
    assert row["accuracy_masked_mean"] == pytest.approx(5 / 6)  # both joys are joy once fear may not be said
    assert row["difference_mean"] == pytest.approx(0.0)


def test_photos_of_the_class_left_out_are_followed():
    records, excluded = without_and_with_fear()
    table = build_tables(make_results(records, make_predictions(records), excluded), load_paper())["forced"]
    shares = table.set_index("answer")
    assert shares["share_forced"].to_dict() == {"anger": 0.0, "joy": 0.5, "sadness": 0.5, "fear": 0.0}
    assert shares["share_with_class"].to_dict() == {"anger": 0.0, "joy": 0.5, "sadness": 0.0, "fear": 0.5}
    assert set(shares["left_out"]) == {"fear"}


def test_accuracy_under_protocols_stands_side_by_side():
    records = [make_record("proposed", seed, 18, protocol="paper") for seed in range(2)]
    records += [make_record("proposed", seed, 15, protocol="clean", true_labels=("joy",) * 20) for seed in range(2)]
    (row,) = build_tables(results_of(records), load_paper())["protocols"].to_dict("records")
    assert (row["paper_mean"], row["clean_mean"], row["optimism"]) == (0.9, 0.75, pytest.approx(0.15))
    assert (row["clean_photos"], row["grouped_kfold_photos"], pd.isna(row["grouped_kfold_mean"])) == (20, 0, True)


def test_likely_label_errors_come_from_folds_and_the_model_that_knows_most_classes(tmp_path):
    folder = Folder.at(tmp_path)
    assert write_suspects(results_of([make_record("plus_rare_class", 0)]), folder, {}) is None
    folds = [
        make_record(
            "plus_rare_class", 0, 19, protocol="grouped_kfold", fold=number, num_folds=2, key=f"k{number}",
        )
        for number in range(2)
    ]  # fmt: skip
    suspects = write_suspects(results_of(folds), folder, {})
    table = pd.read_csv(tmp_path / suspects.file)
    assert (len(table), set(table["path"][:2])) == (40, {"0-19.png", "1-19.png"})
    assert "over 1 seed of grouped_kfold" in suspects.sentence


def test_nothing_is_said_of_labels_by_models_that_know_nothing(tmp_path):
    folder = Folder.at(tmp_path)
    folder.write_text("label_issues.csv", "of an earlier, larger run")
    folds = [
        make_record("plus_rare_class", 0, 8, protocol="grouped_kfold", fold=number, num_folds=2, key=f"k{number}")
        for number in range(2)
    ]
    suspects = write_suspects(results_of(folds), folder, {})
    assert suspects.sentence.startswith("Likely label errors: not judged")
    assert (suspects.file, folder.exists("label_issues.csv")) == (None, False)


def test_photo_of_two_folds_is_an_error():
    folds = [fold_of(number, 2) for number in range(3)]
    rows = make_predictions(folds).assign(photo="same.png")
    with pytest.raises(ValueError, match=r"`same\.png` is reported by two folds"):
        make_results(folds, rows)


def test_epochs_to_a_threshold_are_those_of_the_folds():
    """The mean curve crosses 0.5 in the second epoch; the folds do in the first, second and third."""
    curves = [(0.6, 0.6, 0.6), (0.3, 0.6, 0.6), (0.3, 0.4, 0.6)]
    folds = [fold_of(number, 2) for number in range(3)]
    for record, curve in zip(folds, curves, strict=True):
        record["epochs"] = [make_epoch(number, value, True) for number, value in enumerate(curve)]
    (group,) = results_of(folds).groups
    assert first_epoch_at(group.records[0], 0.5) == pytest.approx(2.0)
    folds[2]["epochs"] = [*folds[2]["epochs"][:2], make_epoch(2, 0.45, True)]
    (group,) = results_of(folds).groups
    assert first_epoch_at(group.records[0], 0.5) is None
