"""What the pages share: their templates, the script that they may run, and a table with its heading."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import pandas as pd
from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import Markup

from orchestrator.report.columns import COLUMN_DOCS, ColumnDoc
from orchestrator.report.csv_text import to_csv
from orchestrator.report.display import TABLE_DOCS, ReadingTable, TableDoc, reading_table

MINUS = "\u2212"
_MARKDOWN = re.compile(r"[\\`*\[\]|~]|(?<![^\W_])_|_(?![^\W_])")


@dataclass(frozen=True)
class PageTable:
    """A table with its heading and how to read it. `csv`: what `tables/<name>.csv` holds."""

    name: str
    doc: TableDoc
    view: ReadingTable
    csv: str
    columns: Mapping[str, ColumnDoc]


def page_table(name: str, table: pd.DataFrame, shown: pd.DataFrame | None = None) -> PageTable:
    """`shown`: the rows that the page shows, all by default; the CSV has them all."""
    columns = {column: COLUMN_DOCS[column] for column in table.columns}
    return PageTable(
        name, TABLE_DOCS[name], reading_table(name, table if shown is None else shown), to_csv(table), columns
    )


def page_template(name: str) -> Template:
    """A template of this folder; it may extend and import others of it. `.md.j2` is Markdown, all else HTML."""
    environment = Environment(
        loader=FunctionLoader(_text),
        autoescape=not name.endswith(".md.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["minus"] = lambda text: text.replace("-", MINUS)
    environment.filters["data"] = _data
    environment.filters["md"] = markdown_text
    script = _text("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    # Nothing may be fetched, and no script may run but this one, even if a name in the data got past the escaping.
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    environment.globals |= {"script": Markup(script), "policy": f"{policy}; base-uri 'none'; form-action 'none'"}
    return environment.get_template(name)


def markdown_text(text: str) -> str:
    """The text as Markdown prints it, on one line: no markup, no HTML, no cell of a table cut in two."""
    one_line = " ".join(str(text).split())
    plain = _MARKDOWN.sub(lambda found: "\\" + found[0], one_line)
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _data(text: str) -> Markup:
    """JSON for a data block: no `<` in it, so that it cannot end the block."""
    return Markup(json.dumps(text, ensure_ascii=False).replace("<", "\\u003c"))


def tidy_markdown(text: str) -> str:
    """One empty line between paragraphs, whatever the templates left."""
    return re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"


@cache
def _text(name: str) -> str:
    return resources.files("orchestrator.report").joinpath(name).read_text(encoding="utf-8")
