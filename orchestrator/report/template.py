"""What the pages share: their templates, and a table with its heading."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template

from orchestrator.report.display import ReadingTable, TableDoc

MINUS = "\u2212"


@dataclass(frozen=True)
class PageTable:
    """A table with its heading and how to read it."""

    name: str
    doc: TableDoc
    view: ReadingTable


def page_template(name: str) -> Template:
    """A template of this folder; it may include and import others of it."""
    environment = Environment(
        loader=FunctionLoader(_text),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["minus"] = lambda text: text.replace("-", MINUS)
    return environment.get_template(name)


def _text(name: str) -> str:
    return resources.files("orchestrator.report").joinpath(name).read_text(encoding="utf-8")
