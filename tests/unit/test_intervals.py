"""Intervals and the paired test: published values, and the edges where formulas break."""

import math

import pytest

from orchestrator.report.intervals import (
    NO_INTERVAL,
    OVER_FEW_SEEDS,
    OVER_PHOTOS,
    paired_difference,
    seed_interval,
    share_interval,
    wilson_interval,
)
from orchestrator.statistics.paired import sign_flip_p, smallest_p


def test_wilson_gives_the_published_interval_of_56_of_72():
    interval = wilson_interval(56, 72)
    assert (round(interval.low, 3), round(interval.high, 3)) == (0.669, 0.858)


@pytest.mark.parametrize(("right", "photos", "low", "high"), [(0, 10, 0.0, 0.2775), (81, 263, 0.2553, 0.3662)])
def test_wilson_gives_the_values_of_newcombe_1998(right, photos, low, high):
    interval = wilson_interval(right, photos)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=5e-5)


def test_t_interval_uses_the_quantile_of_its_seeds():
    interval = seed_interval([0.5, 0.6, 0.7])
    assert interval.mean == pytest.approx(0.6)
    assert interval.high - interval.mean == pytest.approx(4.302653 * 0.1 / math.sqrt(3), rel=1e-6)


def test_equal_values_have_an_interval_without_width():
    interval = seed_interval([0.1 + 0.2, 0.3, 0.3])
    assert interval.low == interval.high == pytest.approx(0.3)


def test_one_seed_takes_the_interval_over_photos_and_more_that_over_seeds():
    assert share_interval([0.75], 20) == wilson_interval(15, 20)
    assert (share_interval([0.75], 20).kind, share_interval([0.7, 0.8], 20).kind) == (OVER_PHOTOS, OVER_FEW_SEEDS)


def test_a_share_stays_between_0_and_1():
    interval = share_interval([0.1, 0.9], 20)
    assert (interval.low, interval.high) == (0.0, 1.0)


def test_values_not_known_are_left_out():
    assert seed_interval([0.5, math.nan, 0.7]) == seed_interval([0.5, 0.7])
    assert math.isnan(seed_interval([math.nan]).mean)
    assert wilson_interval(0, 0).kind == NO_INTERVAL


def test_difference_is_paired_by_seed_not_by_order():
    difference = paired_difference({2: 0.9, 0: 0.5, 7: 0.1}, {0: 0.4, 1: 0.0, 2: 0.8})
    assert difference.num_pairs == 2
    assert difference.interval.mean == difference.interval.low == pytest.approx(0.1)


def test_no_shared_seed_gives_no_difference():
    assert paired_difference({0: 0.5}, {1: 0.5}) is None


def test_sign_flip_p_counts_all_combinations_of_signs():
    assert sign_flip_p([1.0, 2.0, 3.0]) == pytest.approx(2 / 8)
    assert sign_flip_p([1.0, 2.0, -3.0]) == 1.0
    assert sign_flip_p([0.0, 0.0]) == sign_flip_p([0.4]) == 1.0


@pytest.mark.parametrize("num_pairs", [2, 3, 5, 6, 8])
def test_smallest_p_is_reached_where_all_differences_agree(num_pairs):
    assert sign_flip_p([0.1] * num_pairs) == pytest.approx(smallest_p(num_pairs))


def test_six_pairs_are_the_fewest_that_can_be_significant():
    assert smallest_p(5) > 0.05 > smallest_p(6)


def test_many_pairs_give_the_same_p_each_time():
    differences = [(-1) ** place * place / 100 for place in range(18)]
    assert sign_flip_p(differences) == sign_flip_p(differences)
