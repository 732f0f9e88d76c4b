"""What the plan says a design would show: the assumed spread, an earlier run's, and the smallest gain."""

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from datasets.errors import UserError
from datasets.folder import Folder
from orchestrator.hypotheses.answers import PairedAnswers
from orchestrator.hypotheses.decide import ALPHA, rule
from orchestrator.hypotheses.evidence import weigh
from orchestrator.hypotheses.fit_spread import fit_spread
from orchestrator.hypotheses.model import load_hypotheses
from orchestrator.hypotheses.power_lines import Prospect, assume, num_reported, power_lines, prospects
from orchestrator.ledger import Ledger
from orchestrator.report.results import make_results
from orchestrator.spec import resolve_spec
from orchestrator.statistics.design import AnswerSpread, draw_scores, right_of
from orchestrator.statistics.detectable import smallest_gain, supported
from orchestrator.statistics.needed import POWER
from orchestrator.statistics.scores import Answers, Metric
from orchestrator.study import make_study
from tests.unit.report_fixtures import make_predictions, make_record
from tests.unit.report_fixtures import make_study as make_records

PAPERS = load_hypotheses(None)


def gain_of(spread: AnswerSpread, seeds: int, photos: int, family: int = 4) -> float:
    return smallest_gain(spread, seeds, photos, family=family, alpha=ALPHA, power=POWER).gain


def test_more_of_anything_shows_smaller_gains():
    assumed = AnswerSpread()
    few = gain_of(assumed, 6, 72)
    assert gain_of(assumed, 12, 72) <= few
    assert gain_of(assumed, 6, 400) < few
    assert gain_of(assumed, 6, 72, family=1) < few
    assert gain_of(replace(assumed, seed=0.05), 6, 72) > few
    assert gain_of(replace(assumed, photo=0.2, photo_condition=0.6), 6, 72) > few


def test_nothing_can_be_shown_over_what_is_nearly_perfect():
    assert math.isnan(gain_of(AnswerSpread(accuracy=0.99), 6, 72))


def test_closed_form_rules_as_the_report_does():
    """The plan's fast rule and the verdicts' code, on the same answers of studies near the edge."""
    spread, claim = AnswerSpread(), PAPERS.hypotheses[0].test
    scores = draw_scores(spread, 2, 6, 72, np.random.default_rng(5), 24)
    right = right_of(scores, spread.accuracy, (0.12, 0.0))
    fast = supported(right[:, 0], right[:, 1], level=ALPHA, alpha=ALPHA)

    def answers(right_SP):
        return Answers(np.ones(72, int), right_SP.astype(int), np.arange(72), ("wrong", "right"))

    slow = []
    for first, second in right:
        pair = PairedAnswers(answers(first), answers(second), tuple(range(6)), ())
        slow.append(rule([claim], [weigh(pair, Metric("accuracy"))])[0].verdict == "supported")
    assert 3 < sum(slow) < 21
    assert (fast == np.array(slow)).mean() >= 23 / 24


@pytest.mark.parametrize("truth", [AnswerSpread(), AnswerSpread(0.5, 0.4, 0.2, 0.05)])
def test_spread_of_an_earlier_run_is_found_again(truth):
    """Answers drawn from a stated spread, of many seeds and photos, fitted by moments."""
    seeds, photos = 30, 3000
    right = right_of(draw_scores(truth, 2, seeds, photos, np.random.default_rng(1)), truth.accuracy, (0.0, 0.0))[0]
    records, frames = [], []
    for name, right_SP in zip(("proposed", "minus_crop"), right, strict=True):
        for seed in range(seeds):
            record = make_record(name, seed, 1)
            records.append(record)
            frames.append(answers_of(record, right_SP[seed]))
    results = make_results(records, pd.concat(frames))
    found = fit_spread(results, PAPERS, "paper", {})
    assert found is not None
    assert found.accuracy == pytest.approx(truth.accuracy, abs=0.02)
    assert found.photo == pytest.approx(truth.photo, abs=0.04)
    assert found.photo_condition == pytest.approx(truth.photo_condition, abs=0.04)
    assert found.seed_deviation == pytest.approx(truth.seed_deviation, rel=0.3)


def answers_of(record, right_P) -> pd.DataFrame:
    """Predictions of one trial: `joy` for a photo of joy where it is right, else another class."""
    classes = record["classes"]
    wrong = next(name for name in classes if name != "joy")
    logits = [[float(name == "joy") for name in classes], [float(name == wrong) for name in classes]]
    return pd.DataFrame(
        {
            "photo": [f"{i}.jpg" for i in range(len(right_P))],
            "condition": record["condition"],
            "protocol": record["protocol"],
            "seed": record["seed"],
            "fold": record["fold"],
            "true_label": "joy",
            "predicted_label": np.where(right_P, "joy", wrong),
            "face_found": True,
            "logits": [logits[0] if one else logits[1] for one in right_P],
        }
    )


def test_stated_numbers_win_over_what_facet_assumes():
    plain = assume(None, None, None, PAPERS)[""]
    assert plain.spread == AnswerSpread()
    assert "facet's own assumption" in plain.source
    stated = assume(0.6, 0.03, None, PAPERS)[""]
    assert stated.spread.accuracy == 0.6
    assert stated.spread.seed_deviation == pytest.approx(0.03)
    assert stated.source.startswith("accuracy and spread as stated")
    widest = assume(0.5, 0.179, None, PAPERS)[""].spread  # shares give way, so that the sum stays below one
    assert widest.seed_deviation == pytest.approx(0.179)
    assert widest.photo + widest.photo_condition + widest.seed < 1


@pytest.mark.parametrize(
    ("accuracy", "deviation", "message"),
    [
        (1.0, None, "`--expected-accuracy` lies between 0 and 1, got 1"),
        (70.0, None, "Write 0.7 for 70 %"),
        (None, -0.01, "`--spread` is a standard deviation"),
        (None, 2.0, "Write 0.02 for two points"),
    ],
)
def test_numbers_that_no_accuracy_has_are_refused(accuracy, deviation, message):
    with pytest.raises(UserError, match=message.replace("(", "\\(")):
        assume(accuracy, deviation, None, PAPERS)


def run_folder(path, records) -> str:
    folder = Folder.at(str(path))
    all_of = make_predictions(records)
    for record in records:
        own = all_of["condition"].eq(record["condition"]) & all_of["seed"].eq(record["seed"])
        kept = {**record, "predictions": f"predictions/{record['key']}.parquet"}
        (folder / "ledger").write_text(f"{record['key']}.json", json.dumps(kept))
        (path / "predictions").mkdir(exist_ok=True)
        all_of[own].to_parquet(path / kept["predictions"])
    assert len(Ledger(folder).read_all()) == len(records)
    return str(path)


def test_an_earlier_run_gives_the_spread_by_protocol(tmp_path):
    found = assume(None, None, run_folder(tmp_path / "earlier", make_records(2)), PAPERS)
    assert set(found) == {"", "paper"}
    assert found["paper"].source == "from the run earlier, of 2 seeds: hardly an estimate"
    assert found["paper"].spread != AnswerSpread()
    assert assume(0.5, None, str(tmp_path / "earlier"), PAPERS)["paper"].spread.accuracy == 0.5


def test_a_run_that_tells_nothing_is_refused(tmp_path):
    with pytest.raises(UserError, match="holds no finished trial"):
        assume(None, None, str(tmp_path / "none"), PAPERS)
    with pytest.raises(UserError, match="no two conditions of a hypothesis with two seeds"):
        assume(None, None, run_folder(tmp_path / "one", make_records(1)), PAPERS)


@pytest.fixture
def study(photo_tree, tmp_path, monkeypatch):
    """3 classes of 20 photos, 15 to train on and 5 to test on; one class rare."""
    monkeypatch.chdir(tmp_path)
    folder = photo_tree(
        *(
            f"{side}/{name}/{i}.jpg"
            for side, num in {"Train": 15, "Test": 5}.items()
            for name in ("joy", "sad", "fear")
            for i in range(num)
        )
    )
    flags = {"data": str(folder), "out": "run", "protocols": ("paper", "grouped_kfold"), "seeds": 6}
    return make_study(resolve_spec(None, flags), keep_hashes=False)


def test_reported_photos_are_counted_without_the_rare_class(study):
    assert num_reported(study, "paper") == 10
    assert num_reported(study, "grouped_kfold") == 40


def test_plan_names_the_smallest_gain_or_how_many_seeds_it_takes(study):
    lines = power_lines(study, PAPERS, prospects(study, PAPERS, assume(None, None, None, PAPERS)))
    assert lines["Hypotheses"].startswith("A1, A2, A3 and A4 (the paper's four, ")
    assert "points" in lines["Smallest gain shown (grouped_kfold)"]
    none = Prospect(None, 3, 10, assume(None, None, None, PAPERS)[""])
    assert "3 seeds decide nothing" in none.line()
    assert none.document()["gain"] is None
