"""Every condition has one name, and every name one condition."""

import pytest

from datasets.errors import UserError
from search_spaces.conditions import (
    EXTRA,
    GROUPS,
    LEAVE_ONE_OUT,
    PROPOSED,
    TABLE1,
    TITLES,
    all_conditions,
    factorial,
    select_conditions,
    title_of,
)
from trainables.condition import Condition


def differences(one: Condition, other: Condition) -> set[str]:
    return {name for name in Condition.model_fields if getattr(one, name) != getattr(other, name)}


def test_no_two_names_mean_the_same_condition():
    conditions = all_conditions()
    assert len(set(conditions.values())) == len(conditions)


def test_table1_has_the_papers_rows_in_its_order():
    assert list(TABLE1) == ["baseline_cnn", "logit_adjusted_focal", "landmark_fusion", "eca", "eca_mtcnn", "proposed"]
    assert TABLE1["baseline_cnn"] == Condition()


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("proposed", set()),
        ("minus_crop", {"crop"}),
        ("minus_attention", {"attention"}),
        ("minus_staging", {"staged"}),
        ("plus_rare_class", {"rare_class_excluded"}),
    ],
)
def test_leave_one_out_changes_one_component(name, changed):
    assert differences(LEAVE_ONE_OUT[name], PROPOSED) == changed


def test_factorial_has_16_distinct_cells_over_four_components():
    cells = factorial()
    assert len(cells) == len(set(cells.values())) == 16
    assert set().union(*(differences(cell, PROPOSED) for cell in cells.values())) == {
        "crop",
        "attention",
        "staged",
        "rare_class_excluded",
    }


def test_cells_that_have_a_name_keep_it():
    cells, named = factorial(), LEAVE_ONE_OUT | TABLE1
    assert {name for name in cells if not name.startswith("cell_")} == {
        name for name, condition in named.items() if condition in cells.values()
    }
    assert all(cells[name] == named[name] for name in cells if name in named)
    assert cells["cell_crop_plain_staged_all"] == Condition(crop=True, staged=True)


@pytest.mark.parametrize(("group", "count"), [("table1", 6), ("leave_one_out", 5), ("factorial", 16)])
def test_group_stands_for_its_conditions(group, count):
    assert len(select_conditions([group])) == count


def test_each_condition_is_chosen_once_in_the_order_asked_for():
    chosen = select_conditions(["eca", "table1", "leave_one_out", "eca", "proposed"])
    assert list(chosen) == ["eca", *(name for name in TABLE1 if name != "eca"), *list(LEAVE_ONE_OUT)[1:]]


def test_every_name_can_be_chosen():
    assert select_conditions(list(all_conditions())) == all_conditions()
    assert list(select_conditions(list(EXTRA))) == ["proposed_eca_blocks"]


def test_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(
        UserError, match=r"`conditions` has no `nosuch`. Choose groups \(table1, .*names \(baseline_cnn"
    ):
        select_conditions(["table1", "nosuch"])


def test_no_condition_is_refused():
    with pytest.raises(UserError, match=r"`conditions` is empty. Write table1"):
        select_conditions([])


def test_every_condition_has_a_title_of_its_own():
    titles = [title_of(name) for name in all_conditions()]
    assert len(set(titles)) == len(titles)
    assert TITLES.keys() == (TABLE1 | LEAVE_ONE_OUT | EXTRA).keys()
    assert title_of("cell_frame_plain_staged_all") == "Frame plain staged all"


def test_groups_and_conditions_share_no_name():
    assert not set(GROUPS) & all_conditions().keys()


def test_unknown_component_is_an_error():
    with pytest.raises(ValueError, match="croped"):
        Condition(croped=True)
