"""Effects from complete factorials, and importances: equal to least squares, paired by seed, fair to the rare class."""

import itertools

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats
from statsmodels.stats.multitest import multipletests

from orchestrator.paper import load_paper
from orchestrator.report.figures import build_figures
from orchestrator.report.importance import importance_rows
from orchestrator.report.tables import build_tables
from orchestrator.report.write import to_markdown
from search_spaces.conditions import PROPOSED, TABLE1, factorial, select_conditions
from tests.unit.report_fixtures import CLASSES, make_record, results_of

PHOTOS = ("anger",) * 40 + ("joy",) * 120 + ("sadness",) * 40
NAMES = {"crop": "face cropping", "attention": "channel attention", "staged": "staged training",
         "rare_class_excluded": "exclusion of the rare class"}  # fmt: skip


def trial(name, seed, num_right, protocol="paper"):
    """200 photos of which `num_right` are right; with the rare class ten more, all of which are wrong."""
    record = make_record(name, seed, num_right, true_labels=PHOTOS, protocol=protocol)
    if record["definition"]["rare_class_excluded"]:
        return record
    true_labels, answers = record["labels"]
    accuracy = {"accuracy": num_right / 210, "accuracy_with_face": num_right / 210}
    return record | {
        "classes": [*CLASSES, "fear"],
        "num_eval": 210,
        "metrics": record["metrics"] | accuracy,
        "labels": (true_labels + ["fear"] * 10, answers + ["joy"] * 10),
    }


def levels_of(definition):
    return [1 if definition[field] in (True, "eca") else -1 for field in NAMES]


def right_answers(definition, seed):
    """Cropping gives 20 of 200 photos, attention 4 with it and none without, staging costs 6; seeds differ."""
    crop, attention, staged, _ = levels_of(definition)
    noise = np.random.default_rng([seed, *(level + 1 for level in levels_of(definition))]).integers(-3, 4)
    return 120 + 10 * crop + attention + crop * attention - 3 * staged + 2 * seed + int(noise)


def trials(names, num_seeds=4, protocol="paper"):
    conditions = select_conditions(names)
    return [
        trial(name, seed, right_answers(condition.to_dict(), seed), protocol)
        for name, condition in conditions.items()
        for seed in range(num_seeds)
    ]


def effects(records):
    return build_tables(results_of(records), load_paper())["effects"]


@pytest.fixture(scope="module")
def full():
    return effects(trials(["factorial"]))


def frame():
    rows = [
        dict(zip("abcd", levels_of(condition.to_dict()), strict=True))
        | {"seed": seed, "y": right_answers(condition.to_dict(), seed) / 200}
        for condition in factorial().values()
        for seed in range(4)
    ]
    return pd.DataFrame(rows)


def test_full_factorial_has_fifteen_effects_of_sixteen_cells(full):
    assert full["effect_order"].value_counts().to_dict() == {1: 4, 2: 6, 3: 4, 4: 1}
    assert set(full["cells"]) == {16}
    assert set(full["held"]) == {""}
    assert list(full["effect"][:4]) == list(NAMES.values())


def test_estimates_are_twice_the_coefficients_of_least_squares(full):
    """A level of -1 or 1 is a distance of two, so an effect is two slopes, whatever the order."""
    slopes = smf.ols("y ~ a * b * c * d", data=frame()).fit().params
    words = dict(zip("abcd", NAMES.values(), strict=True))
    for order in range(1, 5):
        for letters in itertools.combinations("abcd", order):
            (row,) = full.loc[full["effect"] == " x ".join(words[one] for one in letters)].to_dict("records")
            assert row["estimate_mean"] == pytest.approx(2 * slopes[":".join(letters)], abs=1e-12)


def test_intervals_and_p_are_over_the_contrast_of_each_seed(full):
    data = frame()
    signed = data["a"] * data["b"] * data["y"]
    by_seed = signed.groupby(data["seed"]).sum() / 8
    low, high = stats.t.interval(0.95, 3, by_seed.mean(), stats.sem(by_seed))
    row = full.set_index("effect").loc["face cropping x channel attention"]
    assert (row["estimate_low"], row["estimate_high"], row["seeds"]) == (pytest.approx(low), pytest.approx(high), 4)
    flipped = stats.permutation_test((by_seed.to_numpy(),), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert row["p_value"] == pytest.approx(flipped.pvalue)


def test_p_is_corrected_over_all_effects_of_a_protocol_and_no_other():
    both = effects(trials(["factorial"]) + trials(["factorial"], 6, protocol="clean"))
    for _, rows in both.groupby("protocol"):
        assert rows["p_holm"].tolist() == pytest.approx(multipletests(rows["p_value"], method="holm")[1].tolist())
    assert both.groupby("protocol", sort=False)["p_value"].min().tolist() == [2 / 2**4, 2 / 2**6]


def test_rare_class_is_compared_on_the_photos_that_both_know():
    """Cells that know it answer ten more photos, all wrongly, which must not count as a gain of leaving it out."""
    names = ["proposed", "plus_rare_class", "minus_staging", "eca_mtcnn"]
    table = effects([trial(name, seed, 150 + seed) for name in names for seed in range(2)]).set_index("effect")
    assert table.loc["exclusion of the rare class", "estimate_mean"] == pytest.approx(0.0)


def test_interaction_is_half_the_difference_of_differences():
    rights = {"proposed": 180, "minus_staging": 140, "plus_rare_class": 150, "eca_mtcnn": 146}
    table = effects([trial(name, 0, right) for name, right in rights.items()]).set_index("effect")
    with_it, without = (180 - 140) / 200, (150 - 146) / 200
    assert table.loc["staged training", "estimate_mean"] == pytest.approx((with_it + without) / 2)
    both = "staged training x exclusion of the rare class"
    assert table.loc[both, "estimate_mean"] == pytest.approx((with_it - without) / 2)
    assert table.loc[both, "p_value"] == 1.0
    assert pd.isna(table.loc[both, "estimate_low"])


def test_default_conditions_hold_two_squares_and_each_names_what_it_holds():
    table = effects(trials(["table1", "leave_one_out"], 2))
    assert list(dict.fromkeys(table["held"])) == [
        "with channel attention and staged training",
        "with face cropping and channel attention",
    ]
    assert list(table["effect_order"]) == [1, 1, 2, 1, 1, 2]


def test_largest_complete_part_is_taken_where_cells_are_missing():
    names = [name for name in factorial() if name != "cell_frame_plain_staged_norare"]
    table = effects(trials(names, 2))
    assert set(table["cells"]) == {8}
    assert set(table["held"]) == {
        "with face cropping", "with channel attention", "without staged training",
        "without exclusion of the rare class",
    }  # fmt: skip


def test_cells_with_another_loss_or_attention_are_no_part_of_it():
    """Each would complete a square with the others, were its loss or attention overlooked."""
    square = ["proposed", "minus_staging", "plus_rare_class"]
    assert effects(trials([*square, "logit_adjusted_focal", "proposed_eca_blocks", "landmark_fusion"], 2)).empty
    odd = [
        trial(name, 0, 150) | {"definition": condition.replace(loss="logit_adjusted_focal").to_dict()}
        for name, condition in select_conditions([*square, "eca_mtcnn"]).items()
    ]
    assert set(effects(odd)["held"]) == {"with face cropping, channel attention and the loss logit_adjusted_focal"}


def test_attention_in_every_block_is_no_level_of_the_factorial():
    names = {"proposed": "eca", "minus_staging": "eca", "proposed_eca_blocks": "eca_blocks", "more": "eca_blocks"}
    staged = {"proposed", "proposed_eca_blocks"}
    records = [
        trial(name, 0, 150) | {"definition": PROPOSED.replace(attention=attention, staged=name in staged).to_dict()}
        for name, attention in names.items()
    ]
    assert effects(records).empty


def test_cells_must_share_a_seed():
    records = trials(["proposed", "minus_staging", "plus_rare_class"], 2)
    assert effects([*records, trial("eca_mtcnn", 7, 150)]).empty
    assert set(effects([*records, trial("eca_mtcnn", 1, 150)])["seeds"]) == {1}


def test_without_a_factorial_the_command_that_runs_one_is_named():
    table = effects(trials(["proposed", "minus_crop"]))
    assert table.empty
    assert "“facet run --conditions factorial”" in to_markdown("effects", table)


def test_figure_has_a_row_for_each_effect_of_one_or_two_components():
    records = trials(["factorial"], 2) + trials(["proposed", "minus_crop"], 2, protocol="clean")
    (axis,) = build_figures(results_of(records), load_paper())["figure12"].axes
    labels = [label.get_text() for label in axis.get_yticklabels()]
    assert len(labels) == 4 + 6
    assert labels[-1] == "Staged training × no rare class"


def importance(records):
    return pd.DataFrame(importance_rows(results_of(records)))


def test_importance_is_highest_for_what_moves_accuracy_most_and_adds_up():
    table = importance(trials(["factorial"]))
    assert table["parameter"].iloc[0] == "face cropping"
    assert set(table["parameter"]) == {*NAMES.values(), "seed (chance)"}
    assert table[["importance_fanova", "importance_ped_anova"]].sum().tolist() == pytest.approx([1.0, 1.0])
    assert table.set_index("parameter")["importance_ped_anova"].idxmax() == "face cropping"
    assert set(table["trials"]) == {64}


def test_importance_of_the_rare_class_is_over_photos_that_all_know():
    """Else the ten photos that are always wrong would make it the most important of all."""
    rights = {True: 180, False: 150}
    records = [
        trial(name, seed, rights[condition.crop] + seed) for name, condition in factorial().items() for seed in range(2)
    ]
    table = importance(records).set_index("parameter")["importance_fanova"]
    assert table["exclusion of the rare class"] < 0.01 < 0.9 < table["face cropping"]


def test_importance_is_the_same_each_time_and_in_whatever_order_trials_finished():
    records = trials([*TABLE1], 3)
    pd.testing.assert_frame_equal(importance(records), importance(records[::-1]))


def test_importance_needs_eight_trials_of_unequal_accuracy():
    assert importance(trials(["proposed", "minus_staging", "plus_rare_class"], 2)).empty
    assert importance([trial(name, seed, 150) for name in ("proposed", "minus_crop") for seed in range(6)]).empty


def test_no_share_of_the_best_quarter_where_no_quarter_stands_out():
    accuracies = [150] * 10 + [160] * 2
    records = [trial(name, seed, accuracies[seed + 6 * (name == "proposed")]) for name in ("minus_crop", "proposed")
               for seed in range(6)]  # fmt: skip
    table = importance(records)
    assert table["importance_ped_anova"].isna().all()
    assert table["importance_fanova"].sum() == pytest.approx(1.0)
