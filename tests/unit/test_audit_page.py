"""The audit on its page, in the report and in tables: made from `audit.json` alone, self-contained, escaped."""

import json
import re

import pytest

from datasets.folder import Folder
from orchestrator.audit.examine import audit_crops
from orchestrator.report.audit_page import TABLES, audit_tables, page_audit, render_audit, report_audit
from orchestrator.report.audit_words import CLEAN
from orchestrator.report.build import build_report
from orchestrator.report.columns import TABLE_COLUMNS
from tests.unit.audit_fixtures import photo, write_set
from tests.unit.report_fixtures import make_context
from tests.unit.test_report_page import Page, page_of

MISSING = re.compile(r"\b(nan|None|NaN|inf)\b")


def document_of(folder, rows, **options):
    """As it comes back from the file."""
    return json.loads(json.dumps(audit_crops(write_set(Folder.at(folder), rows), **options).document))


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    """A class of PNGs, a photograph in two classes, another in two splits."""
    rows = [
        photo(f"{split}/{name}/{i}.jpg", file_format="PNG" if name == "<sad>" else "JPEG")
        for name in ("joy", "<sad>", "few")
        for split, count in (("train", 16 if name != "few" else 2), ("test", 6))
        for i in range(count)
    ]
    rows[0] |= {"pixel_sha256": rows[22]["pixel_sha256"]}
    rows[1] |= {"pixel_sha256": rows[17]["pixel_sha256"]}
    return document_of(tmp_path_factory.mktemp("crops"), rows)


def test_page_says_findings_before_tables_and_shows_no_picture(document):
    page = render_audit(document, sheets_at="sheets")
    said = ("Label conflicts:", "Leaks:", "Warning, a shortcut:", "<table ")
    assert sorted(said, key=page.index) == list(said)
    parsed = Page(page)
    assert (parsed.open, parsed.links) == ([], ["#main"])
    assert not {"link", "img"} & set(parsed.tags)
    assert parsed.scripts.count("") == 1
    assert "<code>sheets/copies-01.png</code>" in page
    assert "&lt;sad&gt;" in page
    assert "<sad>" not in page
    assert not MISSING.search(page)


def test_class_told_by_its_format_is_named(document):
    findings = page_audit(document, sheets_at="sheets").findings
    (shortcut,) = [sentence for sentence in findings if sentence.startswith("Warning, a shortcut:")]
    assert "best by file format" in shortcut
    assert "100.0 % against 0.0 %" in shortcut


def test_every_table_has_its_columns_and_is_read_from_json(document):
    tables = audit_tables(document)
    assert list(tables) == [f"audit_{name}" for name in TABLES]
    assert all(tuple(table.columns) == TABLE_COLUMNS[name] for name, table in tables.items())
    assert len(tables["audit_conflicts"]) == len(tables["audit_leaks"]) == 1


def test_report_has_the_section_and_the_tables(document, tmp_path):
    context = make_context(audit=document, crops="../crops/abc")
    written = build_report(Folder.at(tmp_path), context)
    assert {f"tables/audit_{name}.{kind}" for name in TABLES for kind in ("csv", "md", "tex")} <= set(written)
    page = (tmp_path / "report.html").read_text()
    assert page.index("What this shows") < page.index('<h3 id="found">') < page.index('<h2 id="tables">')
    assert page.index('<h2 id="tables">') < page.index('<h2 id="audit">Audit</h2>')
    assert "<code>../crops/abc/audit/copies-01.png</code>" in page
    assert not MISSING.search(page)
    assert not MISSING.search((tmp_path / "tables" / "audit_ceiling.md").read_text())


def test_report_names_the_sheets_of_a_drawn_split_where_they_lie(document):
    drawn = document | {"data": document["data"] | {"splits_origin": "drawn"}}
    assert report_audit(drawn, crops="../crops/abc").sheets == ["../crops/abc/audit-drawn/copies-01.png"]


def test_report_without_an_audit_has_no_section():
    assert 'id="audit"' not in page_of([])


def test_clean_photos_have_a_page_as_well(tmp_path):
    rows = [photo(f"train/{name}/{i}.jpg") for name in ("joy", "sad") for i in range(12)]
    document = document_of(tmp_path / "crops", rows)
    page = render_audit(document, sheets_at="sheets")
    assert CLEAN.replace("'", "&#39;") in page
    assert page.count("There are none.") == 2
    assert "Copies side by side" not in page
    assert not MISSING.search(page)
    build_report(Folder.at(tmp_path / "run"), make_context(audit=document))
    assert "There are none." in (tmp_path / "run" / "tables" / "audit_leaks.md").read_text()


def test_photos_that_cannot_be_read_have_a_page(tmp_path):
    rows = [photo(f"train/{name}/{i}.jpg", status="unreadable") for name in ("joy", "sad") for i in range(3)]
    page = render_audit(document_of(tmp_path, rows), sheets_at="sheets")
    assert "6 photos could not be read" in page
    assert not MISSING.search(page)
