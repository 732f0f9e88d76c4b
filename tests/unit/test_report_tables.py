"""The five tables: what is counted, what is paired, what is decided."""

import random

import pandas as pd
import pytest

from datasets.folder import Folder
from orchestrator.paper import load_paper
from orchestrator.report.columns import COLUMN_DOCS, TABLE_COLUMNS, TIMED_COLUMNS
from orchestrator.report.intervals import OVER_PHOTOS
from orchestrator.report.results import make_results
from orchestrator.report.tables import build_tables
from orchestrator.report.write import columns_readme, to_csv, to_latex, to_markdown, write_tables
from search_spaces.conditions import TABLE1
from tests.unit.report_fixtures import CLASSES, TRUE_LABELS, make_predictions, make_record, make_study, results_of


def tables_of(records):
    return build_tables(results_of(records), load_paper())


def row_of(table, **wanted):
    rows = table.loc[(table[list(wanted)] == pd.Series(wanted)).all(axis=1)]
    assert len(rows) == 1
    return rows.iloc[0]


@pytest.fixture(scope="module")
def six_seeds():
    return tables_of(make_study(6))


def test_paper_has_every_row_of_table_1_and_the_counts_of_its_photos():
    paper = load_paper()
    assert list(paper.table1) == list(TABLE1)
    assert sum(paper.data.train.values()) + sum(paper.data.test.values()) == paper.detection.photos == 833
    assert paper.class_scores("NATURAL").recall == 0.43
    assert paper.class_scores("fear") is None


def test_table1_follows_the_papers_order_then_leave_one_out_then_the_rest():
    names = ["cell_frame_plain_staged_all", "minus_crop", "proposed", "baseline_cnn"]
    table = tables_of([make_record(name, 0, protocol=side) for name in names for side in ("clean", "paper")])["table1"]
    assert list(table["condition"][::2]) == names[::-1]
    assert list(table["protocol"]) == ["paper", "clean"] * 4


def test_table1_takes_the_majority_baseline_from_the_reported_photos():
    row = row_of(tables_of([make_record("proposed", 0)])["table1"], condition="proposed")
    assert (row["majority_accuracy"], row["photos"], row["paper_accuracy"]) == (0.6, 20, 0.7778)


def test_one_seed_has_an_interval_over_photos_and_no_deviation():
    row = row_of(tables_of([make_record("eca", 3, 15)])["table1"], condition="eca")
    assert row["interval"] == OVER_PHOTOS
    assert row["accuracy_low"] < 0.75 < row["accuracy_high"]
    assert pd.isna(row["accuracy_sd"])
    assert pd.isna(row["macro_f1_low"])


def test_interval_for_other_photos_too_is_wider_and_counts_copies_once(six_seeds):
    plain = six_seeds["table1"]
    widths = plain["accuracy_general_high"] - plain["accuracy_general_low"]
    assert (widths > plain["accuracy_high"] - plain["accuracy_low"]).all()
    assert plain["accuracy_mean"].between(plain["accuracy_general_low"], plain["accuracy_general_high"]).all()
    assert plain["accuracy_general_low"].ge(0).all()
    assert plain["accuracy_general_high"].le(1).all()

    repeated = results_of([make_record("proposed", seed, 40, true_labels=TRUE_LABELS * 10) for seed in range(6)])
    pairs = {f"{place}.png": str(place // 2) for place in range(len(TRUE_LABELS) * 10)}
    alone, paired = (build_tables(repeated, load_paper(), draw_of=draws)["table1"].iloc[0] for draws in ({}, pairs))
    assert paired["accuracy_general_low"] < alone["accuracy_general_low"] < alone["accuracy_mean"]


def test_accuracy_with_face_skips_trials_without_any_face():
    metrics = {"accuracy": 0.5, "accuracy_with_face": None, "macro_f1": 0.2, "loss": 1.0}
    row = tables_of([make_record("eca", 0, 14), make_record("eca", 1, metrics=metrics)])["table1"].iloc[0]
    assert row["accuracy_with_face_mean"] == pytest.approx(0.7)


def test_a_trial_that_never_reaches_the_threshold_is_counted_as_censored():
    records = [
        make_record("proposed", 0, val_accuracies=(0.5, 0.6, 0.9)),
        make_record("proposed", 1, val_accuracies=(0.5, 0.59)),
    ]
    row = row_of(tables_of(records)["table2"], threshold_kind="paper")
    assert (row["seeds"], row["seeds_reached"], row["seeds_censored"]) == (2, 1, 1)
    assert (row["epoch_to_threshold_mean"], row["compute_s_to_threshold_mean"]) == (2.0, 2.0)


def test_second_threshold_stands_above_the_majority_baseline():
    row = row_of(tables_of([make_record("proposed", 0)])["table2"], threshold_kind="above_majority")
    assert row["threshold"] == 0.65
    assert pd.isna(row["paper_minutes"])


def test_time_is_compared_over_shared_seeds_only():
    records = [
        make_record("proposed", 0),
        make_record("minus_staging", 0),
        make_record("minus_staging", 1, compute_s=900.0),
    ]
    row = row_of(tables_of(records)["table2"], condition="proposed", threshold_kind="paper")
    assert row["time_reduction_vs_minus_staging"] == pytest.approx(0.5)
    assert pd.isna(row["time_reduction_vs_eca_mtcnn"])


def test_table3_matches_the_papers_classes_without_regard_to_case():
    classes = ("Anger", "JOY", "other")
    record = make_record("proposed", 0, 4, classes=classes, true_labels=("Anger", "JOY", "JOY", "other"))
    table = tables_of([record])["table3"]
    assert list(table["class"]) == list(classes)
    assert list(table["support"]) == [1, 2, 1]
    assert list(table["recall_mean"]) == [1.0, 1.0, 1.0]
    assert table["paper_recall"].tolist()[:2] == [0.33, 0.95]
    assert pd.isna(table["paper_recall"].iloc[2])


def test_a_class_that_is_never_answered_has_precision_0_without_a_warning():
    record = make_record("proposed", 0, labels=(["anger", "joy"], ["joy", "joy"]), num_eval=2)
    row = row_of(tables_of([record])["table3"], **{"class": "anger"})
    assert row["precision_mean"] == 0.0
    assert pd.isna(row["precision_low"])


def test_table4_pairs_by_seed_whatever_the_order_of_records():
    proposed = [make_record("proposed", seed, right) for seed, right in ((0, 10), (1, 14), (2, 18))]
    without = [make_record("minus_crop", seed, right) for seed, right in ((2, 16), (0, 8), (1, 12), (5, 20))]
    row = row_of(tables_of([*without, *proposed])["table4"], condition="minus_crop")
    assert (row["drop_mean"], row["seeds_low"], row["seeds_high"]) == pytest.approx((0.1, 0.1, 0.1))
    assert row["drop_low"] < 0 < 0.2 < row["drop_high"]  # two photos of twenty are few photos
    assert (row["seeds"], row["drop_in_photos"], row["paper_drop"]) == (3, pytest.approx(2.0), 0.098)


def with_rare_class(num_right: int) -> dict:
    """The proposed condition's photos, of which `num_right` are right, and five of fear, all taken for joy."""
    record = make_record("plus_rare_class", 0, num_right) | {"classes": [*CLASSES, "fear"]}
    true_labels, answers = record["labels"]
    return record | {"num_eval": 25, "labels": (true_labels + ["fear"] * 5, answers + ["joy"] * 5)}


def test_model_with_the_rare_class_is_scored_on_the_photos_of_the_one_without():
    tables = tables_of([make_record("proposed", 0, 14), with_rare_class(14)])
    row = row_of(tables["table4"], condition="plus_rare_class")
    assert (row["drop_mean"], row["drop_in_photos"]) == (0.0, 0.0)
    assert pd.isna(row["paper_drop"])
    reason = row_of(tables["table5"], assumption="A4")["reason"]
    assert "Both are scored on the same 20 photos, with fear masked in the model that knows it" in reason


def test_masked_answer_gives_way_to_the_next_best():
    record = with_rare_class(14)
    true_labels, answers = record["labels"]
    fearful = record | {"labels": (true_labels, ["fear"] * 6 + answers[6:])}  # six of the right ones answered by fear
    group = results_of([fearful]).groups[0]
    assert group.accuracy_on(CLASSES) == {0: 14 / 20}


def test_verdict_is_undecided_below_six_seeds_however_clear():
    table = tables_of(make_study(5, times=6))["table5"]
    assert list(table["verdict"]) == ["undecided"] * 4
    reason = table["reason"].iloc[0]
    assert "5 seeds: the smallest possible p of a paired sign-flip test is 0.0625, so at least 6 seeds are" in reason
    assert "6 seeds would decide in four of five studies" in reason


def test_six_clear_seeds_on_photos_enough_support_each_assumption():
    table = tables_of(make_study(6, times=6))["table5"]
    assert list(table["verdict"]) == ["supported"] * 4
    assert table["p_seeds"].tolist() == pytest.approx([2 / 64] * 4)
    assert (table["p_holm"] < 0.01).all()


def test_seeds_that_agree_on_few_photos_prove_nothing_of_other_photos(six_seeds):
    row = row_of(six_seeds["table5"], assumption="A1")
    assert (row["verdict"], row["p_seeds"]) == ("undecided", pytest.approx(2 / 64))
    assert row_of(six_seeds["evidence"], assumption="A1")["seeds_low"] > 0.1
    assert pd.isna(row["seeds_needed"])
    assert row["photographs_needed"] > 20
    assert "No number of seeds would decide on these photos" in row["reason"]


def test_copies_of_one_photograph_count_once():
    records = make_study(6, times=6)
    results = results_of(records)
    one_of_three = {f"{place}.png": f"{place // 3 * 3}.png" for place in range(120)}
    alone, grouped = (
        build_tables(results, load_paper(), None, draws)["table5"].iloc[0] for draws in ({}, one_of_three)
    )
    assert (alone["independent_photos"], grouped["independent_photos"]) == (120, 40)
    assert grouped["difference_mean"] == pytest.approx(alone["difference_mean"])
    assert grouped["difference_high"] - grouped["difference_low"] > 1.5 * (
        alone["difference_high"] - alone["difference_low"]
    )


def test_a_clear_difference_the_other_way_refutes():
    records = [
        make_record(name, seed, right, true_labels=TRUE_LABELS * 6)
        for seed in range(6)
        for name, right in (("proposed", 60), ("minus_crop", 72))
    ]
    row = row_of(tables_of(records)["table5"], assumption="A1")
    assert (row["verdict"], row["paper_verdict"]) == ("refuted", "supported")


def test_seeds_that_disagree_decide_nothing():
    records = [make_record("proposed", seed, 10 + seed % 2 * 4) for seed in range(6)]
    records += [make_record("minus_crop", seed, 12) for seed in range(6)]
    row = row_of(tables_of(records)["table5"], assumption="A1")
    assert (row["verdict"], row["p_value"]) == ("undecided", pytest.approx(1.0))


def test_a3_counts_fewer_epochs_as_better_and_censored_trials_as_one_more_than_they_ran(six_seeds):
    row = row_of(six_seeds["table5"], assumption="A3")
    assert row["difference_mean"] == 3 - 4
    assert row["metric"] == "epochs to 0.60"
    assert "6 of 12 trainings never reached it" in row["reason"]


def test_protocols_are_never_compared_with_each_other():
    tables = tables_of([make_record("proposed", 0), make_record("minus_crop", 0, protocol="clean")])
    assert tables["table4"].empty
    assert tables["table5"].empty


def test_what_was_not_run_has_no_row_and_the_columns_stay():
    for name, table in tables_of([]).items():
        assert table.empty
        assert tuple(table.columns) == TABLE_COLUMNS[name]
        assert to_csv(table).strip() == ",".join(TABLE_COLUMNS[name])
        assert "No finished trial" in to_markdown(name, table)


def test_files_are_the_same_bytes_when_built_twice_and_from_shuffled_records(tmp_path):
    records = make_study(3)
    tables = tables_of(records)
    write_tables(tables, Folder.at(tmp_path / "once"))
    random.Random(1).shuffle(records)
    write_tables(tables_of(records), Folder.at(tmp_path / "again"))
    files = sorted(path.relative_to(tmp_path / "once") for path in (tmp_path / "once").rglob("*.*"))
    assert len(files) == 3 * len(tables) + 1
    assert all((tmp_path / "once" / name).read_bytes() == (tmp_path / "again" / name).read_bytes() for name in files)


def test_measured_times_are_the_last_columns_and_the_only_ones_that_follow_the_clock(six_seeds):
    slower = make_study(6)
    for place, record in enumerate(slower):
        record["compute_s"] *= 2 + place
        record["wall_s"] += 1
        record["epochs"] = [
            epoch | {"compute_s": 9.0 + place, "wall_s": 11.0 + place + epoch["epoch"]} for epoch in record["epochs"]
        ]
    for name, table in tables_of(slower).items():
        timed = [column for column in table if column in TIMED_COLUMNS]
        assert list(table)[len(list(table)) - len(timed) :] == timed
        pd.testing.assert_frame_equal(
            table.drop(columns=list(TIMED_COLUMNS), errors="ignore"),
            six_seeds[name].drop(columns=list(TIMED_COLUMNS), errors="ignore"),
        )


def test_every_column_is_documented_and_no_other(six_seeds):
    shown = {column for table in six_seeds.values() for column in table.columns}
    others = {column for name, columns in TABLE_COLUMNS.items() if name not in six_seeds for column in columns}
    assert shown | others == set(COLUMN_DOCS)
    assert all(f"`{column}`" in columns_readme() for column in shown)


def test_latex_and_markdown_escape_what_they_must(six_seeds):
    latex = to_latex("table4", six_seeds["table4"])
    assert r"95 \% interval" in latex
    assert r"\toprule" in latex
    odd = make_record("proposed", 0, 2, classes=("a_b", "c|<d"), true_labels=("a_b", "c|<d"))
    table = tables_of([odd])["table3"]
    assert r"a\_b" in to_latex("table3", table)
    assert r"c\|&lt;d" in to_markdown("table3", table)


def test_two_records_of_one_trial_are_an_error():
    twice = [make_record("eca", 0), make_record("eca", 0, 3)]
    with pytest.raises(ValueError, match="several of eca/paper/0/0"):
        make_results(twice, make_predictions(twice))


def test_a_record_without_predictions_is_an_error():
    record = make_record("eca", 4)
    with pytest.raises(ValueError, match="lacks the rows of eca/paper/4/0"):
        make_results([record], make_predictions([]))
