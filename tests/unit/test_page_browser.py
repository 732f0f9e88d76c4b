"""The page in a browser: sorting, downloads, colours, phones, paper and the keyboard, with nothing fetched."""

import csv
import io
import re
import shutil
from itertools import pairwise

import pandas as pd
import pytest

from datasets.folder import Folder
from orchestrator.paper import load_paper
from orchestrator.report.csv_text import to_csv
from orchestrator.report.figure_style import to_svg
from orchestrator.report.figures import build_figures
from orchestrator.report.page import page_content, render_both
from orchestrator.report.tables import build_tables
from orchestrator.report.write import write_tables
from tests.unit.report_fixtures import make_context, make_photos, make_record, make_study, results_of

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PHOTOS = make_photos({("joy", "train"): (9, 10), ('</script>, "=a"', "test"): (2, 10)})
ALLOWED = re.compile(r"(file|data|blob):")
"""A blob is what a download is made of, inside the page."""

CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (rgb) => rgb.slice(0, 3).map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = rgba(getComputedStyle(e).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255];
  };
  const worst = {};
  for (const element of document.querySelectorAll("body, body *")) {
    const words = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!words || element.tagName === "SCRIPT" || element.closest("[hidden]")) continue;
    const [a, b] = [light(rgba(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const name = element.tagName + "." + element.className;
    worst[name] = Math.min(worst[name] ?? 99, ratio);
  }
  return worst;
}"""


def many_records():
    """A verdict of each kind, a class whose name would end a script, and conditions that lack a paper's value."""
    records = make_study(6)
    odd = {"classes": ("</script><b>", "=y"), "true_labels": ("</script><b>", "=y"), "num_right": 1}
    return [*records, make_record("proposed", 0, protocol="clean", **odd)]


@pytest.fixture(scope="module")
def tables():
    return build_tables(results_of(many_records()), load_paper())


@pytest.fixture(scope="module")
def report(tmp_path_factory, tables):
    """The page on disk, and its tables as files."""
    folder = tmp_path_factory.mktemp("run")
    results, paper = results_of(many_records()), load_paper()
    figures = build_figures(results, paper)
    images = {name: to_svg(figures[name]) for name in ("figure4", "figure8")}  # two show what all do
    context = make_context(photos=PHOTOS, generated=True, crops="../crops/abc")
    page = render_both(page_content(results, context, paper=paper, tables=tables, figures=images))["report.html"]
    (folder / "report.html").write_text(page, encoding="utf-8")
    write_tables(tables, Folder.at(folder))
    return folder


@pytest.fixture(scope="module")
def browser():
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"no browser is installed; one of these would do: {', '.join(BROWSERS)}")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield found
        found.close()


@pytest.fixture
def open_page(browser, report):
    """`open_page(width=360, color_scheme="dark")`; the test fails on any message or request at its end."""
    contexts, said, asked = [], [], []

    def watched_page(width=1280, *, scripts=True, **options):
        context = browser.new_context(
            viewport={"width": width, "height": 800}, java_script_enabled=scripts, accept_downloads=True, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto((report / "report.html").as_uri())
        return page

    yield watched_page
    for context in contexts:
        context.close()
    assert said == []
    assert [url for url in asked if not ALLOWED.match(url)] == []


def column_of(page, table, place):
    return page.locator(f"table[data-name={table}] tbody tr > :nth-child({place + 1})").all_inner_texts()


def header(page, table, text):
    found = page.locator(f"table[data-name={table}] thead th").filter(has_text=text).first
    return found, found.get_by_role("button"), found.evaluate("cell => cell.cellIndex")


def numbers(cells):
    return [float(cell.replace("−", "-").split(" ")[0]) for cell in cells if cell != "–"]


def test_a_click_sorts_by_number_and_back_with_unknown_cells_last(open_page):
    page = open_page()
    head, button, place = header(page, "table1", "Published")
    before = column_of(page, "table1", place)
    assert 1 < len(set(numbers(before))) < len(before)
    assert "–" in before
    button.click()
    up = column_of(page, "table1", place)
    assert head.get_attribute("aria-sort") == "ascending"
    assert numbers(up) == sorted(numbers(before))
    button.click()
    down = column_of(page, "table1", place)
    assert head.get_attribute("aria-sort") == "descending"
    assert numbers(down) == sorted(numbers(before), reverse=True)
    unknown = before.count("–")
    assert up[-unknown:] == down[-unknown:] == ["–"] * unknown
    assert page.get_by_role("status").inner_text() == (
        "Table 1. Accuracy of each condition: sorted by Published, descending"
    )
    button.click()
    assert head.get_attribute("aria-sort") is None
    assert column_of(page, "table1", place) == before


def test_numbers_are_sorted_by_value_and_not_as_they_are_written(open_page):
    page = open_page()
    # In the order of texts 100 comes before 20, and 1e-06 before 3.
    page.evaluate("""() => {
      const rows = [...document.querySelectorAll("table[data-name=table1] tbody tr")];
      rows.forEach((row, i) => { row.cells[2].dataset.value = [-1, 100, 20, 3, 0.5, 1e-6, -20][i % 7]; });
    }""")
    _, button, place = header(page, "table1", "Accuracy (95")
    assert place == 2
    button.click()
    values = page.locator("table[data-name=table1] tbody tr > :nth-child(3)")
    ordered = [float(value) for value in values.evaluate_all("cells => cells.map(c => c.dataset.value)")]
    assert ordered == sorted(ordered)


def test_texts_are_sorted_both_ways_and_equal_ones_stay_in_order(open_page):
    page = open_page()
    rows = page.locator("table[data-name=table1] tbody tr")
    for heading in ("Condition", "Training"):
        _, button, place = header(page, "table1", heading)
        before = rows.all_inner_texts()
        texts = dict(zip(before, column_of(page, "table1", place), strict=True))
        assert len(texts) == len(before)
        for reverse in (False, True):
            button.click()
            assert rows.all_inner_texts() == sorted(before, key=lambda row: texts[row].casefold(), reverse=reverse)
        button.click()
        assert rows.all_inner_texts() == before
        assert page.locator("[aria-sort]").count() == 0


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_the_keyboard_reaches_the_first_sort_button_and_sorts(open_page, key):
    page = open_page()
    first = page.locator("button.sort").first
    links = 0
    for _ in range(60):
        page.keyboard.press("Tab")
        links += page.evaluate("document.activeElement.matches('.skip, nav a, button.theme')")
        if page.evaluate("document.activeElement === document.querySelector('button.sort')"):
            break
    assert page.evaluate("document.activeElement === document.querySelector('button.sort')")
    assert links > 5, "the skip link, the button of the colours and the contents come before"
    assert first.evaluate("button => getComputedStyle(button).outlineStyle") == "solid"
    page.keyboard.press(key)
    assert page.locator("th[aria-sort=ascending]").count() == 1


def test_the_skip_link_shows_when_it_is_reached_and_leads_to_the_content(open_page):
    page = open_page()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_every_table_downloads_as_its_csv_file(open_page, report, tables):
    page = open_page()
    names = page.locator("button.download").evaluate_all("buttons => buttons.map(b => b.dataset.name)")
    assert set(names) == {name for name, table in tables.items() if len(table)} | {"detection"}
    for place, name in enumerate(names):
        page = page if place % 8 else open_page()  # Chromium lets a page load down ten files at most
        with page.expect_download() as waited:
            page.locator(f"button.download[data-name={name}]").click()
        assert waited.value.suggested_filename == f"{name}.csv"
        text = waited.value.path().read_bytes()
        if name != "detection":
            assert text == (report / "tables" / f"{name}.csv").read_bytes()
        else:
            cells = next(csv.reader(io.StringIO(text.decode(), newline="")))
            assert cells == list(pd.read_csv(io.BytesIO(text)).columns)
            assert '"</script>, ""=a"""' in text.decode()


def test_csv_of_the_page_holds_all_columns(open_page, tables):
    page = open_page()
    held = page.locator("#csv-table1").evaluate("block => JSON.parse(block.textContent)")
    assert held == to_csv(tables["table1"])


def test_colours_follow_the_system_until_the_button_is_pressed(open_page):
    backgrounds = {}
    for scheme in ("light", "dark"):
        page = open_page(color_scheme=scheme)
        shade = "getComputedStyle(document.body).backgroundColor"
        backgrounds[scheme] = page.evaluate(shade)
        button = page.locator("button.theme")
        other = "Light colours" if scheme == "dark" else "Dark colours"
        assert button.inner_text() == other
        button.focus()
        page.keyboard.press("Enter")
        assert page.evaluate(shade) != backgrounds[scheme]
        assert button.inner_text() != other
        assert (
            page.evaluate("getComputedStyle(document.querySelector('.card')).backgroundColor") == "rgb(255, 255, 255)"
        )
    assert backgrounds["light"] != backgrounds["dark"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(open_page, scheme):
    worst = open_page(color_scheme=scheme).evaluate(CONTRAST)
    assert len(worst) > 20
    assert {name: ratio for name, ratio in worst.items() if ratio < 4.5} == {}


def test_the_page_itself_never_scrolls_sideways(open_page):
    page = open_page()
    page.locator("summary").evaluate_all("all => all.forEach(one => { one.parentElement.open = true; })")
    for width, least in ((360, 5), (768, 1), (1500, 1)):
        page.set_viewport_size({"width": width, "height": 780})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        wide = page.locator(".scroll").evaluate_all("all => all.filter(e => e.scrollWidth > e.clientWidth).length")
        assert wide >= least, "tables scroll inside their frame"


def test_paper_has_no_buttons_and_whole_tables_on_white(open_page):
    page = open_page(color_scheme="dark")
    page.locator("button.theme").click()
    page.locator("button.theme").click()
    page.emulate_media(media="print")
    assert (
        page.locator("nav, button.theme, button.download, .skip").evaluate_all(
            "all => all.filter(e => getComputedStyle(e).display !== 'none' && !e.closest('.tools')).length"
        )
        == 0
    )
    assert page.locator(".tools").evaluate_all("all => all.every(e => getComputedStyle(e).display === 'none')")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    arrows = "all => all.filter(e => getComputedStyle(e, '::after').display !== 'none').length"
    assert page.locator("button.sort").evaluate_all(arrows) == 0
    inside = "all => all.every(e => getComputedStyle(e).display === 'contents')"
    assert page.locator("button.sort").evaluate_all(inside), "else a head is not repeated on every sheet"
    assert page.get_by_text("Majority baseline", exact=True).first.is_visible(), "the headings stay"
    assert page.locator(".scroll").evaluate_all("all => all.every(e => getComputedStyle(e).overflow === 'visible')")
    page.set_viewport_size({"width": 1010, "height": 700})  # A4 across, less its margins
    assert page.evaluate("document.documentElement.scrollWidth") <= 1010


def test_all_of_it_reads_without_scripts(open_page, tables):
    page = open_page(scripts=False)
    assert page.locator("button:visible").count() == 0
    assert page.locator("table[data-name=table1] tbody tr").count() == len(tables["table1"])
    assert page.locator("table[data-name=table1] thead th").first.inner_text() == "Condition"


def test_no_other_script_may_run(browser, report):
    page = browser.new_page()
    refused = []
    page.on("console", lambda message: refused.append(message.text))
    page.goto((report / "report.html").as_uri())
    page.evaluate("""() => {
      const script = document.createElement("script");
      script.textContent = "document.title = 'taken over'";
      document.body.append(script);
    }""")
    assert page.title() == "A study"
    assert "Content Security Policy" in refused[0]
    page.close()


def test_the_outline_has_one_title_and_no_gap(open_page):
    page = open_page()
    levels = page.locator("h1, h2, h3, h4").evaluate_all("all => all.map(e => Number(e.tagName[1]))")
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert page.evaluate("document.documentElement.lang") == "en"
    names = page.locator("[id]").evaluate_all("all => all.map(e => e.id)")
    assert len(names) == len(set(names))
    targets = page.locator("nav a").evaluate_all("all => all.map(a => a.getAttribute('href').slice(1))")
    assert set(targets) <= set(names)
    sections = page.locator("h2").evaluate_all("all => all.map(e => e.id)")
    assert [target for target in targets if target in sections] == sections
    assert all(page.locator("img").evaluate_all("all => all.map(e => e.alt.length > 20 && e.complete)"))
