"""The numbers of the published study come out of the arithmetic; each check finds its own mistake and no other."""

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar

from orchestrator.paper import load_paper
from orchestrator.paper_check import size_checks
from orchestrator.paper_check.chance import (
    best_of_epochs,
    epoch_spread,
    least_net_difference,
    mcnemar_p,
    smallest_p,
    so_few_right,
    wilson,
)
from orchestrator.paper_check.checks import CHECKS, all_findings, paper_check_findings, run_checks
from orchestrator.paper_check.finding import Finding
from orchestrator.paper_check.from_paper import reported_by
from orchestrator.paper_check.output import document, headline, markdown, terminal_lines
from orchestrator.paper_check.reported import Reported
from orchestrator.printed import load_printed

CONSISTENT = """
title: Invented
counts:
  train: {a: 300, b: 200, c: 100}
  test: {a: 100, b: 60, c: 40}
photos: 800
detection: {photos: 800, faces: 790}
rows:
  plain: {accuracy: 0.60}
  ours: {accuracy: 0.80}
class_scores:
  of: ours
  scores:
    a: {precision: 0.86, recall: 0.90, f1: 0.88}
    b: {precision: 0.75, recall: 0.75, f1: 0.75}
    c: {precision: 0.71, recall: 0.63, f1: 0.67}
confusion:
  of: ours
  classes: [a, b, c]
  counts: [[90, 6, 4], [9, 45, 6], [6, 9, 25]]
convergence:
  threshold: 0.70
  rows:
    plain: {accuracy: 0.60, epoch_to_threshold: 9, minutes: 20.0}
    ours: {accuracy: 0.80, epoch_to_threshold: 5, minutes: 15.0}
  time_reduction: {share: 0.25, of: ours, against: plain}
drops: {of: ours, rows: {plain: 0.20, no b: 0.10}}
seeds: 6
selected_on: held_out
"""
"""200 photos, 160 of them right."""


def study(text: str = CONSISTENT, **changes: Any) -> Reported:
    return Reported.model_validate(load_printed(text) | changes)


def changed(*pairs: tuple[str, str]) -> Reported:
    text = CONSISTENT
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return study(text)


def found(reported: Reported) -> dict[str, Finding]:
    """The first finding of each check."""
    return {finding.id: finding for finding in reversed(all_findings(run_checks(reported)))}


@pytest.fixture(scope="module")
def of_paper() -> dict[str, Finding]:
    return {finding.id: finding for finding in paper_check_findings(load_paper())}


def test_recalls_of_the_paper_give_51_of_72_and_not_56(of_paper):
    finding = of_paper["recalls_over_counts"]
    assert finding.severity == "inconsistent"
    assert finding.numbers == {"right_least": 51, "right_most": 51, "photos": 72, "accuracy": 0.7778}
    assert "1 + 40 + 3 + 5 + 2 = 51 right, 70.8 %" in finding.sentence
    assert "77.78 %, which is 56" in finding.sentence
    assert "fit the row “ECA + MTCNN”: 51 of 75 right, 0 of the 3 photos of fear among them" in finding.sentence


def test_precisions_of_the_paper_imply_73_answers_or_more_for_72_photos(of_paper):
    finding = of_paper["answers_over_photos"]
    assert finding.numbers == {"answers_least": 73, "answers_most": 75, "photos": 72}
    assert "4 to 6 anger + 46 joy + 7 Natural + 8 sadness + 8 surprise = 73 to 75" in finding.sentence


def test_baseline_of_the_paper_is_below_chance_and_majority():
    below, level = (one for one in paper_check_findings(load_paper()) if one.id == "baselines")
    assert "below chance and always answering joy" in below.title
    assert "42 of 75, 56.0 %" in below.sentence
    assert below.numbers["chance"] == pytest.approx(1 / 6)
    assert below.numbers["probability_of_guesser"] == pytest.approx(stats.binomtest(10, 75, 1 / 6, "less").pvalue)
    assert level.numbers["rows"] == ["Logit-adjusted focal loss", "Landmark fusion", "ECA attention"]


def test_threshold_of_the_paper_is_two_or_three_photos_above_the_majority(of_paper):
    assert of_paper["threshold"].numbers["photos_above"] == {"ECA + MTCNN": 3, "Proposed": 2}
    assert "44 of 72 photos right, or with 43 where 59.7 % was read as 0.60" in of_paper["threshold"].sentence
    assert "alone gives 42 (58.3 %)" in of_paper["threshold"].sentence


def test_drops_of_the_paper_below_six_photos_show_nothing(of_paper):
    finding = of_paper["drops"]
    assert set(finding.numbers["drops"].values()) == {0.062, 0.041}
    assert finding.numbers["least_photos"] == 6
    assert "6 photos on, 8.3 points" in finding.sentence
    assert "8 against 1: p 0.039; 9 against 2: p 0.065" in finding.sentence
    photos = of_paper["drop_photos"].numbers
    assert list(photos["drops_in_photos"].values()) == [7.056, 4.464, 2.952]
    assert photos["impossible"] == ["Proposed without channel attention", "Proposed without staged training"]
    assert (
        "9.8 points are the difference between “Proposed” (56 of 72) and “ECA + MTCNN”"
        in of_paper["drop_photos"].sentence
    )


def test_other_weak_points_of_the_paper(of_paper):
    assert of_paper["whole_photos"].severity == "weak"  # the paper prints ~0.14
    assert of_paper["whole_photos"].numbers["nearest"] == [10, 11]
    assert "42 of 72, 58.3 %" in of_paper["class_sets"].sentence
    assert "48 to 51 of 72, 66.7 % to 70.8 %" in of_paper["class_sets"].sentence
    assert of_paper["seeds"].numbers == {"seeds": 1, "smallest_p": 1.0}
    assert "0.25 for 3 seeds, 0.0625 for 5 seeds and 0.03125 for 6 seeds" in of_paper["seeds"].sentence
    assert of_paper["epoch_choice"].numbers["epoch_spread"] == pytest.approx(math.sqrt(7 / 9 * 2 / 9 / 72), rel=1e-3)
    assert of_paper["differences"].numbers["best"] == "ECA + MTCNN"


def test_what_is_in_order_in_the_paper_is_no_finding(of_paper):
    in_order = {"each_class", "same_accuracy", "time_reduction", "photo_counts"}
    outcomes = {one.check.id: one for one in run_checks(reported_by(load_paper()))}
    assert all(outcomes[name].made for name in in_order)
    assert not in_order & of_paper.keys()
    assert [name for name, one in outcomes.items() if not one.made] == ["confusion", "drop_rows"]


def test_consistent_study_passes_every_check():
    checked = run_checks(study())
    assert all(one.made for one in checked)
    assert all_findings(checked) == []
    assert headline(checked) == f"{len(CHECKS)} checks: 0 findings."


@pytest.mark.parametrize(
    ("old", "new", "check", "words"),
    [
        ("recall: 0.90, f1: 0.88", "recall: 0.80, f1: 0.83", "recalls_over_counts", "80 + 45 + 25 = 150 right, 75.0 %"),
        (
            "precision: 0.86, recall: 0.90, f1: 0.88",
            "precision: 0.60, recall: 0.90, f1: 0.72",
            "answers_over_photos",
            "",
        ),
        ("recall: 0.63, f1: 0.67", "recall: 0.64, f1: 0.67", "each_class", "25 of 40 is 0.6250 and 26 of 40 is 0.6500"),
        ("recall: 0.75, f1: 0.75", "recall: 0.75, f1: 0.77", "each_class", "2 x 45 / (60 + 60) = 0.7500, and not 0.77"),
        (
            "precision: 0.71, recall: 0.63",
            "precision: 0.02, recall: 0.63",
            "each_class",
            "0.1351 or more, and not 0.02",
        ),
        ("precision: 0.71, recall: 0.63, f1: 0.67", "precision: 0.71, recall: 0.00", "each_class", "no photo right"),
        ("[6, 9, 25]", "[6, 10, 25]", "confusion", "adds up to 41"),
        ("[90, 6, 4]", "[85, 11, 4]", "confusion", "155 of 200 photos, 77.5 %"),
        ("plain: {accuracy: 0.60}", "plain: {accuracy: 0.6031}", "whole_photos", "120 of 200 is 60.00 % and 121"),
        ("no b: 0.10", "no b: 0.1019", "drop_photos", "20 being 10.00 points and 21 being 10.50 points"),
        ("plain: 0.20", "plain: 0.35", "drop_rows", "a drop of 20.0 points. 35.0 points are reported"),
        ("accuracy: 0.60, epoch", "accuracy: 0.62, epoch", "same_accuracy", "60 % in `rows` and 62 %"),
        ("share: 0.25", "share: 0.31", "time_reduction", "1 - 15.0 / 20.0 = 25.00 %"),
        ("photos: 800\ndetection", "photos: 801\ndetection", "photo_counts", "600 (train) + 200 (test) = 800"),
        ("faces: 790", "faces: 900", "photo_counts", "900 photos with a face"),
        ("plain: {accuracy: 0.60}", "plain: {accuracy: 0.60, photos: 300}", "photo_counts", "scored on 300 photos"),
        ("plain: {accuracy: 0.60}", "plain: {accuracy: 0.28}", "baselines", "guessing among 3 classes has 33.3 %"),
        ("threshold: 0.70", "threshold: 0.52", "threshold", "104 of 200 photos"),
        ("threshold: 0.70", "threshold: 0.45", "threshold", "90 of 200 photos"),
        ("selected_on: held_out", "selected_on: reported\nepochs: 12", "epoch_choice", "The best of 12 epochs would"),
        ("selected_on: held_out", "selected_on: unknown", "epoch_choice", "If it was chosen on the reported photos"),
        ("plain: {accuracy: 0.60}", "plain: {accuracy: 0.60, without: [c]}", "class_sets", "100 of 160, 62.5 %"),
        ("plain: {accuracy: 0.60}", "plain: {accuracy: 0.79}", "differences", "less than 6 photos"),
        ("no b: 0.10", "no b: 0.02", "drops", "2.0 points (“no b”) are 4.0 photos"),
        ("seeds: 6", "seeds: 5", "seeds", "0.0625 for 5 seeds"),
    ],
)
def test_each_mistake_is_found_by_its_check(old, new, check, words):
    findings = found(changed((old, new)))
    assert check in findings
    assert words in findings[check].sentence
    assert findings[check].sentence.endswith(".")


def test_digits_that_were_cut_off_are_weak_and_said_to_be():
    """17 of 22 is 0.7727: cut off it is 0.772, which no whole number rounds to."""
    text = "counts: {test: {a: 12, b: 10}}\nrows: {r: {accuracy: %s}}"
    finding = found(study(text % "0.772"))["whole_photos"]
    assert finding.severity == "weak"
    assert finding.sentence.endswith("and not rounded to the nearest, would explain it.")
    assert found(study(text % "0.771"))["whole_photos"].severity == "inconsistent"
    assert "whole_photos" not in found(study(text % "0.773"))
    cut = changed(("precision: 0.86, recall: 0.90, f1: 0.88", "precision: 0.85, recall: 0.90, f1: 0.87"))
    assert found(cut)["confusion"].severity == "weak"  # 90 of 105 are 0.857
    assert found(changed(("share: 0.25", "share: 0.24")))["time_reduction"].severity == "weak"
    assert found(changed(("share: 0.25", "share: 0.31")))["time_reduction"].severity == "inconsistent"


def test_inconsistencies_of_the_paper_do_not_depend_on_how_it_rounded(of_paper):
    wrong = {name for name, finding in of_paper.items() if finding.severity == "inconsistent"}
    assert wrong == {"recalls_over_counts", "answers_over_photos", "drop_photos"}


def test_drop_is_in_photos_in_points_or_as_a_share_or_of_rounded_accuracies():
    """80 of 200 photos are right."""
    text = "counts: {test: {a: 100, b: 100}}\nrows: {r: {accuracy: 0.400}}\ndrops: {of: r, rows: {part: %s}}"
    # 7 photos are 3.5 points; 7 of the 80 right are 8.75 %; 0.40 - 0.345 read as 0.34 is 0.06, and 0.055 is 11 photos
    severity = {
        drop: found(study(text % drop)).get("drop_photos") for drop in ("0.035", "0.0875", "0.0375", "0.0374", "0.0371")
    }
    assert {drop: finding and finding.severity for drop, finding in severity.items()} == {
        "0.035": None,
        "0.0875": None,
        "0.0375": None,
        "0.0374": "weak",
        "0.0371": "inconsistent",
    }


def test_drops_are_all_points_or_all_shares():
    """13 of 72 are 18.06 points and 7 of 56 are 12.5 %; neither is the other's."""
    text = "counts: {test: {a: 30, b: 42}}\nrows: {r: {accuracy: 0.7778}}\ndrops: {of: r, rows: {%s}}"
    assert "drop_photos" not in found(study(text % "x: 0.1806"))
    assert "drop_photos" not in found(study(text % "y: 0.1607"))
    assert found(study(text % "x: 0.1806, y: 0.1607"))["drop_photos"].severity == "inconsistent"


def test_large_drop_beside_a_small_one():
    finding = found(changed(("no b: 0.10", "no b: 0.02"), ("plain: 0.20", "plain: 0.80")))["drops"]
    assert "Even" not in finding.sentence
    text = "counts: {test: {a: 12, b: 8}}\nrows: {r: {accuracy: 0.90}}\ndrops: {of: r, rows: {x: 0.05, y: %s}}"
    assert "Even" not in found(study(text % "0.60"))["drops"].sentence  # 12 and 4 against 4 are all photos
    assert "no more than 0 changed" in found(study(text % "0.30"))["drops"].sentence


def test_drop_of_few_digits_is_read_in_the_favour_of_the_study():
    text = "counts: {test: {a: 25, b: 25}}\nrows: {r: {accuracy: 0.90}}\ndrops: {of: r, rows: {part: %s}}"
    assert {drop: "drops" in found(study(text % drop)) for drop in ("0.1", "0.10", "0.12")} == {
        "0.1": False,
        "0.10": True,
        "0.12": False,
    }


def test_scores_without_counts_are_still_held_against_their_mean():
    text = "rows: {r: {accuracy: 0.7}}\nclass_scores: {of: r, scores: {a: {precision: 0.50, recall: 0.70, f1: 0.60}}}"
    assert "lies between 0.5782 and 0.5885" in found(study(text))["each_class"].sentence


def test_digits_decide_what_is_inconsistent():
    """7 of 9 is 0.778: of 0.8 nothing can be said, of 0.77 all."""
    text = "counts: {test: {a: 5, b: 4}}\nrows: {r: {accuracy: %s}}"
    assert {value: "whole_photos" in found(study(text % value)) for value in ("0.8", "0.78", "0.77", "0.7778")} == {
        "0.8": False,
        "0.78": False,
        "0.77": True,
        "0.7778": False,
    }


def test_photos_left_out_make_class_counts_useless_but_not_the_number_of_photos():
    reported = changed(("ours: {accuracy: 0.80}", "ours: {accuracy: 0.80, photos: 190}"))
    outcomes = {one.check.id: one for one in run_checks(reported)}
    assert not outcomes["recalls_over_counts"].made
    assert outcomes["whole_photos"].made
    assert reported.photos_of("ours") == 190


def test_check_that_lacks_a_field_names_it():
    checked = run_checks(study("counts: {test: {a: 50, b: 50}}\nrows: {r: {accuracy: 0.90}}"))
    lines = terminal_lines(study("title: T"), checked)
    assert "- there are enough seeds that a test could show a difference: needs `seeds`" in lines
    assert "- each accuracy can be a whole number of photos" in lines
    assert headline(checked).startswith("2 checks: 0 findings; ")


def test_what_is_in_order_is_not_called_more_than_chance():
    lines = "\n".join(terminal_lines(study(), run_checks(study())))
    in_order = lines.partition("In order:")[2]
    assert "differences of rows are large enough that a test could show them" in in_order
    assert "more than chance" not in in_order


def test_many_photos_ask_for_few_mcnemar_tests(monkeypatch):
    asked = []
    monkeypatch.setattr(size_checks, "mcnemar_p", lambda *pair: asked.append(pair) or mcnemar_p(*pair))
    text = "counts: {t: {a: 1_000_000}}\nrows: {r: {accuracy: 0.78}}\ndrops: {of: r, rows: {x: 0.000001, y: 0.05}}"
    assert len(size_checks.drops(study(text))) == 1
    assert 0 < len(asked) < 100


def test_photos_that_may_change_the_other_way_are_the_most_that_stay_significant():
    sentence = found(changed(("no b: 0.10", "no b: 0.02"), ("plain: 0.20, no", "plain: 0.05, no")))["drops"].sentence
    lost = next(count for count in range(95) if mcnemar([[0, 11 + count], [count + 1, 0]], exact=True).pvalue >= 0.05)
    assert f"no more than {lost} changed the other way" in sentence


def test_all_three_outputs_say_the_same():
    reported = reported_by(load_paper())
    checked = run_checks(reported)
    findings = all_findings(checked)
    page, plain, terminal = markdown(reported, checked), document(reported, checked), terminal_lines(reported, checked)
    words = " ".join(" ".join(terminal).split())
    for place, finding in enumerate(findings):
        assert finding.sentence in page
        assert finding.sentence in words
        assert plain["findings"][place]["sentence"] == finding.sentence
    assert max(map(len, terminal)) <= 110
    assert [one["id"] for one in plain["checks"]] == [check.id for check in CHECKS]


def test_statistics_are_those_of_scipy_and_statsmodels():
    assert least_net_difference() == 6
    assert mcnemar([[0, 6], [0, 0]], exact=True).pvalue < 0.05 <= mcnemar([[0, 5], [0, 0]], exact=True).pvalue
    assert [smallest_p(count) for count in (1, 3, 5, 6)] == [
        1.0,
        *(stats.wilcoxon(range(1, count + 1), method="exact").pvalue for count in (3, 5, 6)),
    ]
    bounds = stats.binomtest(56, 72).proportion_ci(method="wilson")
    assert wilson(56, 72) == pytest.approx((bounds.low, bounds.high))
    assert [round(100 * bound, 1) for bound in wilson(56, 72)] == [66.9, 85.8]
    assert so_few_right(10, 75, 1 / 6) == pytest.approx(sum(stats.binom.pmf(range(11), 75, 1 / 6)))


def test_best_of_epochs_is_what_drawing_them_gives():
    drawn = np.random.default_rng(0).binomial(72, 0.7778, size=(200_000, 6)) / 72
    assert best_of_epochs(0.7778, 72, 6) == pytest.approx(drawn.max(axis=1).mean(), abs=5e-4)
    assert best_of_epochs(0.7778, 72, 1) == pytest.approx(0.7778)
    assert epoch_spread(0.7778, 72) == pytest.approx(drawn.std(), rel=5e-3)
    assert best_of_epochs(1.0, 72, 50) == 1.0


def test_findings_of_the_paper_are_the_same_every_time():
    assert paper_check_findings(load_paper()) == paper_check_findings(load_paper())
