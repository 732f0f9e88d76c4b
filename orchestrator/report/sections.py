"""The parts of the page that stand between its figures and the faces found, and the contents of the page."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from orchestrator.report.context import ReportContext
from orchestrator.report.figures import FIGURE_DOCS, FigureDoc
from orchestrator.report.published import published_findings
from orchestrator.report.results import Results
from orchestrator.report.template import PageTable, page_table

Tables = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Section:
    """A part of the page with what belongs to it. It is left out where nothing of it is there.

    `tables` and `figures`: names; these no longer stand among all tables and all figures. `findings`: sentences that
    stand out, made from the results. `more`: a longer explanation, folded away. `paragraphs`: after the intro.
    `collapsed`: its tables and findings are opened by the reader.
    """

    id: str
    title: str
    intro: str
    tables: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()
    findings: Callable[[Results, ReportContext, Tables], Sequence[str]] | None = None
    more: str = ""
    paragraphs: tuple[str, ...] = ()
    collapsed: bool = False


SECTIONS: tuple[Section, ...] = (
    Section(
        "convergence-part",
        "Convergence",
        "How soon a validation accuracy is reached, where trainings that never reach it are kept as censored.",
        tables=("convergence", "convergence_compared", "stages"),
        figures=("figure11",),
    ),
    Section(
        "effects-part",
        "Effects of the components over all their combinations",
        "Leaving one component out shows its effect beside all the others; a factorial shows it over all combinations.",
        tables=("effects", "importance"),
        figures=("figure12",),
    ),
    Section(
        "rare-class",
        "The rare class left out",
        "The proposed condition leaves out the class with the fewest photos. That alone raises accuracy, so it is "
        "compared here with models that know the class, on the same photos.",
        tables=("exclusion", "forced"),
    ),
    Section(
        "published",
        "What the published tables do not allow",
        "Arithmetic on the reported values alone; nothing of this run is in it. Inconsistent: the numbers cannot all "
        "be right. Weak: they may be, and do not show what they are given for. “facet check-paper” prints the same.",
        findings=published_findings,
        collapsed=True,
    ),
)
"""In the order of the page. One line here puts a part on the page, into its contents and into report.md."""


@dataclass(frozen=True)
class PageFigure:
    """A figure as a data URI: inside an <img>, ids of several SVGs cannot collide."""

    name: str
    doc: FigureDoc
    source: str


@dataclass(frozen=True)
class PageSection:
    """A section as the templates want it."""

    id: str
    title: str
    intro: str
    findings: Sequence[str]
    tables: Sequence[PageTable]
    figures: Sequence[PageFigure]
    more: str = ""
    paragraphs: Sequence[str] = ()
    collapsed: bool = False


def page_figures(svgs: Mapping[str, bytes]) -> dict[str, PageFigure]:
    """By name, in that order."""
    return {name: PageFigure(name, FIGURE_DOCS[name], data_uri(svg)) for name, svg in svgs.items()}


def page_sections(
    results: Results,
    context: ReportContext,
    *,
    tables: Tables,
    figures: Mapping[str, PageFigure],
    sections: Iterable[Section] = SECTIONS,
) -> list[PageSection]:
    """Those of `sections` of which a table has a row, a figure was drawn or something was found."""
    made = []
    for section in sections:
        findings = section.findings(results, context, tables) if section.findings else ()
        mine = [
            page_table(name, tables[name], shown_rows(name, tables[name])) for name in section.tables if name in tables
        ]
        drawn = [figures[name] for name in section.figures if name in figures]
        if findings or drawn or section.paragraphs or any(table.view.rows for table in mine):
            made.append(
                PageSection(
                    section.id, section.title, section.intro, findings, mine, drawn, section.more, section.paragraphs,
                    section.collapsed,
                )
            )  # fmt: skip
    return made


def taken(sections: Iterable[Section] = SECTIONS) -> set[str]:
    """Names of the tables and figures that stand in a section of their own."""
    return {name for section in sections for name in (*section.tables, *section.figures)}


def shown_rows(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """The rows that the page shows: of `confusion`, only what occurred."""
    return table[table["count"] > 0] if name == "confusion" else table


def data_uri(svg: bytes) -> str:
    """What an <img> of the page shows."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode("ascii")
