"""`facet check-paper` as a user meets it: exit codes, files, and a sentence for each mistake in the YAML."""

import json
from pathlib import Path

import pytest

from orchestrator.cli import main
from orchestrator.exit_codes import EXIT_FINDINGS, EXIT_OK, EXIT_USER
from orchestrator.paper import load_paper
from orchestrator.report.page import page_content, render_both
from orchestrator.report.published import published_findings
from orchestrator.report.tables import build_tables
from tests.unit.report_fixtures import make_context, make_record, results_of

CLEAN = """
title: Clean
counts: {test: {a: 100, b: 60, c: 40}}
rows: {plain: {accuracy: 0.65}, ours: {accuracy: 0.80}}
seeds: 6
"""


@pytest.fixture
def check(tmp_path, monkeypatch, capsys):
    """Runs the command on a text in an empty folder: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def run(text: str, *arguments: str) -> tuple[int, str, str]:
        Path("reported.yaml").write_text(text, encoding="utf-8")
        code = main(["check-paper", "reported.yaml", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_clean_study_exits_with_0(check):
    code, out, err = check(CLEAN)
    assert (code, err) == (EXIT_OK, "")
    assert out.startswith("Clean\n5 checks: 0 findings; 12 checks could not be made.\n")


def test_findings_exit_with_3_and_are_written(check, tmp_path):
    code, out, _ = check(CLEAN.replace("0.80", "0.801"), "--out", "review")
    assert code == EXIT_FINDINGS
    written = json.loads((tmp_path / "review/paper_check.json").read_text(encoding="utf-8"))
    assert [finding["id"] for finding in written["findings"]] == ["whole_photos"]
    sentence = written["findings"][0]["sentence"]
    assert sentence in (tmp_path / "review/paper_check.md").read_text(encoding="utf-8")
    assert "Written: paper_check.json and paper_check.md in " in out


def test_without_a_file_the_published_study_is_checked(capsys):
    assert main(["check-paper"]) == EXIT_FINDINGS
    assert "The recalls give 51 of 72 right, the accuracy says 56" in capsys.readouterr().out


def test_the_example_has_findings_of_both_kinds(capsys):
    example = Path(__file__).parents[2] / "examples" / "reported.yaml"
    assert main(["check-paper", str(example)]) == EXIT_FINDINGS
    assert "(2 inconsistent, 6 weak)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "accuracy: 0.80",
            "accuracy: 1.80",
            "`rows.ours.accuracy` should be a share from 0 to 1 such as 0.78, or a perc",
        ),
        ("accuracy: 0.80", "accuracy: 80", "got `80`"),
        (
            "accuracy: 0.80",
            "accuracy: high",
            "`rows.ours.accuracy` should be a number such as 0.78, or 78 %, got `high`",
        ),
        ("accuracy: 0.80", "acuracy: 0.80", "`rows.ours.acuracy` is no field of the format. Did you mean `accuracy`?"),
        ("{accuracy: 0.80}", "{}", "`rows.ours.accuracy` is missing. Give it, or leave out `rows.ours`"),
        ("a: 100", "a: -1", "`counts.test.a` should be greater than or equal to 0, got `-1`"),
        ("seeds: 6", "seeds: 0", "`seeds` should be greater than or equal to 1, got `0`"),
        ("seeds: 6", "selected_on: luck", "`selected_on` should be 'reported', 'held_out' or 'unknown', got `luck`"),
        ("seeds: 6", "xyzzy: 6", "`xyzzy` is no field of the format. docs/check-paper.md lists the fields."),
        ("seeds: 6", "seeds: 6\nseeds: 7", "the key `seeds` stands twice"),
        ("seeds: 6", "drops: {of: mine, rows: {x: 0.1}}", "`drops.of` names a row of `rows` (plain, ours), got `mine`"),
        ("accuracy: 0.80", "accuracy: 0.80, without: [d]", "names classes of `counts` (a, b, c), got `d`"),
        (
            "accuracy: 0.80",
            "accuracy: 0.80, without: [a, b, c]",
            "leaves out every class. Name those that are not scored",
        ),
        ("{test: ", "{x: {a: 1}, y: ", "`scored_split` says which of the splits (x, y) is reported. Give it."),
        (
            "a: 100",
            "a: yes",
            "`counts.test.a` should be a whole number, got `true`; YAML reads yes, no, on and off so too",
        ),
        ("a: 100", 'a: "100"', "`counts.test.a` should be a whole number, got the text `100`. Write it without quotes"),
        ("a: 100", "a: 100.5", "`counts.test.a` should be a whole number, got `100.5`"),
        ("a: 100", "a: 1_000_000_000", "`counts.test.a` should be less than or equal to 1000000"),
        ("a: 100", "a: 999_999", "`counts` holds 1000099 photos altogether; at most 1000000 can be checked"),
        (
            "accuracy: 0.80",
            "accuracy: 0.80, approximate: 1",
            "`rows.ours.approximate` should be true or false, got `1`",
        ),
        ("accuracy: 0.80", "accuracy: 0.80, without: c", "`rows.ours.without` should be a list, got `c`"),
        ("accuracy: 0.80", "accuracy: 0.80, precision: 0.8", "It belongs under `class_scores.scores.CLASS`."),
        ("accuracy: 0.80", "accuracy: 0.80, share: 0.8", "It belongs under `convergence.time_reduction`."),
        ("seeds: 6", "accuracy: 0.8", "It belongs under `rows.NAME` or under `convergence.rows.NAME`."),
        ("{accuracy: 0.80}", "0.80", "`rows.ours` should be a mapping such as `{a: 1}`, got `0.8`"),
        ("seeds: 6", "confusion: {of: ours, classes: [a], counts: []}", "should be a list of at least 2 entries"),
        ("{a: 100, b: 60, c: 40}", "{}", "`counts.test` should be a mapping of at least 1 entry, got `{}`"),
        ("title: Clean", "title: 3", "`title` should be a text, got `3`"),
        ("title: Clean", "title: 2024-99-99", "is not valid YAML (month must be in 1..12)"),
        ("a: 100", "no: 100", "which is no text. Put it in quotes"),
        (CLEAN, "- 1", "must hold a mapping such as"),
        (CLEAN, "", "got nothing"),
        (CLEAN, "rows: {a: [", "is not valid YAML"),
        (CLEAN, "title: Nothing else", "holds too little for any check. Give `counts` and `rows` at the least"),
    ],
)
def test_mistake_gets_a_sentence_and_exit_code_2(check, old, new, message):
    assert old in CLEAN
    code, out, err = check(CLEAN.replace(old, new))
    assert (code, out) == (EXIT_USER, "")
    assert message in err
    assert "reported.yaml" in err
    assert "Traceback" not in err


def test_missing_file_and_unwritable_folder_are_mistakes_of_the_user(check, tmp_path, capsys):
    assert main(["check-paper", "nowhere.yaml"]) == EXIT_USER
    assert "`nowhere.yaml` cannot be read" in capsys.readouterr().err
    (tmp_path / "taken").write_text("")
    code, _, err = check(CLEAN, "--out", "taken")
    assert code == EXIT_USER
    assert "taken is a file. Name a folder." in err


def test_photos_of_no_class_are_lacking_and_not_divided_by(check):
    code, out, _ = check("counts: {test: {a: 0, b: 0}}\nrows: {r: {accuracy: 0.5}}\nseeds: 6")
    assert code == EXIT_OK
    assert "each accuracy can be a whole number of photos: needs" in out


def pages_of(*conditions: str) -> dict[str, str]:
    results, paper = results_of([make_record(name, 0) for name in conditions]), load_paper()
    tables = build_tables(results, paper)
    return render_both(page_content(results, make_context(), paper=paper, tables=tables, figures={}))


def test_report_shows_the_findings_folded_beside_the_values_of_the_paper():
    pages = pages_of("proposed")
    results = results_of([make_record("proposed", 0)])
    findings = published_findings(results, make_context(), build_tables(results, load_paper()))
    assert findings[0].startswith("Inconsistent. The recalls give 51 of 72 right, the accuracy says 56. ")
    folded = pages["report.html"].partition('<h2 id="published">')[2].partition("</section>")[0]
    inside = folded.partition("<details")[2].partition("</details>")[0]
    assert f"<summary>{len(findings)} findings</summary>" in inside
    assert "make 1 + 40 + 3 + 5 + 2 = 51 right" in inside
    assert inside.count("<li>") == folded.count("<li>") == len(findings)
    assert "\n- Inconsistent. The recalls give 51 of 72 right" in pages["report.md"]


def test_report_leaves_them_out_where_nothing_of_the_paper_is_compared():
    for pages in (pages_of("minus_crop"), pages_of()):
        assert "What the published tables do not allow" not in pages["report.html"] + pages["report.md"]
