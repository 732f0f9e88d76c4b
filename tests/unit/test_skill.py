"""Whether a condition beats always answering one class: on other photos too."""

import numpy as np
import pytest

from orchestrator.report.skill import beats_majority
from tests.unit.report_fixtures import make_record, results_of

LABELS = ["joy"] * 42 + ["sadness"] * 30


def group_of(num_right: int, seeds: int):
    return results_of([make_record("proposed", seed, num_right, true_labels=LABELS) for seed in range(seeds)]).groups[0]


@pytest.mark.parametrize("seeds", [1, 6])
def test_a_clear_lead_is_skill_and_a_photo_or_two_are_not(seeds):
    assert beats_majority(group_of(60, seeds), {})
    assert not beats_majority(group_of(44, seeds), {})  # seeds agree, and have two photos more than always joy
    assert not beats_majority(group_of(42, seeds), {})


def test_copies_count_once():
    draws = {f"{place}.png": "one photograph" for place in range(42, 72)}  # all that the constant answer gets wrong
    assert beats_majority(group_of(60, 6), {})
    assert not beats_majority(group_of(60, 6), draws)


def test_luck_with_the_photos_is_seldom_called_skill():
    """A model as good as the constant answer over all photos, on photos drawn anew in each study."""
    rng, called = np.random.default_rng(3), 0
    for _ in range(40):
        right_P = rng.random(72) < 42 / 72
        order = [label for label, right in zip(rng.permutation(LABELS), right_P, strict=True) if right]
        rest = [label for label, right in zip(rng.permutation(LABELS), right_P, strict=True) if not right]
        records = [make_record("proposed", seed, len(order), true_labels=[*order, *rest]) for seed in range(6)]
        called += beats_majority(results_of(records).groups[0], {})
    assert called <= 4
