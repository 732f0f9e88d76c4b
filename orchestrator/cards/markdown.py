"""What the cards share: their templates, tables as Markdown, and names from the data made harmless."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources
from typing import Any

import pandas as pd
from jinja2 import Environment, FunctionLoader, StrictUndefined

from orchestrator.report.display import reading_table

_EDGE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
"""An underline that could begin or end emphasis; inside a word it cannot."""
_MARKS = str.maketrans({**{mark: f"\\{mark}" for mark in "\\`*|[]#"}, "<": "&lt;", "&": "&amp;"})


class Ready(str):
    """Text that is Markdown already."""


def render(template: str, **values: Any) -> str:
    """A template of this folder. Texts are escaped unless they are `Ready`; runs of empty lines become one."""
    lines = _environment().get_template(template).render(**values).splitlines()
    kept = [line for place, line in enumerate(lines) if line or (place and lines[place - 1])]
    return "\n".join(kept).rstrip() + "\n"


@cache
def _environment() -> Environment:
    """One for all cards: it keeps the compiled templates."""
    return Environment(
        loader=FunctionLoader(_text),
        autoescape=False,  # the finalizer does it, for Markdown
        finalize=_finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def escape(text: str) -> str:
    """On one line, with nothing that Markdown or HTML would read as its own; a class may be called `a|<b>`."""
    return _EDGE.sub(r"\\_", re.sub(r"\s+", " ", text).translate(_MARKS))


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> Ready:
    """A table in GitHub's notation."""
    cells = [[escape(str(cell)) for cell in row] for row in rows]
    frame = pd.DataFrame(cells, columns=[escape(heading) for heading in headings])
    return Ready(frame.to_markdown(index=False, disable_numparse=True))


def view(name: str, frame: pd.DataFrame) -> Ready:
    """A table of the report as its page shows it; empty where it has no row."""
    shown = reading_table(name, frame)
    return table([column.heading for column in shown.columns], shown.rows) if shown.rows else Ready()


def _finalize(value: object) -> object:
    return escape(value) if isinstance(value, str) and not isinstance(value, Ready) else value


def _text(name: str) -> str:
    return resources.files("orchestrator.cards").joinpath(name).read_text(encoding="utf-8")
