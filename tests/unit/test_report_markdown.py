"""report.md: what the page says, for places that show Markdown."""

import re

from datasets.folder import Folder
from orchestrator.ledger import Ledger
from orchestrator.paper import load_paper
from orchestrator.report.build import build_report
from orchestrator.report.figure_style import to_svg
from orchestrator.report.figures import build_figures
from orchestrator.report.page import page_content, render_both
from orchestrator.report.tables import build_tables
from orchestrator.report.template import markdown_text
from tests.unit.report_fixtures import make_context, make_photos, make_record, make_study, results_of
from tests.unit.test_report_page import write_trial

PHOTOS = make_photos({("joy", "train"): (9, 10), ("a|b", "test"): (2, 10)})


def markdown_of(records, **changes):
    results, paper = results_of(records), load_paper()
    images = {name: to_svg(figure) for name, figure in build_figures(results, paper).items()} if records else {}
    context = make_context(**({"photos": PHOTOS, "crops": "../crops/abc"} | changes))
    tables = build_tables(results, paper)
    return render_both(page_content(results, context, paper=paper, tables=tables, figures=images))["report.md"], tables


def rows_under(text, heading):
    """The lines of the table under that heading, its head first."""
    return [line for line in text.split(f"### {heading}")[1].split("\n#")[0].splitlines() if line.startswith("|")]


def test_verdicts_come_first_and_every_part_follows_in_the_order_of_the_page():
    text, _ = markdown_of(make_study(6), notes=["A note."])
    parts = [
        "# A study",
        "### Claims by protocol",
        "**supported** (published: supported)",
        "### Table 1.",
        "### Table 5.",
    ]
    parts += ["## Figures", "## Faces found", "### Detection.", "## What was run on what", "- Specification: 0123"]
    parts += ["- A note.", "\nPaper: "]
    assert sorted(parts, key=text.index) == parts


def test_every_table_has_its_rows_and_as_many_cells_in_each():
    text, tables = markdown_of(make_study(2))
    rows = rows_under(text, "Table 1.")
    assert len(rows) == 2 + len(tables["table1"])
    for heading in ("Table 1.", "Table 2.", "Table 3.", "Detection."):
        assert len({len(re.split(r"(?<!\\)\|", row)) for row in rows_under(text, heading)}) == 1
    assert re.fullmatch(r"\| --- \| ---: \|.*", rows[1])
    assert "](tables/table1.csv)" in text


def test_figures_are_shown_from_beside_it(tmp_path):
    folder, record = Folder.at(tmp_path), make_record("proposed", 0)
    write_trial(Ledger(folder), record)
    build_report(folder, make_context(keys=(record["key"],)))
    text = (tmp_path / "report.md").read_text()
    named = re.findall(r"\]\((?!#)([^)]+)\)", text)
    drawn = {f"figures/{path.name}" for path in (tmp_path / "figures").glob("*.png")}
    assert len(drawn) > 6
    assert drawn <= set(named)
    assert all((tmp_path / name).is_file() for name in named)
    assert str(tmp_path) not in text


def test_names_from_the_data_are_no_markup():
    odd = "a|b<i>*c*_d_[e](f)`g`"
    record = make_record("proposed", 0, 1, classes=(odd, "y"), true_labels=(odd, "y"))
    text, _ = markdown_of([record], data_name="<script>")
    assert "<i>" not in text
    assert "<script>" not in text
    assert r"| a\|b&lt;i&gt;\*c\*\_d\_\[e\](f)\`g\` |" in text
    assert markdown_text("grouped_kfold\n1") == "grouped_kfold 1"


def test_no_trial_gives_a_report_that_says_so():
    text, _ = markdown_of([], photos=None)
    assert "No assumption can be tested yet" in text
    assert text.count("No finished trial has a row here yet.") >= 5
    assert not re.search(r"\b(nan|None|NaN|inf)\b", text)
    assert "\n\n\n" not in text
