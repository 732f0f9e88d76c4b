"""`facet compare`: what it pairs, what it calls higher or lower, what it writes, and what it refuses."""

import json
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from datasets.errors import UserError
from orchestrator.cli import main
from orchestrator.compare.claims import agreement
from orchestrator.compare.command import columns_readme, compare_folders
from orchestrator.compare.comparison import compare
from orchestrator.compare.figure import draw_differences
from orchestrator.compare.gap import Gap, of_independent, of_values
from orchestrator.compare.page import render_both
from orchestrator.compare.runs import read_pair
from orchestrator.compare.shared import joined_draws
from orchestrator.exit_codes import EXIT_OK, EXIT_USER
from orchestrator.hypotheses.judge import judge
from orchestrator.hypotheses.model import parse_hypotheses
from orchestrator.report.verdicts import evidence_rows, table5_rows
from orchestrator.statistics.crossed import Spread
from orchestrator.statistics.scores import Answers, Metric, compare_answers
from tests.unit.compare_fixtures import labels, trials, write_run
from tests.unit.report_fixtures import results_of
from tests.unit.test_report_page import Page


@pytest.fixture
def pair(tmp_path):
    """Writes two runs and compares them."""

    def both(first, second, a=None, b=None):
        paths = [write_run(tmp_path / name, records, **more or {}) for name, records, more in
                 (("before", first, a), ("after", second, b))]  # fmt: skip
        return compare(read_pair(*paths))

    return both


def row_of(comparison, name="compare_conditions", **where):
    table = comparison.tables[name]
    for column, value in where.items():
        table = table[table[column] == value]
    assert len(table) == 1, table
    return table.iloc[0]


def rendered(comparison):
    """comparison.html and comparison.md."""
    texts = render_both(comparison, draw_differences(comparison.tables["compare_conditions"]))
    return texts["comparison.html"], texts["comparison.md"]


def test_same_photos_are_compared_photo_by_photo(pair):
    found = pair(trials(70), trials(84), b={"backbone": "efficientnet_b0"})
    assert found.kind == "The same photos, another backbone (tf_efficientnet_lite0 in A, efficientnet_b0 in B)."
    row = row_of(found, metric="accuracy")
    assert row["basis"] == "paired"
    assert row["difference_mean"] == pytest.approx(14 / 120)
    assert row["difference_mean"] == pytest.approx(row["b_mean"] - row["a_mean"])
    assert row["verdict"] == "higher"
    assert row["p_seeds"] == pytest.approx(2 / 2**6)
    assert row_of(pair(trials(84), trials(70)), metric="accuracy")["verdict"] == "lower"


def test_five_seeds_decide_nothing(pair):
    row = row_of(pair(trials(20, 5), trials(110, 5)), metric="accuracy")
    assert row["verdict"] == "undecided"
    assert "at least 6 are needed" in row["reason"]


def test_one_photo_decides_nothing_however_the_seeds_agree(pair):
    row = row_of(pair(trials(70), trials(71)), metric="accuracy")
    assert row["p_seeds"] < 0.05
    assert row["verdict"] == "undecided"


def test_seeds_that_do_not_agree_decide_nothing(pair):
    after = [trials(right)[seed] for seed, right in enumerate((70, 120, 119, 120, 119, 60))]
    row = row_of(pair(trials(70), after), metric="accuracy")
    assert row["verdict"] == "undecided"


def test_other_photos_are_not_paired_and_their_errors_add_up(pair):
    paired = row_of(pair(trials(60), trials(90)), metric="accuracy")
    found = pair(trials(60), trials(90), b={"photo": "other/{}.png", "fingerprint": "others"})
    row = row_of(found, metric="accuracy")
    assert found.kind == "Other photos, the same recipe."
    assert row["basis"] == "independent"
    assert row["difference_mean"] == pytest.approx(paired["difference_mean"])
    assert row["difference_high"] - row["difference_low"] > paired["difference_high"] - paired["difference_low"]
    assert math.isnan(row["p_seeds"])
    assert row["verdict"] == "higher"
    assert any("easier in one run" in note for note in found.notes)


def test_photos_of_one_path_but_another_size_are_other_photos(pair):
    found = pair(trials(60), trials(90), b={"width": 640, "fingerprint": "others"})
    assert found.kind.startswith("Other photos")
    assert row_of(found, metric="accuracy")["basis"] == "independent"


def test_another_image_size_leaves_the_photos_the_same(pair):
    found = pair(trials(60), trials(90), b={"image_size": 224, "fingerprint": "others"})
    assert found.kind == "The same photos, another image size (64 in A, 224 in B)."
    assert row_of(found, metric="accuracy")["basis"] == "paired"


def test_photos_with_another_label_are_left_out(pair):
    changed = labels()
    changed[:6] = ["joy"] * 6
    found = pair(trials(60), trials(60, true_labels=changed))
    assert row_of(found, metric="accuracy")["photos_a"] == 120 - 2


def test_no_shared_seed_is_not_paired(pair):
    found = pair(trials(60, 12)[:6], trials(90, 12)[6:])
    assert row_of(found, metric="accuracy")["basis"] == "independent"


def test_class_that_one_run_alone_knows_is_masked(pair):
    wide = trials(90, classes=("anger", "joy", "sadness", "fear"), true_labels=[*labels(), *["fear"] * 12])
    found = pair(trials(60), wide)
    row = row_of(found, metric="accuracy")
    assert (row["classes"], row["masked"], row["photos_b"]) == (3, "fear", 120)
    assert any("fear" in note for note in found.notes)


def test_classes_are_the_same_whatever_their_case(pair):
    upper = trials(60, classes=("Anger", "JOY", "Sadness"), true_labels=[
        {"joy": "JOY"}.get(name, name.capitalize()) for name in labels()
    ])  # fmt: skip
    row = row_of(pair(trials(60), upper), metric="macro_f1")
    assert (row["basis"], row["classes"], row["masked"]) == ("paired", 3, "")
    assert row["difference_mean"] == pytest.approx(0)


def test_no_common_class_is_not_compared(pair):
    other = trials(60, classes=("a", "joy"), true_labels=["a", "joy"] * 60)
    found = pair(trials(60), other)
    assert set(found.tables["compare_conditions"]["verdict"]) == {"not compared"}
    assert not any(re.search(r"\bnan\b", text) for text in rendered(found))


def test_p_is_corrected_over_conditions(pair):
    names = ("proposed", "eca", "minus_crop")
    before, after = trials(70, conditions=names), trials(70, conditions=names[1:]) + trials(84)
    table = pair(before, after).tables["compare_conditions"]
    mine = table[table["metric"] == "accuracy"].set_index("condition")
    assert mine.loc["proposed", "p_holm"] == pytest.approx(3 * mine.loc["proposed", "p_value"])
    assert mine["verdict"].to_dict() == {"proposed": "higher", "eca": "undecided", "minus_crop": "undecided"}


def test_verdicts_stand_side_by_side(pair):
    names = ("proposed", "minus_crop")
    before = trials(70, conditions=names)
    after = trials(100) + trials(70, conditions=names[1:])
    found = pair(before, after)
    row = row_of(found, "compare_verdicts", assumption="A1")
    assert (row["verdict_a"], row["verdict_b"], row["agreement"]) == ("undecided", "supported", "supported in B alone")
    assert any(line.startswith("A1 (paper)") for line in found.changed)


def test_hypotheses_of_one_name_that_say_other_things_are_not_one(pair):
    mine, theirs = (
        parse_hypotheses(
            f"hypotheses: [{{name: H, claim: It helps, better: {{condition: proposed, than: eca, by: {by}}}}}]", ""
        )
        for by in (0, 0.1)
    )
    both = trials(100) + trials(70, conditions=("eca",))
    rows = pair(both, both, {"hypotheses": mine}, {"hypotheses": theirs}).tables["compare_verdicts"]
    assert rows["verdict_a"].tolist() == ["supported", "not claimed"]
    assert rows["verdict_b"].tolist() == ["not claimed", "supported"]
    assert rows["agreement"].tolist() == ["", ""]


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        ("supported", "supported", "both supported"),
        ("undecided", "refuted", "refuted in B alone"),
        ("supported", "undecided", "supported in A alone"),
        ("supported", "refuted", "A supported, B refuted"),
        ("supported", "not tested", ""),
    ],
)
def test_what_two_verdicts_are_together(first, second, together):
    assert agreement(first, second) == together


def test_change_of_a_drop_is_taken_photo_by_photo(pair):
    less = ("minus_crop",)
    found = pair(trials(80) + trials(70, conditions=less), trials(100) + trials(60, conditions=less))
    row = row_of(found, "compare_components", condition="minus_crop")
    assert row["a_mean"] == pytest.approx(10 / 120)
    assert row["b_mean"] == pytest.approx(40 / 120)
    assert row["change_mean"] == pytest.approx(30 / 120)
    assert (row["basis"], row["p_value"] < 0.05) == ("paired", True)
    apart = pair(trials(80) + trials(70, conditions=less), trials(100) + trials(60, conditions=less),
                 b={"photo": "o/{}", "fingerprint": "o"})  # fmt: skip
    other = row_of(apart, "compare_components", condition="minus_crop")
    assert other["basis"] == "independent"
    assert other["change_mean"] == pytest.approx(row["change_mean"])


def test_things_that_differ_at_once_are_counted(pair):
    found = pair(trials(60), trials(60), b={"epochs": 30, "backbone": "efficientnet_b0"})
    assert found.kind.endswith("efficientnet_b0 in B) and another recipe (epochs).")
    assert any(note.startswith("2 things differ at once") for note in found.notes)
    settings = found.tables["compare_settings"]
    assert set(settings[settings["differs"] == "yes"]["field"]) == {"backbone", "epochs"}


def test_same_study_with_other_seeds_is_told(pair):
    assert pair(trials(60, 3), trials(60, 6)).kind.startswith("The same study, other seeds (0 to 2 in A, 0 to 5 in B)")


def test_unfinished_run_is_compared_and_named(pair):
    found = pair(trials(60), trials(60), b={"planned": 9})
    assert "B is not finished: 6 of 9 trials. Its numbers are provisional." in found.notes


def test_page_is_whole_and_names_no_path(pair):
    found = pair(trials(60, conditions=("proposed", "minus_crop")), trials(90), b={"photo": "x/{}", "data": "<b>"})
    page, text = rendered(found)
    read = Page(page)
    assert read.open == []
    assert all(link.startswith(("data:image/svg+xml;base64,", "#")) for link in read.links)
    assert {link[1:] for link in read.links if link.startswith("#")} <= set(re.findall(r'id="([^"]+)"', page))
    assert "default-src &#39;none&#39;" in page
    assert "<b>" not in page
    assert "<b>" not in text
    for written in (page, text, *(table.to_csv() for table in found.tables.values())):
        assert "/home/me" not in written
        assert not re.search(r"\b(nan|None|inf)\b", re.sub(r"base64,[^\"]*", "", written))


def test_runs_are_only_read_and_the_same_runs_give_the_same_bytes(tmp_path, capsys):
    paths = [write_run(tmp_path / name, trials(right)) for name, right in (("a", 60), ("b", 70))]
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert main(["compare", *paths]) == EXIT_OK
    said = capsys.readouterr().out
    assert "Proposed" in said
    assert "compare-a-b/comparison.html" in said
    assert all(path.read_bytes() == content for path, content in before.items())
    made = {path.relative_to(tmp_path): path.read_bytes() for path in (tmp_path / "compare-a-b").rglob("*.*")}
    assert {path.name for path in made} >= {"comparison.html", "comparison.md", "compare_conditions.csv", "README.md"}
    assert set(before) == {path for path in tmp_path.rglob("*") if path.is_file() and "compare-a-b" not in path.parts}
    compare_folders(*paths, None)
    assert {path.relative_to(tmp_path): path.read_bytes() for path in (tmp_path / "compare-a-b").rglob("*.*")} == made
    frame = pd.read_csv(tmp_path / "compare-a-b/tables/compare_conditions.csv")
    assert all(f"`{column}`: " in columns_readme() for column in frame.columns)


def test_a_run_against_itself_differs_by_nothing(tmp_path, capsys):
    run = write_run(tmp_path / "run", trials(80, conditions=("proposed",)) + trials(60, conditions=("minus_crop",)))
    assert main(["compare", run, run, "--out", str(tmp_path / "out")]) == EXIT_OK
    said = capsys.readouterr().out
    assert "The same study twice." in said
    assert "every difference is 0" in said
    table = {name: pd.read_csv(tmp_path / f"out/tables/compare_{name}.csv") for name in
             ("conditions", "components", "settings", "verdicts")}  # fmt: skip
    assert set(table["conditions"]["difference_mean"]) == {0.0}
    assert set(table["conditions"]["p_value"]) == {1.0}
    assert set(table["conditions"]["verdict"]) == {"undecided"}
    assert set(table["components"]["change_mean"].dropna()) == {0.0}
    assert set(table["settings"]["differs"]) == {"no"}
    assert set(table["verdicts"]["agreement"].dropna()) <= {"both supported", "both undecided", "both refuted"}


def test_runs_without_a_common_condition_are_told_apart_by_what_they_were(pair):
    found = pair(trials(60), trials(60, protocol="clean", conditions=("eca",)), b={"backbone": "efficientnet_b0"})
    assert len(found.tables["compare_conditions"]) == 0
    assert "nothing to compare" in found.headlines[0]
    measured = found.tables["compare_measured"]
    assert list(zip(measured["condition"], measured["protocol"], strict=True)) == [
        ("proposed", "paper"),
        ("eca", "clean"),
    ]
    assert measured["seeds_a"].tolist() == [6, 0]
    page, text = rendered(found)
    assert "another backbone" in page
    assert "no condition under the same protocol in common" in text
    assert not any(re.search(r"\b(nan|None)\b", written) for written in (page, text))


def refusal(capsys, *arguments):
    assert main(["compare", *arguments]) == EXIT_USER
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    return said.err


def test_what_cannot_be_compared_is_refused_in_a_sentence(tmp_path, capsys):
    run, other = (write_run(tmp_path / name, trials(60, 1)) for name in ("a", "b"))
    (tmp_path / "link").symlink_to(run)
    torn = write_run(tmp_path / "torn", trials(60, 1))
    Path(torn, "study.json").write_text('{"preset": ')
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("years of work")
    empty = write_run(tmp_path / "empty", [], planned=3)
    assert "RUN_B" in refusal(capsys, run, str(tmp_path / "none"))
    assert "holds no run" in refusal(capsys, str(tmp_path / "full"), run)
    assert "is damaged" in refusal(capsys, run, torn)
    assert "no finished condition yet (0 of 3 trials)" in refusal(capsys, run, empty)
    assert "which is only read" in refusal(capsys, run, other, "--out", f"{run}/tables")
    assert "which is only read" in refusal(capsys, run, other, "--out", str(tmp_path / "link" / "x"))
    assert "is a file" in refusal(capsys, run, other, "--out", str(tmp_path / "full" / "thesis.txt"))
    assert "is not empty and holds no comparison" in refusal(capsys, run, other, "--out", str(tmp_path / "full"))
    Path(other, "predictions/b0.parquet").unlink()
    assert "RUN_B" in refusal(capsys, run, other)
    assert not list(tmp_path.rglob("comparison.html"))


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("spec.yaml", "{a: ["),
        ("plan.json", "[]"),
        ("photos.csv", "x,y\n1,2\n"),
        ("hypotheses.json", '[{"sha256": "0"}]'),
        ("predictions/a0.parquet", "x"),
        ("ledger/a0.json", "{}"),
    ],
)
def test_damaged_folder_is_refused_in_a_sentence(tmp_path, capsys, file, content):
    run, other = (write_run(tmp_path / name, trials(60, 1)) for name in ("a", "b"))
    assert Path(run, file).exists()
    Path(run, file).write_text(content)
    assert "RUN_A" in refusal(capsys, run, other, "--out", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_older_folder_is_refused(tmp_path):
    run, other = (write_run(tmp_path / name, trials(60, 1)) for name in ("a", "b"))
    plan = json.loads(Path(run, "plan.json").read_text())
    Path(run, "plan.json").write_text(json.dumps({"keys": plan["keys"]}))
    with pytest.raises(UserError, match=r"RUN_A .* older version"):
        read_pair(run, other)


def test_independent_means_equal_welchs_t_test():
    rng = np.random.default_rng(3)
    first, second = rng.normal(0.6, 0.02, 7), rng.normal(0.63, 0.05, 9)
    spreads = [Spread(float(x.mean()), x.var(ddof=1) / len(x), 0.0, 0.0, len(x), 10**6) for x in (first, second)]
    gap, scipys = of_independent(*spreads), stats.ttest_ind(second, first, equal_var=False)
    assert gap.p_value == pytest.approx(scipys.pvalue)
    assert gap.degrees == pytest.approx(scipys.df)
    assert gap.bounds == pytest.approx(tuple(scipys.confidence_interval(0.95)))


def test_values_a_photo_equal_the_comparison_of_answers():
    rng = np.random.default_rng(0)
    truth, cluster = np.zeros(60, int), np.arange(60) // 2
    answers = [Answers(truth, rng.integers(0, 2, (6, 60)), cluster, ("x", "y")) for _ in range(2)]
    known = compare_answers(*answers, Metric("accuracy")).spread
    gap = of_values(answers[0].right_SP.astype(float) - answers[1].right_SP, cluster)
    assert gap.mean == pytest.approx(known.mean, abs=1e-6)
    assert gap.variance == pytest.approx(known.variance, rel=1e-4)


def test_draws_of_two_runs_are_joined_through_common_photos():
    joined = joined_draws({"b": "a", "d": "d"}, {"c": "b", "y": "x"})
    assert joined["a"] == joined["b"] == joined["c"]
    assert joined["x"] == joined["y"] != joined["a"]
    assert joined["d"] == "d"


def noisy(number, share, conditions=("proposed",), seeds=8):
    """Each photo is right with a chance of its own around `share`, which each seed moves a little."""
    rng, truth = np.random.default_rng(number), labels()
    wrong = {"anger": "joy", "joy": "sadness", "sadness": "anger"}
    chance_P = share + rng.normal(0, 0.25, len(truth))
    records = trials(0, seeds, conditions)
    for record in records:
        right_P = rng.random(len(truth)) < chance_P + rng.normal(0, 0.06)
        answers = [name if right else wrong[name] for name, right in zip(truth, right_P, strict=True)]
        record |= {"labels": (truth, answers), "metrics": record["metrics"] | {"accuracy": float(right_P.mean())}}
    return records


def right_of(records):
    """(S, P) float."""
    return np.array([np.equal(*map(np.array, record["labels"])) for record in records], float)


def mean_squares(right_SP):
    """The variance of the grand mean and its degrees of freedom: two-way analysis of variance, both factors random."""
    num_S, num_P = right_SP.shape
    of_S, of_P = right_SP.mean(axis=1, keepdims=True), right_SP.mean(axis=0, keepdims=True)
    rest = ((right_SP - of_S - of_P + right_SP.mean()) ** 2).sum() / ((num_S - 1) * (num_P - 1))
    parts = np.array([num_P * of_S.var(ddof=1), num_S * of_P.var(ddof=1), -rest]) / right_SP.size
    degrees = np.array([num_S - 1, num_P - 1, (num_S - 1) * (num_P - 1)])
    return parts.sum(), parts.sum() ** 2 / (parts**2 / degrees).sum()


def test_independent_rows_equal_welchs_t_test_on_variances_from_mean_squares(pair):
    first, second = noisy(1, 0.5), noisy(2, 0.62, seeds=12)
    row = row_of(pair(first, second, b={"photo": "other/{}.png", "fingerprint": "others"}), metric="accuracy")
    sides, terms = [], []
    for records in (second, first):
        variance, degrees = mean_squares(right_of(records))
        # scipy takes a standard deviation and a number of values: those that give this variance and these degrees.
        sides += [right_of(records).mean(), math.sqrt(variance * (degrees + 1)), degrees + 1]
        terms.append((variance, degrees))
    known = stats.ttest_ind_from_stats(*sides, equal_var=False)
    error = math.sqrt(sum(variance for variance, _ in terms))
    degrees = error**4 / sum(variance**2 / of for variance, of in terms)
    assert row["basis"] == "independent"
    assert row["difference_mean"] == pytest.approx(sides[0] - sides[3])
    half = error * stats.t.ppf(0.975, degrees)
    assert (row["difference_high"] - row["difference_low"]) / 2 == pytest.approx(half, rel=0.06)  # 2,000 resamples
    assert row["p_value"] == pytest.approx(known.pvalue, rel=0.25)
    assert 0.005 < row["p_value"] < 0.2  # where an error would show


def test_paired_rows_equal_the_report_on_both_as_conditions_of_one_run(pair):
    first, second = noisy(3, 0.5), noisy(13, 0.53)
    row = row_of(pair(first, second), metric="accuracy")
    claims = parse_hypotheses("hypotheses: [{name: H, claim: c, better: {condition: proposed, than: eca}}]", "")
    one_run = results_of([*second, *(record | {"condition": "eca", "key": f"e{record['seed']}"} for record in first)])
    judged = judge(claims, one_run, {})
    decided, beside = table5_rows(judged)[0], evidence_rows(judged)[0]
    for name in ("difference_mean", "difference_low", "difference_high", "p_value", "p_seeds", "p_photographs"):
        assert row[name] == pytest.approx(decided[name]), name
    assert (row["seeds_a"], row["photos_b"]) == (beside["seeds"], beside["photos"])
    difference_S = right_of(second).mean(axis=1) - right_of(first).mean(axis=1)
    assert beside["difference_sd"] == pytest.approx(difference_S.std(ddof=1))
    known = stats.permutation_test(
        (difference_S,), np.mean, permutation_type="samples", n_resamples=math.inf, vectorized=True
    )
    assert row["p_seeds"] == pytest.approx(known.pvalue)
    assert min(row["p_seeds"], row["p_photographs"]) > 0.02  # neither at the least that it can be
    assert max(row["p_seeds"], row["p_photographs"]) < 1.0


def test_p_is_corrected_as_statsmodels_does(pair):
    names = ("proposed", "eca", "minus_crop", "minus_staging")
    before = [record for place, name in enumerate(names) for record in noisy(place, 0.5, (name,))]
    after = [record for place, name in enumerate(names) for record in noisy(9 + place, 0.5 + 0.05 * place, (name,))]
    rows = pair(before, after).tables["compare_conditions"]
    for _, family in rows.groupby("metric"):
        known = multipletests(family["p_value"], method="holm")[1]
        assert family["p_holm"].to_numpy() == pytest.approx(known)
        assert family["p_holm"].nunique() > 1


def test_interval_of_a_difference_of_shares_ends_at_a_hundred_points(pair):
    """Two seeds that disagree: a t interval with one degree of freedom reaches far beyond."""
    first, second = ([trials(right)[seed] for seed, right in enumerate(both)] for both in ((10, 110), (100, 15)))
    for changes in ({}, {"photo": "other/{}.png", "fingerprint": "others"}):
        found = pair(first, second, b=changes)
        for _, row in found.tables["compare_conditions"].iterrows():
            assert (row["difference_low"], row["difference_high"]) == (-1, 1)


def test_change_of_a_difference_may_reach_two_hundred_points():
    wide = Gap(0.0, 4.0, 1.0)
    assert wide.bounds == (-1, 1)
    assert replace(wide, most=2.0).bounds == (-2, 2)
    assert np.isnan(replace(wide, variance=math.nan).bounds).all()


def test_few_seeds_are_told_of_the_run_that_has_them(pair):
    notes = "\n".join(pair(trials(60, 3), trials(60, 2)).notes)
    assert "At most 2 seeds of a condition can be compared (A has 3, B has 2): every verdict is undecided." in notes
