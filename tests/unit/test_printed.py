import copy
import pickle
from fractions import Fraction

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.paper import load_paper
from orchestrator.printed import Printed, load_printed


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("0.60", "0.595", "0.605"),
        ("0.6", "0.55", "0.65"),
        (".43", "0.425", "0.435"),
        ("77.78 %", "0.77775", "0.77785"),
        ("78%", "0.775", "0.785"),
        ("20.02", "20.015", "20.025"),
        ("-9.8 %", "-0.0985", "-0.0975"),
    ],
)
def test_digits_say_how_far_a_number_was_rounded(text, low, high):
    number = Printed(text)
    assert (number.low, number.high) == (Fraction(low), Fraction(high))
    assert number.holds(Fraction(low))
    assert not number.holds(Fraction(high) + Fraction(1, 10**9))


def test_yaml_keeps_the_digits_that_a_float_loses():
    read = load_printed("{a: 0.60, b: 0.6, c: 3, d: 1.0e+2}")
    assert [read["a"].decimals, read["b"].decimals] == [2, 1]
    assert read["a"] == read["b"] == 0.6
    assert read["c"] == 3
    assert read["d"] == 100.0


def test_key_that_stands_twice_is_a_mistake():
    with pytest.raises(yaml.YAMLError, match="the key `joy` stands twice"):
        load_printed("counts:\n  joy: 3\n  fear: 2\n  joy: 4\n")


@pytest.mark.parametrize("text", ["", "about 0.6", "0.6.1", "6e-1", "0." + "1" * 40, "%", "1 / 2"])
def test_text_that_is_no_number_is_refused(text):
    with pytest.raises(ValueError, match="number"):
        Printed(text)


@given(st.decimals(min_value=0, max_value=1, places=4))
def test_printed_number_is_a_float_that_copies_and_pickles_whole(value):
    number = Printed(str(value))
    assert number == float(value)
    for copied in (copy.deepcopy(number), pickle.loads(pickle.dumps(number))):
        assert (copied, copied.decimals) == (number, 4)


def test_values_of_the_paper_have_the_digits_that_it_prints():
    paper = load_paper()
    assert [paper.table1[name].decimals for name in ("eca_mtcnn", "proposed")] == [2, 4]
    assert [paper.table3["anger"].precision.decimals, paper.table3["anger"].recall.decimals] == [1, 2]
    assert paper.to_dict()["table1"]["proposed"] == 0.7778
