"""The tables as files: CSV to compute with, Markdown and LaTeX to paste."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from datasets.folder import Folder
from orchestrator.report.columns import COLUMN_DOCS, TABLE_COLUMNS, TIMED_COLUMNS
from orchestrator.report.csv_text import rounded, to_csv
from orchestrator.report.display import TABLE_DOCS
from orchestrator.report.latex import latex_of_all, latex_preview, to_latex

__all__ = ["columns_readme", "to_csv", "to_latex", "to_markdown", "write_latex_of_all", "write_tables"]


def write_tables(tables: Mapping[str, pd.DataFrame], folder: Folder) -> list[str]:
    """tables/<name>.csv, .md and .tex of each, and tables/README.md; the names written, relative to `folder`."""
    texts = {"tables/README.md": columns_readme()}
    for name, table in tables.items():
        texts[f"tables/{name}.csv"] = to_csv(table)
        texts[f"tables/{name}.md"] = to_markdown(name, table)
        texts[f"tables/{name}.tex"] = to_latex(name, table)
    return _write(texts, folder)


def write_latex_of_all(names: Iterable[str], folder: Folder) -> list[str]:
    """tables/all.tex, which reads the tables of these names, and tables/preview.tex; the names written."""
    return _write({"tables/all.tex": latex_of_all(names), "tables/preview.tex": latex_preview()}, folder)


def _write(texts: Mapping[str, str], folder: Folder) -> list[str]:
    for path, text in texts.items():
        folder.write_text(path, text)
    return list(texts)


def to_markdown(name: str, table: pd.DataFrame) -> str:
    """Every column under its heading, numbers to 3 digits, in GitHub's notation."""
    cells = rounded(table, 3).astype(object).map(_markdown_cell)
    cells.columns = pd.Index([COLUMN_DOCS[column].heading for column in table.columns])
    doc = TABLE_DOCS[name]
    body = cells.to_markdown(index=False, disable_numparse=True) if len(cells) else doc.empty
    return f"# {doc.title}\n\n{f'{doc.reading} {doc.more}'.rstrip()}\n\n{body.rstrip()}\n"


def columns_readme() -> str:
    """What each column of each CSV means."""
    parts = [
        "# Columns of the tables\n\nShares are in [0, 1]; differences of shares are too. An empty cell is not known or "
        "does not apply. What is measured by a clock differs when the same study is run again; the rest does not. In "
        "the CSV files a text that a spreadsheet would take for a formula has an apostrophe in front."
    ]
    for name, columns in TABLE_COLUMNS.items():
        lines = [f"- `{column}`{_mark(column)}: {COLUMN_DOCS[column].meaning}" for column in columns]
        parts.append(f"## {TABLE_DOCS[name].title}\n\nFile: `{name}.csv`\n\n" + "\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _mark(column: str) -> str:
    return " (by a clock)" if column in TIMED_COLUMNS else ""


def _markdown_cell(value: str | float) -> str:
    if pd.isna(value):
        return ""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())
