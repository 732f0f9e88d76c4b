"""The tables for a LaTeX paper: one file each, one that has them all, and one to look at."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pandas as pd

from orchestrator.report.display import TABLE_DOCS, reading_table
from orchestrator.report.shown import Shown

LONG_ROWS = 40
"""A table of more rows may break over pages."""
WIDE_CHARS = 34
"""A column with a longer cell wraps its text."""
_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "−": "$-$", "×": r"$\times$", "≥": r"$\geq$", "≤": r"$\leq$",
    "\n": " ", "\r": " ", "\t": " ", "[": "{[}", "]": "{]}",
}  # fmt: skip
_MINUS = re.compile(r"(?<![\w$-])-(?=\d)")
_FIT = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
_PACKAGES = {"booktabs": "toprule", "graphicx": "resizebox", "longtable": "longtable", "array": "arraybackslash"}
"""What the tables need, and a command of each by which it is known to be loaded."""


def to_latex(name: str, table: pd.DataFrame) -> str:
    """The reading view as a table float no wider than the text, or as a longtable where it has many rows."""
    view = reading_table(name, table)
    kinds = [_kind(column, [row[place] for row in view.rows]) for place, column in enumerate(view.columns)]
    head, doc = _line(escape(column.heading) for column in view.columns), TABLE_DOCS[name]
    rows = [_line(_cell(column, cell) for column, cell in zip(view.columns, row, strict=True)) for row in view.rows]
    rows = rows or [rf"\multicolumn{{{len(kinds)}}}{{l}}{{{escape(doc.empty)}}} \\"]
    caption = escape(doc.title.partition(". ")[2] or doc.title)
    build = _longtable if len(rows) > LONG_ROWS else _float
    return "\n".join(build(name, caption, kinds, head, rows)) + "\n"


def latex_of_all(names: Iterable[str]) -> str:
    """`all.tex`: every table, for the `\\input` of a paper. It says which packages it needs, and stops without them."""
    needed = "\n".join(
        rf"\@ifundefined{{{command}}}{{\PackageError{{tables}}{{Write \string\usepackage{{{package}}}}}{{}}}}{{}}"
        for package, command in _PACKAGES.items()
    )
    parts = [
        "% All tables. In the preamble: " + "".join(rf"\usepackage{{{package}}}" for package in _PACKAGES),
        r"% From another folder: \newcommand{\tablesfolder}{path/to/tables} before the \input of this file.",
        r"\providecommand{\tablesfolder}{.}",
        rf"\makeatletter{chr(10)}{needed}{chr(10)}\makeatother",
        *(rf"\input{{\tablesfolder/{name}.tex}}" for name in names),
    ]
    return "\n".join(parts) + "\n"


def latex_preview() -> str:
    """`preview.tex`: a document of all tables, for `pdflatex` in their folder; `lualatex` for other scripts."""
    packages = "\n".join(rf"\usepackage{{{package}}}" for package in _PACKAGES)
    return rf"""\documentclass[10pt]{{article}}
\usepackage[a4paper,landscape,margin=15mm]{{geometry}}
{packages}
\begin{{document}}
\input{{all.tex}}
\end{{document}}
"""


def escape(text: str) -> str:
    """The text as LaTeX prints it, on one line."""
    return "".join(_SPECIAL.get(character, character) for character in text)


def _cell(column: Shown, text: str) -> str:
    escaped = escape(text)
    return _MINUS.sub("$-$", escaped) if column.numeric else escaped


def _line(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"


def _kind(column: Shown, cells: list[str]) -> str:
    if column.numeric:
        return "r"
    return r">{\raggedright\arraybackslash}p{5.5cm}" if max(map(len, cells), default=0) > WIDE_CHARS else "l"


def _float(name: str, caption: str, kinds: list[str], head: str, rows: list[str]) -> list[str]:
    return [
        r"\begin{table}[htbp]", r"\centering", rf"\caption{{{caption}}}", rf"\label{{tab:{name}}}", _FIT,
        rf"\begin{{tabular}}{{{''.join(kinds)}}}", r"\toprule", head, r"\midrule", *rows, r"\bottomrule",
        r"\end{tabular}%", "}", r"\end{table}",
    ]  # fmt: skip


def _longtable(name: str, caption: str, kinds: list[str], head: str, rows: list[str]) -> list[str]:
    columns = "".join(kinds)
    return [
        r"\begingroup\footnotesize\setlength{\tabcolsep}{3pt}", rf"\begin{{longtable}}{{{columns}}}",
        rf"\caption{{{caption}}}\label{{tab:{name}}} \\", r"\toprule", head, r"\midrule", r"\endfirsthead",
        rf"\multicolumn{{{len(kinds)}}}{{l}}{{(continued)}} \\", r"\toprule", head, r"\midrule", r"\endhead",
        r"\bottomrule", r"\endfoot", *rows, r"\end{longtable}", r"\endgroup",
    ]  # fmt: skip
