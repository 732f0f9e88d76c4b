"""Each statistic against scipy, statsmodels or a published example, and the edges where formulas break."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from orchestrator.statistics.bayes import signed_rank
from orchestrator.statistics.crossed import Spread, bootstrap_spread, over_seeds, resamples
from orchestrator.statistics.needed import photographs_needed, power_of, seeds_needed
from orchestrator.statistics.paired import (
    effect_size,
    holm,
    mcnemar_p,
    probability_of_improvement,
    sign_flip_p,
    smallest_p,
)
from orchestrator.statistics.scores import Answers, Metric, compare_answers, score_spread
from orchestrator.statistics.seeds import bca_bounds, expanded_confidence, t_bounds

SEEDS = (0.71, 0.74, 0.70, 0.78, 0.72, 0.75)


def right_answers(right_SP: np.ndarray, cluster_P: np.ndarray | None = None) -> Answers:
    """Of two classes, all photos of the first."""
    num = right_SP.shape[1]
    groups = np.arange(num) if cluster_P is None else cluster_P
    return Answers(np.zeros(num, int), 1 - right_SP.astype(int), groups, ("a", "b"))


def test_bca_is_scipys_at_the_expanded_level():
    low, high = bca_bounds(SEEDS)
    level = expanded_confidence(6)
    theirs = stats.bootstrap((np.array(SEEDS),), np.mean, method="BCa", confidence_level=level, n_resamples=9999, rng=0)
    assert (low, high) == pytest.approx(tuple(theirs.confidence_interval))
    assert level == pytest.approx(1 - 2 * stats.norm.cdf(-math.sqrt(6 / 5) * stats.t.ppf(0.975, 5)))


def test_t_interval_is_scipys():
    assert t_bounds(SEEDS) == pytest.approx(stats.ttest_1samp(SEEDS, 0).confidence_interval(0.95))


@pytest.mark.parametrize("bounds", [bca_bounds, t_bounds])
def test_equal_seeds_have_no_width(bounds):
    assert bounds((0.1 + 0.2, 0.3, 0.3, 0.3, 0.3, 0.3)) == pytest.approx((0.3, 0.3))


def test_intervals_over_six_seeds_hold_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(0)
    samples = rng.binomial(72, np.clip(0.7 + 0.03 * rng.standard_normal((300, 6)), 0, 1)) / 72
    held = [low <= 0.7 <= high for low, high in (bca_bounds(tuple(sample)) for sample in samples.tolist())]
    assert 0.91 <= np.mean(held) <= 0.98


@pytest.mark.parametrize(("only_first", "only_second", "p"), [(6, 0, 0.03125), (5, 0, 0.0625), (9, 1, 0.021484375)])
def test_mcnemar_is_the_exact_binomial(only_first, only_second, p):
    first = np.array([True] * only_first + [False] * only_second + [True] * 20 + [False] * 5)
    second = np.array([False] * only_first + [True] * only_second + [True] * 20 + [False] * 5)
    assert mcnemar_p(first, second) == pytest.approx(p)
    assert mcnemar_p(first, second) == pytest.approx(stats.binomtest(only_first, only_first + only_second).pvalue)


def test_swapping_photographs_of_one_seed_is_mcnemar():
    rng = np.random.default_rng(4)
    first = rng.random((1, 60)) < 0.75
    second = first.copy()
    second[0, :10] = ~second[0, :10]
    p = compare_answers(right_answers(first), right_answers(second), Metric("accuracy")).p_photographs
    assert p == pytest.approx(mcnemar_p(first[0], second[0]), abs=0.04)


def test_holm_is_statsmodels_and_the_worked_example_of_its_step_down():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    p_values = np.random.default_rng(0).random(9)
    assert holm(list(p_values)) == pytest.approx(list(multipletests(p_values, method="holm")[1]))
    assert holm([]) == []


def test_effect_size_and_probability_of_improvement_by_hand():
    assert effect_size([1.0, 2.0, 3.0]) == pytest.approx(2.0)
    assert math.isnan(effect_size([0.5, 0.5]))
    assert math.isnan(effect_size([0.5]))
    assert probability_of_improvement([3, 2, 1], [2, 1, 0]) == pytest.approx((3 + 0.5 + 2 + 0 + 0.5 + 1) / 9)
    assert probability_of_improvement([0.5], [0.5]) == 0.5


@pytest.mark.parametrize(
    ("differences", "expected"),
    [
        ((0.03, 0.05, -0.02, 0.04, 0.06, 0.01), (0.0048, 0.06846, 0.92674)),
        ((0.2,) * 6, (0.0, 0.00008, 0.99992)),
        ((0.001, -0.002, 0.003, 0.0, 0.001, -0.001), (0.0, 1.0, 0.0)),
    ],
)
def test_bayesian_signed_rank_is_that_of_its_authors(differences, expected):
    """What baycomp 1.0.3, the library of the test's authors, gives for a ROPE of 0.0131 (50,000 draws)."""
    ours = signed_rank(differences, 0.0131)
    assert tuple(ours) == pytest.approx(expected, abs=0.005)
    assert sum(ours) == pytest.approx(1.0)


def test_a_difference_of_one_photo_is_practically_none():
    assert signed_rank([1 / 72] * 8, 1 / 72).rope == 1.0
    assert math.isnan(signed_rank([], 0.1).rope)


def test_sign_flip_is_scipys_and_reaches_its_smallest_p():
    assert sign_flip_p([0.1] * 6) == pytest.approx(smallest_p(6)) == pytest.approx(0.03125)


def test_sums_that_differ_by_floating_point_alone_tie():
    """Whole numbers of 120 photos, over eight seeds: as shares they give the p of the counts."""
    counts = np.array([7, -3, 5, 4, -2, 6, 1, 3])
    assert sign_flip_p(counts / 120) == sign_flip_p(counts) == known_flip_p(counts)
    assert sign_flip_p([round(value, 9) for value in counts / 120]) == known_flip_p(counts)


def known_flip_p(counts) -> float:
    sums = np.array(list(itertools.product((1, -1), repeat=len(counts)))) @ counts
    return float((abs(sums) >= abs(counts.sum())).mean())


@pytest.mark.parametrize("name", ["accuracy", "macro_f1", "balanced_accuracy", "recall:joy", "precision:joy", "f1:joy"])
def test_scores_are_those_of_scikit_learn(name):
    from sklearn import metrics

    rng = np.random.default_rng(1)
    classes = ("anger", "joy", "sadness")
    true, said = rng.integers(0, 3, 200), rng.integers(0, 3, (2, 200))
    metric, index = Metric(name), classes.index("joy")
    ours = metric.score(metric.counts(Answers(true, said, np.arange(200), classes)).sum(axis=0))
    by_class = {"labels": [index], "average": None, "zero_division": 0.0}
    expected = {
        "accuracy": lambda answer: metrics.accuracy_score(true, answer),
        "macro_f1": lambda answer: metrics.f1_score(true, answer, average="macro"),
        "balanced_accuracy": lambda answer: metrics.balanced_accuracy_score(true, answer),
        "recall:joy": lambda answer: metrics.recall_score(true, answer, **by_class)[0],
        "precision:joy": lambda answer: metrics.precision_score(true, answer, **by_class)[0],
        "f1:joy": lambda answer: metrics.f1_score(true, answer, **by_class)[0],
    }[name]
    assert ours == pytest.approx([expected(answer) for answer in said])


@pytest.mark.parametrize("name", ["accuracies", "recall", "recall:", "accuracy:joy", ""])
def test_unknown_metric_is_named(name):
    with pytest.raises(ValueError, match="balanced_accuracy"):
        Metric(name)


def test_variance_over_seeds_and_photographs_is_that_of_the_crossed_analysis_of_variance():
    rng = np.random.default_rng(2)
    right = rng.random((8, 300)) < (0.3 + 0.5 * rng.random(300)) + 0.05 * rng.standard_normal((8, 1))
    spread = score_spread(right_answers(right), Metric("accuracy"))
    values = right.astype(float)
    rest = values - values.mean(0) - values.mean(1, keepdims=True) + values.mean()
    of_rest = (rest**2).sum() / (7 * 299)
    of_seeds, of_photos = values.mean(1).var(ddof=1) * 300, values.mean(0).var(ddof=1) * 8
    expected = (max(of_seeds, of_rest) + max(of_photos, of_rest) - of_rest) / (8 * 300)
    assert spread.variance == pytest.approx(expected, rel=0.06)


def test_one_seed_leaves_the_photographs():
    right = np.arange(100)[None] < 70
    spread = score_spread(right_answers(right), Metric("accuracy"))
    assert spread.variance == pytest.approx(0.7 * 0.3 / 99, rel=0.08)


def test_photos_of_one_photograph_are_drawn_together():
    rng = np.random.default_rng(3)
    right = np.repeat(rng.random((6, 50)) < 0.7, 4, axis=1)
    alone = score_spread(right_answers(right), Metric("accuracy"))
    grouped = score_spread(right_answers(right, np.repeat(np.arange(50), 4)), Metric("accuracy"))
    assert grouped.num_photographs == 50
    assert grouped.photographs == pytest.approx(4 * alone.photographs, rel=0.12)


def test_more_seeds_shrink_what_seeds_vary_and_no_more():
    spread = Spread(0.1, seeds=0.004, photographs=0.003, interaction=0.001, num_seeds=6, num_photographs=100)
    many = spread.with_seeds(6_000_000)
    assert (many.seeds, many.photographs) == pytest.approx((0.0, 0.002), abs=1e-6)
    assert spread.with_photographs(10**9).variance == pytest.approx(0.003, abs=1e-6)
    assert spread.with_seeds(6).variance == pytest.approx(spread.variance)


def test_paired_t_test_is_what_remains_without_photographs():
    values = np.array([-2.0, -1.0, -3.0, 0.0, -2.0, -1.0])
    spread = over_seeds(values)
    theirs = stats.ttest_1samp(values, 0.0)
    assert spread.p_value() == pytest.approx(theirs.pvalue)
    assert spread.bounds() == pytest.approx(tuple(theirs.confidence_interval(0.95)))


def test_differences_in_whole_steps_are_known_no_better_than_to_a_step():
    assert over_seeds(np.full(6, -1.0)).p_value() == 0.0
    assert 0.0 < over_seeds(np.full(6, -1.0), step=1.0).p_value() < 0.01
    assert over_seeds(np.zeros(6)).p_value() == 1.0


def test_as_many_seeds_as_needed_have_the_power_and_one_less_has_not():
    spread = Spread(0.05, seeds=0.0008, photographs=0.0002, interaction=0.0001, num_seeds=6, num_photographs=200)
    needed = seeds_needed(spread, 0.05, 0.05, 6)
    assert needed is not None
    assert power_of(spread.with_seeds(needed), 0.05, 0.05) >= 0.8 > power_of(spread.with_seeds(needed - 1), 0.05, 0.05)


def test_where_photographs_are_too_few_no_number_of_seeds_would_do():
    spread = Spread(0.02, seeds=0.0001, photographs=0.002, interaction=0.0, num_seeds=6, num_photographs=72)
    assert seeds_needed(spread, 0.02, 0.05, 6) is None
    assert photographs_needed(spread, 0.02, 0.05, 24) > 72
    assert photographs_needed(over_seeds(np.zeros(6)), 0.0, 0.05, 6) is None


def test_resamples_are_the_same_in_every_process_and_have_all_photographs():
    assert resamples(7).sum(axis=1).tolist() == [7.0] * len(resamples(7))
    assert resamples(7)[0].tolist() == np.random.default_rng(0).multinomial(7, [1 / 7] * 7, size=1)[0].tolist()


def test_more_photographs_make_one_photograph_worth_less():
    same = right_answers(np.ones((6, 72), bool))
    spread = compare_answers(same, same, Metric("accuracy")).spread
    assert spread.variance == pytest.approx(1 / 72**2)
    assert spread.with_photographs(400).variance == pytest.approx(1 / 400**2)
    assert spread.wary().with_photographs(400).variance == pytest.approx(4 / 400**2)
    assert (
        power_of(spread.wary(), 0.02, 0.05, 0.02)
        < 0.5
        < power_of(spread.wary().with_photographs(400), 0.02, 0.05, 0.02)
    )


def test_equality_is_seldom_shown_at_the_edge_of_its_margin():
    """Of 20,000 studies of 72 photos with one side better on exactly as many photos as the margin, under all seeds."""
    rng, margin, num = np.random.default_rng(0), 0.1, 72
    better_N = rng.binomial(num, margin, 20_000)
    shown = {}
    for count in range(num):
        first = np.ones((6, num), bool)
        second = first.copy()
        second[:, :count] = False
        spread = compare_answers(right_answers(first), right_answers(second), Metric("accuracy")).spread.wary()
        shown[count] = max(spread.p_above(-margin), spread.p_below(margin)) < 0.05
        if count > margin * num:
            break
    assert shown[0]
    assert np.mean([shown.get(count, False) for count in better_N]) <= 0.05


def test_one_photograph_of_a_class_is_worth_what_its_class_has():
    true_P = np.array([0] * 5 + [1] * 45)
    answers = Answers(true_P, np.tile(true_P, (6, 1)), np.arange(50), ("anger", "joy"))
    steps = {"accuracy": 1 / 50, "recall:anger": 1 / 5, "f1:joy": 1 / 45, "macro_f1": 1 / 10, "precision:anger": 1 / 5}
    for name, step in steps.items():
        assert Metric(name).step(Metric(name).counts(answers)) == pytest.approx(step), name


def test_a_single_photograph_tells_nothing_of_others():
    assert bootstrap_spread(np.array([1.0, 0.0]), np.ones((5, 2)), 1).variance == math.inf
