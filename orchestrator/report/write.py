"""The tables as files: CSV to compute with, Markdown and LaTeX to paste."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from datasets.folder import Folder
from orchestrator.report.columns import COLUMN_DOCS, TABLE_COLUMNS, TIMED_COLUMNS
from orchestrator.report.display import TABLE_DOCS, reading_table


def write_tables(tables: Mapping[str, pd.DataFrame], folder: Folder) -> list[str]:
    """tables/<name>.csv, .md and .tex of each, and tables/README.md; the names written, relative to `folder`."""
    texts = {"tables/README.md": columns_readme()}
    for name, table in tables.items():
        texts[f"tables/{name}.csv"] = to_csv(table)
        texts[f"tables/{name}.md"] = to_markdown(name, table)
        texts[f"tables/{name}.tex"] = to_latex(name, table)
    for path, text in texts.items():
        folder.write_text(path, text)
    return list(texts)


def to_csv(table: pd.DataFrame) -> str:
    """Every column, numbers to 6 digits."""
    return _rounded(table, 6).to_csv(index=False, lineterminator="\n")


def to_markdown(name: str, table: pd.DataFrame) -> str:
    """Every column under its heading, numbers to 3 digits, in GitHub's notation."""
    cells = _rounded(table, 3).astype(object).map(_markdown_cell)
    cells.columns = pd.Index([COLUMN_DOCS[column].heading for column in table.columns])
    doc = TABLE_DOCS[name]
    body = cells.to_markdown(index=False, disable_numparse=True) if len(cells) else doc.empty
    return f"# {doc.title}\n\n{doc.reading}\n\n{body.rstrip()}\n"


def to_latex(name: str, table: pd.DataFrame) -> str:
    """The reading view, for `\\usepackage{booktabs}`."""
    view = reading_table(name, table)
    shown = pd.DataFrame(view.rows, columns=[column.heading for column in view.columns])
    aligned = "".join("r" if column.numeric else "l" for column in view.columns)
    caption = TABLE_DOCS[name].title.partition(". ")[2]
    return shown.to_latex(index=False, escape=True, column_format=aligned, caption=caption, label=f"tab:{name}")


def columns_readme() -> str:
    """What each column of each CSV means."""
    parts = [
        "# Columns of the tables\n\nShares are in [0, 1]; differences of shares are too. An empty cell is not known or "
        "does not apply. What is measured by a clock differs when the same study is run again; the rest does not."
    ]
    for name, columns in TABLE_COLUMNS.items():
        lines = [f"- `{column}`{_mark(column)}: {COLUMN_DOCS[column].meaning}" for column in columns]
        parts.append(f"## {TABLE_DOCS[name].title}\n\nFile: `{name}.csv`\n\n" + "\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _mark(column: str) -> str:
    return " (by a clock)" if column in TIMED_COLUMNS else ""


def _rounded(table: pd.DataFrame, digits: int) -> pd.DataFrame:
    numbers = table.select_dtypes("float")
    return table.assign(**(numbers.round(digits) + 0.0))  # + 0.0 turns -0.0 into 0.0


def _markdown_cell(value: str | float) -> str:
    if pd.isna(value):
        return ""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|").replace("<", "&lt;")
