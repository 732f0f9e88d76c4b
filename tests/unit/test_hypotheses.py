"""Hypotheses as data: what a file may say, how it is kept, and the verdicts that follow."""

import math

import numpy as np
import pytest

from datasets.errors import UserError
from datasets.folder import Folder
from orchestrator.hypotheses.draws import read_draws, write_draws
from orchestrator.hypotheses.judge import judge, untested
from orchestrator.hypotheses.model import load_hypotheses, parse_hypotheses
from orchestrator.hypotheses.registry import HYPOTHESES_FILE, read_registered, register
from orchestrator.hypotheses.wording import reason, sentence
from orchestrator.paper import load_paper
from tests.unit.report_fixtures import TRUE_LABELS, make_record, make_study, results_of

PHOTOS = TRUE_LABELS * 6


def file_of(test: str, name: str = "H1") -> str:
    return f"hypotheses:\n  - {{name: {name}, claim: It helps, {test}}}\n"


def judged(test: str, records, draws=None):
    found = judge(parse_hypotheses(file_of(test), "h.yaml"), results_of(records), draws or {})
    return found[0]


def two(first: int, second: int, seeds: int = 6, **changes):
    records = []
    for seed in range(seeds):
        for name, right in (("proposed", first), ("minus_crop", second)):
            records.append(make_record(name, seed, right + seed % 2, true_labels=PHOTOS, **changes))
    return records


def test_the_papers_four_ship_with_its_claims_and_verdicts():
    ours, paper = load_hypotheses(None).hypotheses, load_paper().table5
    assert [one.name for one in ours] == ["A1", "A2", "A3", "A4"]
    assert all(one.claim == paper[one.name].claim and one.published == paper[one.name].verdict for one in ours)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a", "must be a mapping with the key `hypotheses`"),
        ("hypotheses: []", "`hypotheses` should be"),
        ("{hypotheses: [}", "is not valid YAML"),
        (file_of("better: {condition: proposd, than: minus_crop}"), "should be the name of a condition"),
        (file_of("better: {condition: eca, than: eca}"), "are both eca"),
        (file_of("better: {condition: eca, than: proposed, metric: acuracy}"), "balanced_accuracy"),
        (file_of("better: {condition: eca, than: proposed, by: 2}"), "less than 1"),
        (file_of("better: {condition: eca, than: proposed, more: 2}"), "`hypotheses.0.better.more` is no key"),
        (file_of("published: supported"), "needs exactly one of better, equivalent, earlier"),
        (file_of("earlier: {condition: eca, than: proposed}"), "`hypotheses.0.earlier.threshold` is missing"),
        (
            file_of("better: {condition: eca, than: proposed}") + "  - {name: H1, claim: x, "
            "better: {condition: proposed, than: eca}}",
            "two hypotheses are named H1",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_a_sentence(text, message):
    with pytest.raises(UserError, match="hypotheses") as caught:
        parse_hypotheses(text, "h.yaml")
    assert message in str(caught.value)
    assert "h.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_file_is_named():
    with pytest.raises(UserError, match=r"no-such\.yaml"):
        load_hypotheses("no-such.yaml")


def test_hash_is_of_what_is_said_not_of_how():
    one = parse_hypotheses(file_of("better: {condition: eca, than: proposed}"), "")
    same = parse_hypotheses("# a remark\n" + file_of("better: {than: proposed, condition: eca, by: 0.0}"), "")
    other = parse_hypotheses(file_of("better: {condition: eca, than: proposed, by: 0.01}"), "")
    assert one.sha256 == same.sha256 != other.sha256


def test_what_is_written_down_late_is_said_to_be_exploratory(tmp_path):
    folder, first = Folder.at(tmp_path), load_hypotheses(None)
    assert "not written down" in read_registered(folder).line
    register(folder, first, trials_finished=0)
    before = (tmp_path / HYPOTHESES_FILE).read_bytes()
    register(folder, first, trials_finished=12)
    assert (tmp_path / HYPOTHESES_FILE).read_bytes() == before
    held = read_registered(folder)
    assert (held.hypotheses, held.note) == (first, "")
    assert "before any trial" in held.line
    register(folder, parse_hypotheses(file_of("better: {condition: eca, than: proposed}"), ""), trials_finished=12)
    late = read_registered(folder)
    assert "changed after 12 trials were finished: their verdicts are exploratory" in late.note
    assert [one.name for one in late.hypotheses.hypotheses] == ["H1"]


def test_photos_that_are_one_draw_are_kept_by_name(tmp_path):
    write_draws(Folder.at(tmp_path), ["a.png", "b, 1.png", "c.png", "d.png"], np.array([4, 7, 4, 9]))
    assert read_draws(Folder.at(tmp_path)) == {"a.png": "a.png", "c.png": "a.png"}
    assert read_draws(Folder.at(tmp_path / "none")) == {}


def test_a_margin_must_be_exceeded():
    records = two(102, 84)  # 15 points
    assert judged("better: {condition: proposed, than: minus_crop}", records).ruling.verdict == "supported"
    assert judged("better: {condition: proposed, than: minus_crop, by: 0.13}", records).ruling.verdict == "undecided"
    beyond = judged("better: {condition: proposed, than: minus_crop, by: 0.40}", records)
    assert beyond.ruling.verdict == "refuted"
    assert "of more than 40.0 points" in sentence(beyond.hypothesis.test, beyond.evidence, beyond.ruling, "paper")


def test_equality_is_shown_within_a_margin_and_refuted_beyond_it():
    equal, apart = two(90, 90), two(110, 80)
    assert judged("equivalent: {condition: proposed, than: minus_crop, within: 0.05}", equal).ruling.verdict == (
        "supported"
    )
    found = judged("equivalent: {condition: proposed, than: minus_crop, within: 0.05}", apart)
    assert found.ruling.verdict == "refuted"
    by_default = judged("equivalent: {condition: proposed, than: minus_crop}", equal)
    assert by_default.ruling.margin == pytest.approx(1 / 120)
    few = judged("equivalent: {condition: proposed, than: minus_crop, within: 0.05}", two(90, 90, seeds=5))
    assert few.ruling.verdict == "undecided"


def test_equality_of_two_near_results_on_few_photos_is_open():
    records = [
        make_record(name, seed, 14 + (seed + k) % 2)
        for seed in range(6)
        for k, name in enumerate(("proposed", "minus_crop"))
    ]
    found = judged("equivalent: {condition: proposed, than: minus_crop, within: 0.02}", records)
    assert found.ruling.verdict == "undecided"


def test_earlier_by_some_epochs():
    records = [
        make_record(name, seed, val_accuracies=curve)
        for seed in range(6)
        for name, curve in (("proposed", (0.7,) * 5), ("minus_crop", (0.3, 0.4, 0.5, 0.55, 0.7)))
    ]
    assert judged("earlier: {condition: proposed, than: minus_crop, threshold: 0.6}", records).ruling.verdict == (
        "supported"
    )
    by_ten = judged("earlier: {condition: proposed, than: minus_crop, threshold: 0.6, by: 10}", records)
    assert by_ten.ruling.verdict == "refuted"
    assert "4.0 epochs earlier" in sentence(by_ten.hypothesis.test, by_ten.evidence, by_ten.ruling, "paper")


def test_correction_is_over_the_hypotheses_of_one_protocol():
    tests = "".join(
        f"  - {{name: H{k}, claim: x, better: {{condition: proposed, than: {than}}}}}\n"
        for k, than in enumerate(("minus_crop", "minus_attention", "minus_staging"))
    )
    family = parse_hypotheses("hypotheses:\n" + tests, "")
    records = make_study(6, times=2)
    other = [
        record | {"protocol": "clean", "key": record["key"] + "c"}
        for record in records
        if record["condition"] in ("proposed", "minus_crop")
    ]
    found = judge(family, results_of([*records, *other]), {})
    by_protocol = {(one.hypothesis.name, one.protocol): one.ruling for one in found}
    assert by_protocol["H0", "paper"].p_holm == pytest.approx(3 * by_protocol["H0", "paper"].p_value)
    assert by_protocol["H0", "clean"].p_holm == pytest.approx(by_protocol["H0", "clean"].p_value)


def test_one_seed_has_no_interval_over_seeds_and_no_p():
    found = judged("better: {condition: proposed, than: minus_crop}", two(102, 84, seeds=1))
    assert found.ruling.verdict == "undecided"
    assert math.isnan(found.ruling.p_value)
    assert "no interval from one seed" in sentence(found.hypothesis.test, found.evidence, found.ruling, "paper")
    assert "at least 6 seeds are needed" in reason(found.hypothesis.test, found.evidence, found.ruling)


def test_class_that_one_condition_does_not_know_is_masked_whichever_is_named_first():
    records = []
    for seed in range(2):
        records.append(make_record("proposed", seed, 14))
        known = make_record("plus_rare_class", seed, 14) | {"classes": ["anger", "joy", "sadness", "fear"]}
        true, said = known["labels"]
        records.append(known | {"num_eval": 25, "labels": (true + ["fear"] * 5, said + ["joy"] * 5)})
    for order in (("proposed", "plus_rare_class"), ("plus_rare_class", "proposed")):
        found = judged(f"better: {{condition: {order[0]}, than: {order[1]}}}", records)
        assert (found.evidence.num_photos, found.evidence.mean, found.evidence.masked) == (20, 0.0, ("fear",))


def test_metric_of_a_class_that_both_know():
    found = judged("better: {condition: proposed, than: minus_crop, metric: 'recall:anger'}", two(110, 100))
    assert found.evidence.mean > 0
    assert "recall of anger" in sentence(found.hypothesis.test, found.evidence, found.ruling, "paper")
    nobody = judge(
        parse_hypotheses(file_of("better: {condition: proposed, than: minus_crop, metric: 'recall:fear'}"), ""),
        results_of(two(110, 100)),
        {},
    )
    assert nobody == []


def test_what_cannot_be_tested_is_named():
    why = untested(load_hypotheses(None), results_of([make_record("proposed", 0), make_record("minus_crop", 1)]))
    assert why["A1"] == "its two conditions share no seed under any protocol"
    assert why["A2"] == "no trial of minus_attention is finished"


def test_the_example_file_is_one(request):
    example = request.config.rootpath / "examples" / "hypotheses.yaml"
    assert [one.name for one in load_hypotheses(str(example)).hypotheses] == ["H1", "H2", "H3", "H4"]
