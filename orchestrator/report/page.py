"""One self-contained page: verdicts, tables, figures, and what was run on what. It asks nothing of any network."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from orchestrator.paper import Paper
from orchestrator.report.answer_sections import ANSWER_FIGURE_DOCS, Section, page_frame
from orchestrator.report.audit_page import report_audit
from orchestrator.report.context import ReportContext
from orchestrator.report.detection import FACELESS, LEAST_CERTAIN, detection_table, status_counts
from orchestrator.report.detection_words import findings, share_line
from orchestrator.report.display import (
    TABLE_DOCS,
    reading_table,
)
from orchestrator.report.figures import FIGURE_DOCS, FigureDoc
from orchestrator.report.notes import PROTOCOLS, distinct, make_notes
from orchestrator.report.results import Group, Results
from orchestrator.report.template import MINUS, PageTable, page_template
from orchestrator.report.wording import counted, duration, listing, percent, percent_interval


@dataclass(frozen=True)
class Verdict:
    """One line of what the page says first."""

    name: str
    claim: str
    verdict: str
    paper_verdict: str
    numbers: str
    reason: str


@dataclass(frozen=True)
class PageDetection:
    """Faces found, what the counts say, and where the photos to look at lie: named, never shown."""

    table: PageTable
    share: str
    findings: list[str]
    sheets: list[str]


@dataclass(frozen=True)
class PageFigure:
    """A figure as a data URI: inside an <img>, ids of several SVGs cannot collide."""

    name: str
    doc: FigureDoc
    source: str


@dataclass(frozen=True)
class PageSection:
    """A section with its tables and figures at hand."""

    section: Section
    tables: list[PageTable]
    figures: list[PageFigure]


def render_page(
    results: Results,
    context: ReportContext,
    *,
    paper: Paper,
    tables: Mapping[str, pd.DataFrame],
    figures: Mapping[str, bytes],
    sections: Sequence[Section] = (),
) -> str:
    """The page as HTML. `figures`: SVG by name. The same arguments give the same text.

    `sections` show tables and figures of their own, which stand nowhere else on the page.
    """
    apart = {name for section in sections for name in (*section.tables, *section.figures)}
    return page_template("page.html.j2").render(
        context=context,
        paper=paper,
        subtitle=_subtitle(results, context),
        headlines=[_headline(group, paper) for group in results.of("proposed")],
        verdicts=[_verdict(row, several=len(results.protocols) > 1) for row in tables["table5"].to_dict("records")],
        claims=_page_table("claims", tables["claims"]),
        tables=[_page_table(name, table) for name, table in tables.items() if name not in {"claims", *apart}],
        figures=[_page_figure(name, svg) for name, svg in figures.items() if name not in apart],
        sections=[_page_section(section, tables, figures) for section in sections],
        detection=_detection(context),
        audit=None if context.audit is None else report_audit(context.audit, crops=context.crops),
        facts=_facts(results, context),
        protocols=[(name, PROTOCOLS.get(name, "")) for name in results.protocols],
        notes=make_notes(results, context),
    )


def _page_table(name: str, table: pd.DataFrame) -> PageTable:
    return PageTable(name, TABLE_DOCS[name], reading_table(name, table))


def _page_figure(name: str, svg: bytes) -> PageFigure:
    return PageFigure(name, (FIGURE_DOCS | ANSWER_FIGURE_DOCS)[name], _data_uri(svg))


def _page_section(section: Section, tables: Mapping[str, pd.DataFrame], figures: Mapping[str, bytes]) -> PageSection:
    return PageSection(
        section,
        [_page_table(name, page_frame(name, tables[name])) for name in section.tables],
        [_page_figure(name, figures[name]) for name in section.figures if name in figures],
    )


def _subtitle(results: Results, context: ReportContext) -> list[tuple[str, str]]:
    seeds = sorted({seed for group in results.groups for seed in group.seeds})
    finished = [str(record["finished_at"]) for record in results.records]
    return [
        ("Photos", context.data_name),
        ("Protocol", listing(results.protocols) or "none yet"),
        ("Seeds", f"{len(seeds)} ({', '.join(map(str, seeds))})" if seeds else "none yet"),
        ("Trials", f"{len(results.records)} of {context.num_planned} finished"),
        # Not the time of writing: the same ledger gives the same page.
        ("Last trial finished", max(finished).replace("T", " ").replace("Z", " UTC") if finished else "none yet"),
    ]


def _headline(group: Group, paper: Paper) -> str:
    accuracy = group.accuracy_interval
    ours = percent_interval(accuracy.mean, accuracy.low, accuracy.high)
    return (
        f"Protocol {group.protocol}: the proposed condition reaches {ours} over {counted(len(group.seeds), 'seed')}. "
        f"Always answering “{group.majority_class}” scores {percent(group.majority_accuracy)} on the same photos; "
        f"the paper reports {percent(paper.table1['proposed'])}."
    )


def _verdict(row: Mapping[Any, Any], *, several: bool) -> Verdict:
    name = f"{row['assumption']} ({row['protocol']})" if several else row["assumption"]
    return Verdict(name, row["claim"], row["verdict"], row["paper_verdict"], _minus(row["sentence"]), row["reason"])


def _minus(text: str) -> str:
    """With true minus signs before numbers."""
    return re.sub(r"(?<!\w)-(?=\d)", MINUS, text)


def _detection(context: ReportContext) -> PageDetection | None:
    if context.photos is None:
        return None
    table = detection_table(context.photos)
    counts = status_counts(context.photos)
    sheets = [
        name
        for name, count in ((FACELESS, counts["no_face"] + counts["failed"]), (LEAST_CERTAIN, counts["found"]))
        if count
    ]
    return PageDetection(
        table=_page_table("detection", table),
        share=share_line(context.photos),
        findings=findings(context.photos),
        sheets=[f"{context.crops}/{name}" for name in sheets],
    )


def _facts(results: Results, context: ReportContext) -> list[tuple[str, str]]:
    """What was run on what; the context's own lines come last."""
    records = results.records
    versions = {
        name: listing(distinct(record["versions"].get(name) for record in records))
        for name in sorted({name for record in records for name in record["versions"]})
    }
    facts = {
        "Specification": context.spec_hash,
        "Hypotheses": context.registered.line,
        "Photos (fingerprint)": context.data_fingerprint,
        "Weights": listing(distinct(record.get("weights", "") for record in records)),
        "Backbone": listing(distinct(record["model"]["backbone"] for record in records)),
        "Device": listing(distinct(record["device"] for record in records)),
        "Trials": f"{len(results.records)} of {context.num_planned}",
        "Time of all trials, by the clock": duration(sum(record["wall_s"] for record in records)),
        "Versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
    }
    shown = {name: text for name, text in facts.items() if text}
    return list({**shown, **context.summary, **context.environment}.items())


def _data_uri(svg: bytes) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode("ascii")
