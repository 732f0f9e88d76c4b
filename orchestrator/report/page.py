"""One self-contained page: verdicts, tables, figures, and what was run on what. It asks nothing of any network.

The same content as Markdown is `report.md`, which shows the figures that lie beside it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from orchestrator.hypotheses.judge import untested
from orchestrator.paper import Paper
from orchestrator.report.audit_page import report_audit
from orchestrator.report.contents import TITLES, page_contents
from orchestrator.report.context import ReportContext
from orchestrator.report.detection import FACELESS, LEAST_CERTAIN, detection_table, status_counts
from orchestrator.report.detection_words import findings, share_line
from orchestrator.report.notes import PROTOCOLS, distinct, make_notes
from orchestrator.report.results import Group, Results
from orchestrator.report.sections import SECTIONS, Section, page_figures, page_sections, taken
from orchestrator.report.template import MINUS, PageTable, page_table, page_template, tidy_markdown
from orchestrator.report.wording import duration, listing, percent, percent_interval

NO_VERDICT = (
    "No assumption can be tested yet: that takes the proposed condition and one with a component changed, finished "
    "under the same seed."
)


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


def render_both(content: Mapping[str, Any]) -> dict[str, str]:
    """`report.html` and `report.md`, by name. content: of page_content."""
    return {
        "report.html": page_template("page.html.j2").render(content),
        "report.md": tidy_markdown(page_template("report.md.j2").render(content)),
    }


def page_content(
    results: Results,
    context: ReportContext,
    *,
    paper: Paper,
    tables: Mapping[str, pd.DataFrame],
    figures: Mapping[str, bytes],
    sections: Sequence[Section] = SECTIONS,
) -> dict[str, Any]:
    """What the templates `page.html.j2` and `report.md.j2` show, by the names that they use.

    `sections` show tables and figures of their own, which stand nowhere else on the page.
    """
    drawn, elsewhere = page_figures(figures), taken(sections) | {"claims"}
    own_parts = page_sections(results, context, tables=tables, figures=drawn, sections=sections)
    content = {
        "context": context,
        "paper": paper,
        "titles": TITLES,
        "subtitle": _subtitle(results, context),
        "headlines": [_headline(group, paper, tables["table1"]) for group in results.of("proposed")],
        "verdicts": _verdicts(results, context, tables["table5"]),
        "caution": context.registered.note,
        "no_verdict": NO_VERDICT,
        "claims": page_table("claims", tables["claims"]),
        "tables": [page_table(name, table) for name, table in tables.items() if name not in elsewhere],
        "figures": [figure for name, figure in drawn.items() if name not in elsewhere],
        "no_figure": "No finished trial can be drawn yet.",
        "sections": own_parts,
        "detection": _detection(context),
        "no_counts": "No counts were recorded.",
        "audit": None if context.audit is None else report_audit(context.audit, crops=context.crops),
        "facts": _facts(results, context)
        + [(f"Protocol {name}", PROTOCOLS.get(name, "–")) for name in results.protocols],
        "notes": make_notes(results, context),
    }
    return content | {"contents": page_contents(content)}


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


def _headline(group: Group, paper: Paper, table1: pd.DataFrame) -> str:
    row = table1[table1["condition"].eq(group.condition) & table1["protocol"].eq(group.protocol)].iloc[0]
    ours = percent_interval(row["accuracy_mean"], row["accuracy_general_low"], row["accuracy_general_high"])
    over = "other photos" if len(group.seeds) == 1 else "other seeds and photos"
    return (
        f"Protocol {group.protocol}: the proposed condition reaches {ours}; the interval is for {over}. "
        f"Always answering “{group.majority_class}” scores {percent(group.majority_accuracy)} on the same photos; "
        f"the paper reports {percent(paper.table1['proposed'])}."
    )


def _verdicts(results: Results, context: ReportContext, table5: pd.DataFrame) -> list[Verdict]:
    """Every hypothesis under every protocol; one that could not be tested at all once, undecided."""
    rows, several = table5.to_dict("records"), len(results.protocols) > 1
    hypotheses = context.registered.hypotheses
    why = untested(hypotheses, results, context.draw_of)
    found = []
    for one in hypotheses.hypotheses:
        mine = [_verdict(row, several=several) for row in rows if row["assumption"] == one.name]
        if not mine and results.records:
            mine = [Verdict(one.name, one.claim, "undecided", one.published or "", "", f"Not tested: {why[one.name]}.")]
        found += mine
    return found


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
        table=page_table("detection", table),
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
    surroundings = {name: text for name, text in context.environment.items() if versions.get(name) != text}
    return list({**shown, **context.summary, **surroundings}.items())
