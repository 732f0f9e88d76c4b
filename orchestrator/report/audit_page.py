"""The audit on a page: as a section of `report.html`, and as `audit.html` of its own. Made from `audit.json` alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from orchestrator.audit.place import AUDIT_FOLDERS
from orchestrator.report.audit_words import fact_sentences, finding_sentences
from orchestrator.report.columns import TABLE_COLUMNS, make_frame
from orchestrator.report.template import PageTable, page_table, page_template
from orchestrator.report.wording import listing

TABLES = ("conflicts", "leaks", "ceiling", "photos", "shortcuts")
_WHERE_FROM = {"given": "as the source gives them", "drawn": "drawn by facet", "none": "none yet"}


@dataclass(frozen=True)
class PageAudit:
    """Sentences and tables of an audit, and where pictures of copies lie: named, never shown."""

    clean: bool
    findings: list[str]
    facts: list[str]
    tables: list[PageTable]
    sheets: list[str]


def audit_tables(document: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """The tables of `audit.json` by the names of their files, such as `audit_leaks`."""
    return {f"audit_{name}": _frame(f"audit_{name}", document["tables"][name]) for name in TABLES}


def page_audit(document: Mapping[str, Any], *, sheets_at: str) -> PageAudit:
    """`sheets_at`: the folder of the contact sheets, as a page may name it."""
    tables = audit_tables(document)
    shown = {"audit_shortcuts": _main_shortcuts(tables["audit_shortcuts"])}
    return PageAudit(
        clean=document["clean"],
        findings=finding_sentences(document),
        facts=fact_sentences(document),
        tables=[page_table(name, table, shown.get(name)) for name, table in tables.items()],
        sheets=[f"{sheets_at}/{name}" for name in document["sheets"]["files"]],
    )


def report_audit(document: Mapping[str, Any], *, crops: str) -> PageAudit:
    """As a section of a run's report. `crops`: the folder of the crops, as the page may name it."""
    return page_audit(document, sheets_at=f"{crops}/{AUDIT_FOLDERS[document['data']['splits_origin']]}")


def render_audit(document: Mapping[str, Any], *, sheets_at: str) -> str:
    """`audit.html`. The same document gives the same text."""
    data = document["data"]
    facts = {
        "Photos": f"{data['photos']}, {data['readable']} readable",
        "Photos (fingerprint)": data["fingerprint"],
        "Classes": listing(data["classes"]),
        "Splits": _WHERE_FROM[data["splits_origin"]],
        "Left out": ", ".join(f"{count} files {reason}" for reason, count in data["left_out"].items()),
        "Versions": ", ".join(f"{name} {version}" for name, version in document["versions"].items()),
    }
    return page_template("audit.html.j2").render(
        name=data["name"],
        generated=data["generated"],
        facts=[(name, text) for name, text in facts.items() if text],
        audit=page_audit(document, sheets_at=sheets_at),
    )


def _frame(name: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Numbers that are not known come back from JSON as None."""
    frame = make_frame(name, rows)
    unknown = [column for column in TABLE_COLUMNS[name] if len(frame) and frame[column].isna().all()]
    return frame.astype(dict.fromkeys(unknown, "float64"))


def _main_shortcuts(table: pd.DataFrame) -> pd.DataFrame:
    """On the page, all features together and the single ones that tell something; `tables/` has every row."""
    return table[(table["used"] == "all") | (table["told"] == "yes")]
