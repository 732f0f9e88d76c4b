"""Calibration: scores against scikit-learn and by hand, and a temperature that never saw what it is scored on."""

import math

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss
from statsmodels.stats.proportion import proportion_confint

from orchestrator.report.answers import read_answers
from orchestrator.report.calibration import calibrate, calibration_rows
from orchestrator.report.calibration_figure import bin_shares, reliability_diagram
from orchestrator.report.calibration_scores import (
    NUM_BINS,
    brier_score,
    calibration_error,
    equal_mass_bins,
    equal_width_bins,
    error_if_calibrated,
    negative_log_likelihood,
    num_mass_bins,
    probabilities,
)
from orchestrator.report.calibration_temperature import MAX_TEMPERATURE, cross_fit, deal_halves, fit_temperature
from tests.unit.report_fixtures import make_record, results_of


@pytest.fixture(scope="module")
def answers():
    """Logits that are too sure by a factor of 2.5, and labels drawn from what they should have been."""
    rng = np.random.default_rng(3)
    logits = rng.normal(scale=1.5, size=(4000, 4))
    chances = probabilities(logits)
    true = (chances.cumsum(axis=1) < rng.random((4000, 1))).sum(axis=1)
    return 2.5 * logits, true


def test_probabilities_likelihood_and_brier_score_are_those_of_scikit_learn(answers):
    logits, true = answers
    chances = probabilities(logits)
    assert negative_log_likelihood(logits, true) == pytest.approx(log_loss(true, chances), rel=1e-9)
    assert brier_score(chances, true) == pytest.approx(brier_score_loss(true, chances, scale_by_half=False), rel=1e-9)


def test_error_over_bins_of_equal_width_is_that_of_scikit_learns_curve(answers):
    logits, true = answers
    chances = probabilities(logits)
    confidence, right = chances.max(axis=1), chances.argmax(axis=1) == true
    share, mean = calibration_curve(right, confidence, n_bins=NUM_BINS)
    edges = np.linspace(0, 1, NUM_BINS + 1)
    counts = np.histogram(confidence, edges)[0]
    expected = (np.abs(share - mean) * counts[counts > 0]).sum() / len(true)
    assert calibration_error(confidence, right, equal_width_bins(confidence)) == pytest.approx(expected, rel=1e-9)


def test_a_confidence_on_an_edge_is_in_the_bin_below():
    assert equal_width_bins(np.array([0.2, 0.2001, 1.0, 0.0]), num_bins=5).tolist() == [0, 1, 4, 0]


def test_bins_of_equal_mass_hold_as_many_photos_each():
    confidence = np.random.default_rng(0).random(47)
    bins = equal_mass_bins(confidence, 3)
    assert np.bincount(bins).tolist() == [16, 16, 15]
    assert confidence[bins == 0].max() < confidence[bins == 1].min() < confidence[bins == 2].min()
    assert [num_mass_bins(count) for count in (1, 29, 30, 72, 225, 1000)] == [1, 1, 2, 4, 15, 15]


def test_error_by_hand():
    confidence, right = np.array([0.9, 0.9, 0.6, 0.6]), np.array([True, False, True, True])
    # two bins: |0.5 - 0.9| and |1 - 0.6|, half of the photos each
    assert calibration_error(confidence, right, np.array([1, 1, 0, 0])) == pytest.approx(0.4)


def test_error_of_a_calibrated_model_is_what_chance_makes_of_so_few_photos():
    confidence = np.random.default_rng(1).uniform(0.3, 1.0, 60)
    bins = equal_width_bins(confidence)
    drawn = np.random.default_rng(2).random((4000, 60)) < confidence
    brute = np.mean([calibration_error(confidence, right, bins) for right in drawn])
    assert error_if_calibrated(confidence, bins) == pytest.approx(brute, rel=0.08)
    assert error_if_calibrated(np.ones(5), np.zeros(5, int)) == 0  # who is sure and right has no error


def test_temperature_is_the_one_that_makes_the_labels_likeliest(answers):
    logits, true = answers
    fitted = fit_temperature(logits, true)
    grid = np.exp(np.linspace(math.log(1.5), math.log(4), 400))
    losses = [log_loss(true, probabilities(logits / temperature)) for temperature in grid]
    assert fitted == pytest.approx(grid[int(np.argmin(losses))], rel=0.005)
    assert fitted == pytest.approx(2.5, rel=0.08)


def test_temperature_of_answers_that_are_all_right_stops_at_the_bound():
    logits = np.tile([3.0, 0.0], (10, 1))
    fit = cross_fit(logits, np.zeros(10, int), np.arange(10) % 2)
    assert fit.num_at_bound == 2
    assert fit.temperature == pytest.approx(1 / MAX_TEMPERATURE)


def test_temperature_of_answers_that_know_less_than_nothing_stops_at_the_other_bound(answers):
    logits, true = answers
    assert fit_temperature(-logits, true) == MAX_TEMPERATURE


def test_no_temperature_is_fitted_on_the_photos_that_it_is_applied_to(answers):
    logits, true = answers[0][:200], answers[1][:200]
    half = np.arange(200) % 2
    before = cross_fit(logits, true, half)
    changed = np.where(half == 0, (true + 1) % 4, true)
    after = cross_fit(logits, changed, half)
    assert after.temperatures[0] == before.temperatures[0]
    assert after.temperatures[1] != before.temperatures[1]
    assert np.array_equal(after.logits_NK[half == 0], before.logits_NK[half == 0])
    assert np.allclose(before.logits_NK[half == 1] * before.temperatures[1], logits[half == 1])
    assert before.temperature == pytest.approx(math.sqrt(math.prod(before.temperatures)))
    assert cross_fit(logits, true, np.zeros(200, int)) is None


def test_copies_of_one_photograph_are_in_one_half_and_classes_are_divided_evenly():
    labels = ("anger",) * 4 + ("joy",) * 12 + ("sadness",) * 4
    group_of = {f"{place}.png": "joys" for place in (4, 5, 6)}
    answers = read_answers(results_of([make_record("proposed", seed) for seed in (0, 1)]))
    half = deal_halves(answers, group_of)
    assert len({half[f"{place}.png"] for place in (4, 5, 6)}) == 1
    for name in set(labels):
        members = {
            group_of.get(f"{place}.png", place): half[f"{place}.png"] for place in range(20) if labels[place] == name
        }
        assert abs(sum(members.values()) - len(members) / 2) <= 0.5, name
    assert deal_halves(answers[::-1], group_of) == half


def test_halves_are_the_same_whatever_conditions_are_there():
    one, other = make_record("proposed", 0), make_record("minus_crop", 0)
    alone, both = (read_answers(results_of(records)) for records in ([one], [one, other]))
    assert deal_halves(alone, {}) == deal_halves(both, {})


def test_row_of_a_condition_holds_the_means_over_its_seeds():
    results = results_of([make_record("proposed", 0, 14), make_record("proposed", 1, 18)])
    (row,) = calibration_rows(calibrate(read_answers(results), {}))
    # every answer has logits 2 for itself, and 1 for the true class where it is wrong
    sure, unsure = math.exp(3) / (math.exp(3) + 2), math.exp(2) / (math.exp(2) + math.e + 1)
    confidence = [(14 * sure + 6 * unsure) / 20, (18 * sure + 2 * unsure) / 20]
    assert row["confidence_mean"] == pytest.approx(np.mean(confidence))
    assert row["gap_mean"] == pytest.approx(np.mean(confidence) - 0.8)
    assert (row["seeds"], row["photos"], row["mass_bins"], row["accuracy_mean"]) == (2, 20, 1, 0.8)
    assert row["ece_mass_mean"] == pytest.approx(np.mean([abs(confidence[0] - 0.7), abs(confidence[1] - 0.9)]))
    assert 0 <= row["ece_low"] <= row["ece_mean"] <= row["ece_high"]
    assert row["temperature_low"] < row["temperature_mean"] < row["temperature_high"]


def test_one_seed_has_no_interval_and_one_photo_no_temperature():
    lone = make_record("proposed", 0, 1, true_labels=("joy",))
    (row,) = calibration_rows(calibrate(read_answers(results_of([lone])), {}))
    assert math.isnan(row["temperature_mean"])
    assert math.isnan(row["ece_after_mean"])
    assert math.isnan(row["ece_low"])
    assert (row["interval"], row["at_bound"]) == ("none (one seed)", 0)
    assert reliability_diagram(calibrate(read_answers(results_of([lone])), {})) is not None


def test_huge_logits_are_scored_without_overflow():
    logits = np.array([[1e4, 0.0], [0.0, 1e4]])
    assert negative_log_likelihood(logits, np.array([0, 0])) == pytest.approx(5000)
    assert probabilities(logits)[0].tolist() == [1.0, 0.0]
    assert math.isfinite(fit_temperature(logits, np.array([0, 0])))


def test_a_bin_of_the_diagram_counts_a_photo_once_however_many_seeds():
    confidence, right = np.full(30, 0.5), np.arange(30) % 3 == 0
    bins = bin_shares(confidence, right, num_seeds=3)
    low, high = proportion_confint(10 / 3, 10, method="wilson")
    assert bins["photos"].tolist() == [10]
    assert (bins["low"][0], bins["high"][0]) == (pytest.approx(low), pytest.approx(high))


def test_diagram_has_a_panel_for_each_protocol_and_is_not_drawn_without_the_proposed_condition():
    records = [make_record("proposed", 0, protocol=name) for name in ("paper", "clean")]
    figure = reliability_diagram(calibrate(read_answers(results_of(records)), {}))
    titles = [axis.get_title(loc) for axis in figure.axes for loc in ("left", "center")]
    assert [title for title in titles if title] == ["Protocol paper", "Protocol clean"]
    other = calibrate(read_answers(results_of([make_record("eca", 0)])), {})
    assert reliability_diagram(other) is None
