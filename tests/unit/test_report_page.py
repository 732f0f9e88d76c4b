"""The page and the figures: self-contained, escaped, honest about what is missing."""

import base64
import hashlib
import html
import re
from html.parser import HTMLParser

import pyarrow as pa
import pytest
from matplotlib.figure import Figure

from datasets.folder import Folder
from orchestrator.ledger import PREDICTIONS_SCHEMA, Ledger
from orchestrator.paper import load_paper
from orchestrator.report.build import build_report
from orchestrator.report.contents import TITLES
from orchestrator.report.display import TABLE_DOCS
from orchestrator.report.figure_style import percent_ticks, to_svg
from orchestrator.report.figures import FIGURE_DOCS, build_figures, write_figures
from orchestrator.report.page import page_content, render_both
from orchestrator.report.sections import SECTIONS, Section, page_figures, page_sections, taken
from orchestrator.report.shown import Shown
from orchestrator.report.tables import build_tables
from orchestrator.report.wording import duration, p_value, percent, percent_interval
from tests.unit.report_fixtures import (
    CLASSES,
    make_context,
    make_photos,
    make_predictions,
    make_record,
    make_study,
    results_of,
)


def page_of(records, *, with_figures=False, **changes):
    results, paper = results_of(records), load_paper()
    figures = build_figures(results, paper) if with_figures else {}
    images = {name: to_svg(figure) for name, figure in figures.items()}
    context = make_context(**({"num_planned": len(records)} | changes))
    tables = build_tables(results, paper)
    return render_both(page_content(results, context, paper=paper, tables=tables, figures=images))["report.html"]


class Page(HTMLParser):
    """Collects attributes that make a browser fetch, and checks that tags close in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.links, self.tags, self.scripts = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.scripts += [dict(attrs).get("type", "")] if tag == "script" else []
        self.links += [value for name, value in attrs if name in ("src", "href", "srcset", "data", "poster")]
        if tag not in ("meta", "img", "link", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def full_page():
    return page_of(make_study(2), with_figures=True)


def test_page_asks_nothing_of_any_network(full_page):
    page = Page(full_page)
    fetched = [link for link in page.links if not link.startswith("#")]
    assert len(fetched) == len(build_figures(results_of(make_study(2)), load_paper()))
    assert all(link.startswith("data:image/svg+xml;base64,") for link in fetched)
    assert not re.search(r"https?://|@import|url\(", full_page)
    assert not {"link", "iframe"} & set(page.tags)


def test_one_script_may_run_and_the_policy_names_it_by_its_hash(full_page):
    assert sorted(set(Page(full_page).scripts)) == ["", "application/json"]
    assert Page(full_page).scripts.count("") == 1
    (script,) = re.findall(r"<script>(.*?)</script>", full_page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', full_page)
    directives = html.unescape(policy).split("; ")
    assert directives[0] == "default-src 'none'"
    assert f"script-src 'sha256-{digest}'" in directives


def test_cells_carry_the_values_of_the_table(full_page):
    rows = re.findall(r'<th scope="row"[^>]*>Proposed</th>(.*)</tr>', full_page)
    values = re.findall(r'data-value="([^"]*)"', rows[0])
    assert [values[0], values[2]] == ["0.875", "0.7778"], "17 and 18 of 20 photos over two seeds, and the paper's"
    durations = [cell for row in rows for cell in re.findall(r'data-value="([^"]*)">[^<]* min [^<]* s<', row)]
    assert durations == ["20.02"], "in minutes, as the table has it, and not the 20 that the cell begins with"


def test_numbers_without_a_column_of_their_own_are_sorted_by_what_they_show():
    column = Shown("x", lambda row: row["x"])
    cells = ("-1.5 points (-2.0 to 1.0)", "< 0.001", "3 of 6", "", "none")
    assert [column.sort_value({}, cell) for cell in cells] == ["-1.5", "0.001", "3", "", ""]


def test_a_section_is_added_by_one_line_and_leaves_the_other_parts():
    section = Section(
        "extra",
        "An extra part",
        "Why.",
        ("table4",),
        ("figure8",),
        lambda results, context, tables: ["Found."],
        "Long.",
    )
    results, paper = results_of(make_study(2)), load_paper()
    tables, figures = build_tables(results, paper), page_figures({"figure8": b"<svg/>"})
    (made,) = page_sections(results, make_context(), tables=tables, figures=figures, sections=[section])
    assert [table.name for table in made.tables] == ["table4"]
    assert (made.figures, made.findings, made.more) == ([figures["figure8"]], ["Found."], "Long.")
    assert taken([section]) == {"table4", "figure8"}
    nothing = Section("none", "None", "", ("table4",), ("figure8",))
    empty = build_tables(results_of([]), paper)
    assert page_sections(results, make_context(), tables=empty, figures={}, sections=[nothing]) == []


def test_every_section_names_what_exists_and_has_a_name_of_its_own():
    names = [section.id for section in SECTIONS]
    assert len({*names, *TITLES, *TABLE_DOCS, *FIGURE_DOCS}) == sum(map(len, (names, TITLES, TABLE_DOCS, FIGURE_DOCS)))
    assert taken() <= TABLE_DOCS.keys() | FIGURE_DOCS.keys()


def test_tables_of_a_section_stand_there_alone():
    records = make_study(1)
    classes = (*CLASSES, "fear")
    records[4] = make_record("plus_rare_class", 0, 14, classes=classes)
    page = page_of(records)
    assert page.count('<h3 id="exclusion">') == 1
    assert page.index('<h2 id="figures">') < page.index('<h3 id="exclusion">') < page.index('<h2 id="faces">')


def test_page_is_well_formed_and_every_figure_has_a_text(full_page):
    assert Page(full_page).open == []
    drawn = build_figures(results_of(make_study(2)), load_paper())
    assert all(f'alt="{FIGURE_DOCS[name].title}. ' in full_page.replace("&#39;", "'") for name in drawn)


def test_page_shows_no_missing_value_as_a_number(full_page):
    assert not re.search(r"\b(nan|None|NaN|inf)\b", re.sub(r"base64,[^\"]*", "", full_page))


def test_page_gives_verdicts_before_tables(full_page):
    assert full_page.index("(published: supported)") < full_page.index('<h3 id="table1">') < full_page.index("<figure ")


def test_names_from_the_data_are_escaped():
    odd = make_record("<b>bold", 0, classes=("<i>x", "y"), true_labels=("<i>x", "y"), num_right=1)
    page = page_of([odd, odd | {"condition": "proposed"}], data_name="<script>alert", notes=["<u>"])
    assert not any(tag in page for tag in ("<b>", "<i>", "<script>alert", "<u>"))
    assert "&lt;b&gt;bold" in page
    assert "&lt;i&gt;x" in page


def test_generated_photos_are_announced_and_others_are_not():
    banner = "prove nothing about faces"
    assert banner in page_of([], generated=True)
    assert banner not in page_of([])


def test_notes_name_what_is_missing_and_what_is_mixed():
    records = [make_record("proposed", 0), make_record("proposed", 1, device="Tesla", versions={"torch": "2.14.0"})]
    page = page_of(records, num_planned=5, left_out={"no_face": 3})
    assert "Not finished: 3 of 5 planned trials." in page
    assert "3 photos left out: no face." in page
    assert "Trials differ in device: Tesla and cpu (x86_64)." in page
    assert "different versions of torch: 2.14.0 and 2.15.0" in page
    assert "these accuracies are optimistic" in page


def test_notes_name_the_conditions_that_do_not_beat_the_majority():
    page = page_of([make_record("eca", 0, 20), make_record("proposed", 0, 12)])
    assert "(1 of 2 conditions): Proposed." in page


def test_detection_is_shown_with_its_total_beside_the_papers():
    photos = make_photos({("joy", "train"): (9, 10), ("joy", "test"): (9, 10)})
    page = page_of([], photos=photos, crops="../crops/abc")
    assert "18 of 20 photos have a face: 90.0 % (69.9 to 97.2); the paper reports 826 of 833." in page
    assert 'data-value="18">18</td><td class="number" data-value="0.9">90.0 % (69.9 to 97.2)</td>' in page
    assert "<code>../crops/abc/faceless.png</code> and <code>../crops/abc/least_certain.png</code>" in page


def test_page_and_tables_show_no_photo_and_no_absolute_path(tmp_path):
    photos = make_photos({("joy", "train"): (9, 10), ("fear", "train"): (2, 10)})
    build_report(Folder.at(tmp_path), make_context(photos=photos, crops="../crops/abc"))
    page = (tmp_path / "report.html").read_text()
    assert "<img" not in page, "no trial is finished, so nothing is drawn"
    assert str(tmp_path) not in page
    assert not re.search(r"[\"'> ](/[a-z]+){2,}", page.replace("</", "<"))
    assert not list(tmp_path.rglob("*.png"))
    assert (tmp_path / "tables" / "detection.csv").read_text().count("all classes") == 1


def test_faces_lost_in_one_class_are_a_warning():
    page = page_of([], photos=make_photos({("joy", "train"): (99, 100), ("fear", "train"): (10, 20)}))
    warning = "less often in class “fear” (10 of 20 photos, 50.0 %, against 99.0 % of all other photos, p &lt; 0.001)"
    assert page.count(warning) == 2, "beside the table and among the warnings"
    assert "Crops are then not missing at random" in page


def test_photos_that_failed_are_counted_in_the_notes():
    photos = make_photos({("joy", "train"): (3, 9), ("sad", "train"): (4, 4)}).assign(
        status=["ok"] * 3 + ["no_face", "unreadable", "unreadable", "too_large", "failed", "a new one"] + ["ok"] * 4
    )
    page = page_of([], photos=photos)
    assert "2 photos: the file could not be read." in page
    assert "1 photo: too large to be decoded." in page
    assert "2 photos: the search for a face failed, so they count as photos without one." in page


def test_protocols_stand_beneath_one_another():
    records = [make_record("proposed", 0), make_record("proposed", 0, protocol="clean")]
    figures, page = build_figures(results_of(records), load_paper()), page_of(records)
    assert {len(figure.axes) for name, figure in figures.items() if name != "figure11"} == {2}
    assert len(figures["figure11"].axes) == 2 * 2
    assert '<th scope="col">Protocol</th>' in page
    assert "Protocol clean: the proposed condition reaches" in page


def test_figures_are_the_same_bytes_each_time_and_need_their_conditions(tmp_path):
    records, paper = [make_record("minus_crop", 0), make_record("eca", 0)], load_paper()
    once, again = (build_figures(results_of(records), paper) for _ in range(2))
    assert list(once) == ["figure3", "figure8"]
    assert to_svg(once["figure3"]) == to_svg(again["figure3"])
    assert write_figures({"figure8": once["figure8"]}, Folder.at(tmp_path)) == [
        "figures/figure8.png",
        "figures/figure8.svg",
    ]
    assert (tmp_path / "figures/figure8.png").read_bytes().startswith(b"\x89PNG")


def test_a_class_name_with_dollars_is_drawn_as_it_is():
    odd = make_record("proposed", 0, 1, classes=("a$_{b$", "y"), true_labels=("a$_{b$", "y"))
    assert to_svg(build_figures(results_of([odd]), load_paper())["figure4"])


def write_trial(ledger, record):
    table = make_predictions([record]).assign(logits=[[0.0, 1.0, 0.0]] * record["num_eval"])
    stored = {name: value for name, value in record.items() if name != "labels"}
    stored["predictions"] = f"predictions/{record['key']}.parquet"
    stored["excluded"] = f"predictions/{record['key']}.excluded.parquet"
    rows = pa.Table.from_pandas(table, schema=PREDICTIONS_SCHEMA, preserve_index=False)
    ledger.write(stored, rows, rows.slice(0, 1))


def test_report_is_built_from_a_run_folder_of_the_trials_asked_for(tmp_path):
    folder, record = Folder.at(tmp_path), make_record("proposed", 0)
    write_trial(Ledger(folder), record)
    write_trial(Ledger(folder), make_record("proposed", 1))
    written = build_report(folder, make_context(keys=(record["key"], "not-run-yet")))
    assert all((tmp_path / name).is_file() for name in written)
    assert {"report.html", "report.md", "tables/table5.tex", "tables/all.tex", "figures/figure4.png"} <= set(written)
    assert "1 of 4 finished" in (tmp_path / "report.html").read_text()


def test_report_of_no_finished_trial_says_so(tmp_path):
    written = build_report(Folder.at(tmp_path), make_context())
    assert not any(name.startswith("figures/") for name in written)
    assert "No finished trial has a row here yet." in (tmp_path / "report.html").read_text()


def test_numbers_are_worded_as_people_read_them():
    assert percent_interval(0.613, 0.55, 0.6761) == "61.3 % (55.0 to 67.6)"
    assert (percent(-0.0001), percent(float("nan")), p_value(0.0004)) == ("0.0 %", "", "< 0.001")
    assert [duration(seconds) for seconds in (4.56, 59.96, 725, 10930)] == [
        "4.6 s",
        "1 min 00 s",
        "12 min 05 s",
        "3 h 02 min",
    ]


@pytest.mark.parametrize("limits", [(0.4, 0.6), (0.57, 0.59), (0.0, 1.0), (0.999, 1.0)])
def test_ticks_of_shares_say_where_they_are(limits):
    """An even step of 2.5 points, rounded, would read 60, 57, 55, 52."""
    axis = Figure().subplots()
    axis.set_ylim(*limits)
    percent_ticks(axis.yaxis)
    places = [place for place in axis.get_yticks() if limits[0] <= place <= limits[1]]
    texts = axis.yaxis.get_major_formatter().format_ticks(places)
    assert len(places) > 2
    assert [float(text.removesuffix(" %")) / 100 for text in texts] == pytest.approx(places, abs=1e-9)
