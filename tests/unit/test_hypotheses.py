"""Hypotheses as data: what a file may say, how it is kept, and the verdicts that follow."""

import math

import numpy as np
import pytest

from datasets.errors import UserError
from datasets.folder import Folder
from orchestrator.hypotheses.draws import read_draws, write_draws
from orchestrator.hypotheses.judge import judge, untested
from orchestrator.hypotheses.model import check_classes, load_hypotheses, parse_hypotheses
from orchestrator.hypotheses.registry import HYPOTHESES_FILE, chosen, read_registered, register
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
        ("hypotheses: []", "`hypotheses` should be a list of at least 1 entry, got"),
        ("{hypotheses: [}", "is not valid YAML"),
        ("hypotheses:", "`hypotheses` should be a list, got `None`"),
        ("hypotheses: [{claim: x}]", "`hypothesis 1.name` is missing"),
        ("hypotheses: [7]", "`hypothesis 1` should be a mapping such as"),
        (file_of("better: {condition: proposd, than: minus_crop}"), "should be the name of a condition"),
        (file_of("better: {condition: eca, than: eca}"), "are both eca"),
        (file_of("better: {condition: eca, than: proposed, metric: acuracy}"), "balanced_accuracy"),
        (file_of("better: {condition: eca, than: proposed, by: 2}"), "less than 1"),
        (file_of("better: {condition: eca, than: proposed, more: 2}"), "`H1.better.more` is no key"),
        (file_of("published: supported"), "needs exactly one of better, equivalent, earlier"),
        (file_of("earlier: {condition: eca, than: proposed}"), "`H1.earlier.threshold` is missing"),
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


def test_a_claim_may_be_folded_over_lines():
    found = parse_hypotheses(
        "hypotheses:\n  - name: H1\n    claim: >\n      It helps\n      much\n"
        "    better: {condition: eca, than: proposed}\n",
        "",
    )
    assert found.hypotheses[0].claim == "It helps much"


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


def test_what_was_registered_stays_and_keeps_its_date(tmp_path):
    folder = Folder.at(tmp_path)
    mine = parse_hypotheses(file_of("better: {condition: eca, than: proposed}"), "")
    register(folder, mine, trials_finished=0)
    assert chosen(folder, None) == mine
    assert chosen(folder, "paper") == load_hypotheses(None)
    register(folder, chosen(folder, "paper"), trials_finished=20)
    assert "exploratory" in read_registered(folder).note
    register(folder, mine, trials_finished=20)
    again = read_registered(folder)
    assert (again.hypotheses, again.trials_finished, again.note) == (mine, 0, "")
    assert again.line.endswith("before any trial; 1 other set written down for this run")


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


def test_correction_is_over_all_hypotheses_under_each_protocol():
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
    # H1 and H2 have not been run under clean yet; when they are, what H0 says must not change.
    assert by_protocol["H0", "clean"].p_holm == pytest.approx(3 * by_protocol["H0", "clean"].p_value)


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
    records = [make_record("proposed", 0), make_record("minus_crop", 1), make_record("minus_staging", 0)]
    records += [make_record(name, 0, protocol="clean") for name in ("proposed", "minus_crop")]
    why = untested(load_hypotheses(None), results_of(records), {})
    assert why["A1"] == "protocol paper: its two conditions share no seed"
    assert why["A2"] == "no trial of minus_attention is finished"
    assert why["A3"] == "protocol clean: no trial of minus_staging is finished"


@pytest.mark.parametrize(
    ("metric", "why"),
    [
        ("recall:fear", "fear is no class that both of its conditions know"),
        ("recall:sadness", "sadness has no reported photo, so that its recall is of nothing"),
        ("precision:sadness", "sadness is never answered by one of them, so that its precision is of nothing"),
    ],
)
def test_score_of_nothing_is_no_evidence_of_equality(metric, why):
    labels = ["joy", "joy", "anger"] * 10
    records = [
        make_record(name, seed, 30, true_labels=labels) for seed in range(6) for name in ("proposed", "minus_crop")
    ]
    family = parse_hypotheses(
        file_of(f"equivalent: {{condition: proposed, than: minus_crop, metric: '{metric}', within: 0.1}}"), ""
    )
    assert judge(family, results_of(records), {}) == []
    assert untested(family, results_of(records), {}) == {"H1": why}


def test_class_that_the_photos_lack_is_refused():
    found = parse_hypotheses(file_of("better: {condition: proposed, than: eca, metric: 'recall:joyy'}"), "h.yaml")
    check_classes(load_hypotheses(None), None, ("joy",))
    with pytest.raises(UserError, match=r"h.yaml: the metric recall:joyy of H1 names no class .* joy, sadness"):
        check_classes(found, "h.yaml", ("joy", "sadness"))


def test_few_photos_of_a_class_show_no_equality_of_its_recall():
    """Six seeds that all agree on five photos: one more could have differed."""
    few = ["anger"] * 5 + ["joy"] * 95
    many = ["anger"] * 80 + ["joy"] * 20
    for labels, expected in ((few, "undecided"), (many, "supported")):
        records = [
            make_record(name, seed, 100, true_labels=labels) for seed in range(6) for name in ("proposed", "minus_crop")
        ]
        test = "equivalent: {condition: proposed, than: minus_crop, metric: 'recall:anger', within: 0.1}"
        assert judged(test, records).ruling.verdict == expected


def test_equal_answers_refute_a_gain_and_support_that_nothing_much_is_lost():
    records = [
        make_record(name, seed, 200, true_labels=TRUE_LABELS * 20)
        for seed in range(6)
        for name in ("proposed", "minus_crop")
    ]
    for by, verdict in ((0.05, "refuted"), (-0.05, "supported")):
        found = judged(f"better: {{condition: proposed, than: minus_crop, by: {by}}}", records)
        assert found.ruling.verdict == verdict
    said = sentence(found.hypothesis.test, found.evidence, found.ruling, "paper")
    assert said.endswith("this supports the claim of being at most 5.0 points lower.")


def test_equality_explains_itself_by_its_margin():
    records = [
        make_record(name, seed, 200 + (name == "proposed") * (seed % 2), true_labels=TRUE_LABELS * 20)
        for seed in range(6)
        for name in ("proposed", "minus_crop")
    ]
    found = judged("equivalent: {condition: proposed, than: minus_crop, within: 0.04}", records)
    assert found.ruling.verdict == "supported"
    assert found.ruling.p_seeds == pytest.approx(1 / 2**5)
    assert math.isnan(found.ruling.p_photographs)
    why = reason(found.hypothesis.test, found.evidence, found.ruling)
    assert why.startswith("It holds over other seeds (sign-flip p = 0.031), and over other seeds and photographs")
    assert "(90 % interval" in sentence(found.hypothesis.test, found.evidence, found.ruling, "paper")
    narrow = judged("equivalent: {condition: proposed, than: minus_crop}", records)  # one photo, by default
    assert narrow.ruling.verdict == "undecided"
    assert "state a wider margin" in reason(narrow.hypothesis.test, narrow.evidence, narrow.ruling)


def test_each_seeds_mcnemar_is_of_accuracies_alone():
    records = two(110, 100)
    assert (
        judged("better: {condition: proposed, than: minus_crop, metric: 'recall:anger'}", records).evidence.mcnemar
        == ()
    )
    assert len(judged("better: {condition: proposed, than: minus_crop}", records).evidence.mcnemar) == 6


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ((0.1, 0.2), (0.1, 0.2), "neither “Proposed” nor “Proposed without staged training” ever reached"),
        ((0.1, 0.7), (0.1, 0.2), "“Proposed” reached a validation accuracy of 60 % and “Proposed without staged"),
        ((0.1, 0.7), (0.7, 0.7), "1.0 epochs later than"),
        ((0.7, 0.1), (0.7, 0.7), "in equally many epochs"),
    ],
)
def test_what_never_reached_a_threshold_is_said(first, second, said):
    records = []
    for seed in range(6):
        records.append(make_record("proposed", seed, val_accuracies=first))
        records.append(make_record("minus_staging", seed, val_accuracies=second))
    found = judged("earlier: {condition: proposed, than: minus_staging, threshold: 0.6}", records)
    assert said in sentence(found.hypothesis.test, found.evidence, found.ruling, "paper")


def test_a_fold_that_never_gets_there_does_not_make_its_seed_one():
    """One of five folds never does, the others are much sooner: the seed is sooner, as in the tables of convergence."""
    soon, never, late = (0.1, 0.7) + (0.7,) * 8, (0.1,) * 10, (0.1,) * 8 + (0.7, 0.7)
    records = []
    for seed in range(6):
        for fold in range(5):
            place = {"protocol": "grouped_kfold", "fold": fold, "num_folds": 5}
            first = never if fold == 0 else soon
            records.append(make_record("proposed", seed, val_accuracies=first, key=f"p{seed}{fold}", **place))
            records.append(make_record("minus_staging", seed, val_accuracies=late, key=f"m{seed}{fold}", **place))
    found = judged("earlier: {condition: proposed, than: minus_staging, threshold: 0.6}", records)
    assert found.evidence.mean == pytest.approx((4 * 2 + 11) / 5 - 9)
    assert (found.evidence.censored, found.evidence.trainings) == ((6, 0), (30, 30))
    assert found.ruling.verdict == "supported"


def test_the_example_file_is_one(request):
    example = request.config.rootpath / "examples" / "hypotheses.yaml"
    assert [one.name for one in load_hypotheses(str(example)).hypotheses] == ["H1", "H2", "H3", "H4"]


def test_interval_of_a_difference_is_one_that_a_difference_can_have():
    records = [
        make_record(name, seed, right[seed])
        for seed in range(2)
        for name, right in (("proposed", (4, 19)), ("minus_crop", (3, 3)))
    ]
    found = judged("better: {condition: proposed, than: minus_crop}", records)
    assert found.evidence.spread.bounds()[1] > 1
    assert found.evidence.bounds[1] == 1.0
