"""A comparison as a page and as Markdown. Neither names a path or a machine, and the page asks nothing of a network."""

from __future__ import annotations

import base64

from orchestrator.compare.comparison import Comparison
from orchestrator.compare.display import TABLE_DOCS, view
from orchestrator.compare.figure import DOC, draw_differences
from orchestrator.report.display import ReadingTable
from orchestrator.report.figure_style import to_svg
from orchestrator.report.template import MINUS, PageTable, page_template


def render_page(comparison: Comparison) -> str:
    """`comparison.html`. The same comparison gives the same text."""
    figure = draw_differences(comparison.tables["compare_conditions"])
    return page_template("compare.html.j2").render(
        comparison=comparison,
        title=f"{comparison.names[0]} against {comparison.names[1]}",
        tables={
            name: PageTable(name, TABLE_DOCS[name], view(name, table)) for name, table in comparison.tables.items()
        },
        figure=None if figure is None else "data:image/svg+xml;base64," + base64.b64encode(to_svg(figure)).decode(),
        figure_doc=DOC,
    )


def render_markdown(comparison: Comparison) -> str:
    """`comparison.md`: the same tables to paste."""
    first, second = comparison.names
    parts = [f"# {first} (A) against {second} (B)", comparison.kind, comparison.headline]
    if comparison.changed:
        parts.append("\n".join(f"- {line}" for line in comparison.changed))
    if comparison.notes:
        parts += ["## Notes", "\n".join(f"- {note}" for note in comparison.notes)]
    for name, table in comparison.tables.items():
        doc, reading = TABLE_DOCS[name], view(name, table)
        parts += [f"## {doc.title}", doc.reading, _markdown(reading) if reading.rows else doc.empty]
    return "\n\n".join(parts) + "\n"


def _markdown(table: ReadingTable) -> str:
    lines = [[column.heading for column in table.columns]]
    lines.append(["---:" if column.numeric else "---" for column in table.columns])
    for row in table.rows:
        pairs = zip(row, table.columns, strict=True)
        lines.append([cell.replace("-", MINUS) if column.numeric else _escaped(cell) for cell, column in pairs])
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _escaped(cell: str) -> str:
    return " ".join(cell.split()).replace("|", "\\|").replace("<", "&lt;")
