"""A comparison as a page and as Markdown. Neither names a path or a machine, and the page asks nothing of a network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from orchestrator.compare.columns import DOCS
from orchestrator.compare.comparison import Comparison
from orchestrator.compare.display import TABLE_DOCS, view
from orchestrator.compare.figure import DOC
from orchestrator.report.columns import ColumnDoc
from orchestrator.report.contents import Entry
from orchestrator.report.csv_text import to_csv
from orchestrator.report.figure_style import to_svg
from orchestrator.report.sections import PageFigure, PageSection, data_uri
from orchestrator.report.template import PageTable, page_template, tidy_markdown

FIGURE = "compare_accuracy"


def render_both(comparison: Comparison, figure: Figure | None) -> dict[str, str]:
    """`comparison.html` and `comparison.md`, by name. figure: of figure.draw_differences. The same give the same."""
    tables = {name: _page_table(name, table) for name, table in comparison.tables.items()}
    drawn = [] if figure is None else [PageFigure(FIGURE, DOC, data_uri(to_svg(figure)))]
    results = PageSection(
        "results", "Results side by side", comparison.rule, [],
        [tables[name] for name in ("compare_conditions", "compare_verdicts", "compare_components")], drawn,
    )  # fmt: skip
    runs = PageSection(
        "runs", "What was compared", "", [],
        [tables[name] for name in ("compare_settings", "compare_runs", "compare_measured")], [],
    )  # fmt: skip
    sections = [results, runs]
    content: Mapping[str, Any] = {
        "comparison": comparison,
        "sections": sections,
        "contents": [Entry("changed", "What changed", []), *map(_entry, sections), Entry("notes", "Notes", [])],
    }
    return {
        "comparison.html": page_template("compare.html.j2").render(content),
        "comparison.md": tidy_markdown(page_template("compare.md.j2").render(content)),
    }


def _page_table(name: str, table: pd.DataFrame) -> PageTable:
    columns = {column: ColumnDoc(column, DOCS[column]) for column in table.columns}
    return PageTable(name, TABLE_DOCS[name], view(name, table), to_csv(table), columns)


def _entry(section: PageSection) -> Entry:
    tables = [(table.name, table.doc.title) for table in section.tables]
    return Entry(section.id, section.title, tables + [(figure.name, figure.doc.title) for figure in section.figures])
