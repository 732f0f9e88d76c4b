"""Time to a threshold: who never reaches it is censored, what is compared is paired, what is by a clock is apart."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.duration.survfunc import survdiff

from orchestrator.paper import load_paper
from orchestrator.report.censored import (
    Waiting,
    horizon_of,
    log_rank_p,
    median_time,
    reached_curve,
    restricted_mean,
    waiting_times,
)
from orchestrator.report.columns import TIMED_COLUMNS
from orchestrator.report.display import reading_table
from orchestrator.report.figures import build_figures
from orchestrator.report.tables import build_tables
from search_spaces.conditions import all_conditions
from tests.unit.report_fixtures import make_epoch, make_record, results_of

# Weeks in remission of 42 children with leukaemia, half of whom had 6-mercaptopurine: E. J. Freireich et al. (1963),
# Blood 21, 699-716. The values of the curve, the medians and the log-rank statistic are those of every textbook.
TREATED = {6: 3, 7: 1, 10: 1, 13: 1, 16: 1, 22: 1, 23: 1}
STILL_IN_REMISSION = (6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35)
PLACEBO = (1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23)


def waiting(times, reached=True, first_seed=0):
    return [Waiting(first_seed + seed, 0, float(time), reached, float(time)) for seed, time in enumerate(times)]


def treated():
    ended = [time for time, count in TREATED.items() for _ in range(count)]
    return waiting(ended) + waiting(STILL_IN_REMISSION, reached=False, first_seed=len(ended))


def table(records, name):
    return build_tables(results_of(records), load_paper())[name]


def row_of(records, name, **wanted):
    rows = table(records, name)
    rows = rows.loc[(rows[list(wanted)] == pd.Series(wanted)).all(axis=1)]
    assert len(rows) == 1
    return rows.iloc[0]


def test_curve_is_that_of_the_remission_data():
    when, share = reached_curve(treated())
    assert when.tolist() == list(TREATED)
    assert (1 - share).round(3).tolist() == [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448]


def test_medians_are_those_of_the_remission_data():
    assert (median_time(treated()), median_time(waiting(PLACEBO))) == (23, 8)


def test_log_rank_p_is_that_of_the_remission_data():
    p_value = log_rank_p(treated(), waiting(PLACEBO))
    assert stats.chi2.isf(p_value, 1) == pytest.approx(16.79, abs=0.005)


def test_log_rank_p_equals_scipys():
    first = treated()[3:]
    ended, still = ([one.time for one in first if one.reached is flag] for flag in (True, False))
    theirs = stats.logrank(stats.CensoredData(uncensored=ended, right=still), stats.CensoredData(PLACEBO[:9]))
    assert log_rank_p(first, waiting(PLACEBO[:9])) == pytest.approx(theirs.pvalue)


def test_folds_are_strata_of_the_log_rank_test():
    first = [Waiting(seed, fold, 1.0 + seed + 3 * fold, True, 9.0) for seed in range(4) for fold in range(2)]
    second = [Waiting(seed, fold, 2.0 + seed + 3 * fold, True, 9.0) for seed in range(4) for fold in range(2)]
    both = [*first, *second]
    columns = np.array([one.time for one in both]), np.ones(16, int), np.repeat([0, 1], 8)
    assert log_rank_p(first, second) == survdiff(*columns, strata=[one.fold for one in both])[1]
    assert log_rank_p(first, second) != survdiff(*columns)[1]


@pytest.mark.parametrize("times", [waiting((3, 3), reached=False), waiting((1, 1))])
def test_log_rank_p_is_not_known_where_nothing_differs(times):
    assert np.isnan(log_rank_p(times, times))


@pytest.mark.parametrize(("num_reached", "median"), [(3, 3.0), (4, 3.0)])
def test_median_is_the_first_time_by_which_half_got_there(num_reached, median):
    times = waiting(range(1, num_reached + 1)) + waiting([9] * (6 - num_reached), reached=False)
    assert median_time(times) == median


def test_median_is_empty_where_less_than_half_got_there():
    assert np.isnan(median_time(waiting((1, 2)) + waiting((9, 9, 9), reached=False)))
    assert np.isnan(median_time(waiting((9, 9), reached=False)))


def test_restricted_mean_is_the_area_under_the_curve_up_to_the_horizon():
    times = [
        Waiting(seed, 0, time, reached, 20.0)
        for seed, (time, reached) in enumerate([(2.0, True), (5.0, True), (5.0, True), (20.0, False), (11.0, True)])
    ]
    when, share = reached_curve(times)
    edges = np.array([0.0, *when[when < 10.0], 10.0])
    area = float(np.diff(edges) @ (1 - np.array([0.0, *share[: len(edges) - 2]])))
    assert restricted_mean(times, 10.0).mean == pytest.approx(area) == pytest.approx((2 + 5 + 5 + 10 + 10) / 5)


def test_restricted_mean_stays_inside_its_horizon_and_has_none_of_an_interval_for_one_seed():
    times = [Waiting(0, 0, 1.0, True, 4.0), Waiting(1, 0, 4.0, False, 4.0)]
    both, one = restricted_mean(times, 4.0), restricted_mean(times[:1], 4.0)
    assert (both.mean, both.low, both.high) == (2.5, 0.0, 4.0)
    assert one.mean == 1.0
    assert np.isnan(one.low)
    assert np.isnan(one.high)


def test_epochs_and_seconds_count_up_to_the_end_of_the_epoch_that_gets_there():
    epochs = [make_epoch(number, 0.3 * number, False) | {"compute_s": 5.0 - number} for number in range(3)]
    group = results_of([make_record("minus_staging", 4, epochs=epochs)]).groups[0]
    assert waiting_times(group, 0.6, "epochs") == [Waiting(4, 0, 3.0, True, 3.0)]
    assert waiting_times(group, 0.3, "compute_s") == [Waiting(4, 0, 9.0, True, 12.0)]
    assert waiting_times(group, 0.7, "wall_s") == [Waiting(4, 0, 9.0, False, 9.0)]
    assert horizon_of(waiting_times(group, 0.3, "wall_s")) == 9.0


def lucky_and_steady():
    """Staged reaches 0.60 once, at once; end-to-end always, in the third of four epochs."""
    never, late = (0.3, 0.4, 0.5, 0.5), (0.3, 0.4, 0.7, 0.7)
    records = [make_record("minus_staging", seed, val_accuracies=late) for seed in range(4)]
    records += [make_record("proposed", seed, val_accuracies=never) for seed in range(1, 4)]
    return [*records, make_record("proposed", 0, val_accuracies=(0.7,) * 4)]


def test_mean_of_the_lucky_ones_stands_beside_a_restricted_mean_that_counts_all():
    row = row_of(lucky_and_steady(), "table2", condition="proposed", threshold_kind="paper")
    assert row["epoch_to_threshold_mean"] == 1.0
    assert row["epochs_restricted_mean"] == pytest.approx((1 + 4 + 4 + 4) / 4)
    assert (row["epochs_horizon"], row["seeds_censored"]) == (4.0, 3)


def test_convergence_tells_how_many_got_there_and_has_no_median_where_few_did():
    row = row_of(lucky_and_steady(), "convergence", condition="proposed", threshold_kind="paper")
    assert (row["seeds"], row["trainings"], row["reached"], row["reached_share"]) == (4, 4, 1, 0.25)
    assert pd.isna(row["epochs_median"])
    assert pd.isna(row["compute_s_median"])
    assert row["epochs_restricted_mean"] == pytest.approx(13 / 4)


def test_horizon_in_seconds_is_what_the_quickest_training_ran():
    """End-to-end takes 2 s an epoch, 6 s to the threshold, of which only the 4 s that staged runs count."""
    row = row_of(lucky_and_steady(), "convergence", condition="minus_staging", threshold_kind="paper")
    assert (row["compute_s_median"], row["compute_s_horizon"], row["compute_s_restricted_mean"]) == (6.0, 4.0, 4.0)
    assert (row["wall_s_median"], row["wall_s_horizon"], row["wall_s_restricted_mean"]) == (9.0, 12.0, 9.0)


def test_staged_and_end_to_end_are_paired_by_seed_with_an_exact_p():
    row = row_of(lucky_and_steady(), "convergence_compared", other="minus_staging", threshold_kind="paper")
    assert row["differing"] == "staged"
    assert (row["seeds"], row["reached"], row["reached_other"]) == (4, 1, 4)
    differences = np.array([1 - 3, 4 - 3, 4 - 3, 4 - 3], float)
    low, high = stats.t.interval(0.95, 3, differences.mean(), stats.sem(differences))
    assert row["epochs_difference_mean"] == pytest.approx(differences.mean())
    assert (row["epochs_difference_low"], row["epochs_difference_high"]) == pytest.approx((low, high))
    flipped = stats.permutation_test((differences,), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert row["epochs_p_value"] == pytest.approx(flipped.pvalue)
    assert row["epochs_log_rank_p"] == pytest.approx(
        survdiff([1, 4, 4, 4, 3, 3, 3, 3], [1, 0, 0, 0, 1, 1, 1, 1], [0] * 4 + [1] * 4)[1]
    )


def test_only_shared_seeds_are_compared():
    records = [*lucky_and_steady(), make_record("minus_staging", 9, val_accuracies=(0.9, 0.9))]
    compared = row_of(records, "convergence_compared", other="minus_staging", threshold_kind="paper")
    shown = row_of(records, "convergence", condition="minus_staging", threshold_kind="paper")
    assert (compared["seeds"], compared["reached_other"], compared["epochs_pair_horizon"]) == (4, 4, 4.0)
    assert (shown["seeds"], shown["epochs_horizon"]) == (5, 2.0)


def test_every_pair_that_differs_in_staging_alone_is_found_and_the_papers_is_named_unfair():
    staged, end_to_end = "cell_frame_plain_staged_all", "baseline_cnn"
    names = ["proposed", "minus_staging", "eca_mtcnn", "plus_rare_class", staged, end_to_end, "logit_adjusted_focal"]
    rows = table([make_record(name, 0) for name in names], "convergence_compared")
    rows = rows.loc[rows["threshold_kind"] == "paper"]
    assert dict(zip(zip(rows["condition"], rows["other"], strict=True), rows["differing"], strict=True)) == {
        ("proposed", "minus_staging"): "staged",
        ("proposed", "eca_mtcnn"): "staged rare_class_excluded",
        ("plus_rare_class", "eca_mtcnn"): "staged",
        (staged, end_to_end): "staged",
    }
    assert all(all_conditions()[name].staged for name in rows["condition"])


def test_conditions_without_a_partner_are_not_compared():
    records = [make_record("proposed", 0), make_record("minus_staging", 1), make_record("landmark_fusion", 0)]
    assert table(records, "convergence_compared").empty
    assert set(table(records, "convergence")["condition"]) == {"proposed", "minus_staging"}


def test_each_fold_is_a_training_and_a_seed_counts_as_their_mean():
    accuracies = {(0, 0): (0.7, 0.7), (0, 1): (0.1, 0.7), (1, 0): (0.1, 0.1), (1, 1): (0.7, 0.1)}
    records = [
        make_record("proposed", seed, 1, protocol="grouped_kfold", true_labels=("anger", "joy"), fold=fold,
                    num_folds=2, key=f"{seed}-{fold}", val_accuracies=values)
        for (seed, fold), values in accuracies.items()
    ]  # fmt: skip
    row = row_of(records, "convergence", threshold_kind="paper")
    assert (row["seeds"], row["trainings"], row["reached"], row["epochs_median"]) == (2, 4, 3, 1.0)
    seeds = [(1 + 2) / 2, (2 + 1) / 2]
    assert row["epochs_restricted_mean"] == np.mean(seeds)
    assert (row["epochs_restricted_low"], row["epochs_restricted_high"]) == (1.5, 1.5)
    stage = row_of(records, "stages", stage="head")
    assert (stage["trainings"], stage["reached_paper"], stage["stage_epochs"]) == (4, 2, 1.0)


def test_stages_say_what_each_costs_and_where_the_threshold_was_reached():
    records = lucky_and_steady()
    head, rest = (row_of(records, "stages", condition="proposed", stage=stage) for stage in ("head", "finetune"))
    whole = row_of(records, "stages", condition="minus_staging")
    assert (head["stage_epochs"], rest["stage_epochs"], whole["stage_epochs"]) == (1.0, 3.0, 4.0)
    assert (head["reached_paper"], rest["reached_paper"], whole["reached_paper"]) == (1, 0, 4)
    assert (head["stage_compute_s"], rest["stage_compute_s"], whole["stage_compute_s"]) == (1.0, 3.0, 8.0)
    assert (head["stage_compute_share"], rest["stage_compute_share"]) == (0.25, 0.75)
    assert (head["stage_wall_s"], rest["stage_wall_s"]) == (3.0, 9.0)
    assert head["stage_accuracy"] == pytest.approx((0.3 * 3 + 0.7) / 4)


def test_a_trial_that_measured_no_seconds_has_no_share_of_them():
    epochs = [make_epoch(number, 0.5, True) | {"compute_s": 0.0} for number in range(2)]
    assert table([make_record("proposed", 0, epochs=epochs)], "stages")["stage_compute_share"].isna().all()


def test_whatever_a_clock_measures_is_marked_and_nothing_else():
    records = lucky_and_steady()
    for name in ("convergence", "convergence_compared", "stages"):
        timed = {column for column in table(records, name) if column in TIMED_COLUMNS}
        assert timed == {column for column in table(records, name) if "_s_" in column or column.startswith("stage_wall")
                         or column in ("stage_compute_s", "stage_compute_share")}  # fmt: skip


def test_reading_view_names_the_fair_pair_and_both_thresholds():
    records = [make_record(name, 0) for name in ("proposed", "minus_staging")]
    records.append(make_record("eca_mtcnn", 0, true_labels=("anger", "joy", "joy", "joy"), num_right=3))
    view = reading_table("convergence_compared", table(records, "convergence_compared"))
    headings = [column.heading for column in view.columns]
    rows = [dict(zip(headings, row, strict=True)) for row in view.rows]
    assert rows[0]["Differ in"] == "staged training alone"
    assert rows[2]["Differ in"] == "staged training and rare class"
    assert rows[3]["Threshold"] == "65.0 % / 80.0 % (majority + 5)"


def test_figure_draws_a_line_a_condition_and_a_cross_where_trainings_end_without():
    figure = build_figures(results_of(lucky_and_steady()), load_paper())["figure11"]
    left = figure.axes[0]
    steps = {line.get_label(): line for line in left.lines if len(line.get_xdata()) > 1}
    assert steps["Proposed"].get_xdata().tolist() == [0.0, 1.0, 4.0]
    assert steps["Proposed"].get_ydata().tolist() == [0.0, 0.25, 0.25]
    crosses = [tuple(map(float, line.get_xydata()[0])) for line in left.lines if len(line.get_xdata()) == 1]
    assert crosses == [(4.0, 0.25)]
