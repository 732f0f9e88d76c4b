"""The tables for a LaTeX paper: one file each, one that has them all, and one to look at."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pandas as pd

from orchestrator.report.display import TABLE_DOCS, reading_table
from orchestrator.report.shown import Shown

LONG_ROWS = 40
"""A table of more rows may break over pages."""
PART_LINES = 25
"""Lines of such a table that stay together: two parts fill a page."""
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
    """The reading view as a table float no wider than the text, or in parts over pages where it has many rows."""
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
    """One part below the other, each no wider than the text: a longtable's own columns would not shrink."""
    return [
        r"\begingroup\footnotesize\setlength{\tabcolsep}{3pt}", r"\begin{longtable}{@{}l@{}}",
        rf"\caption{{{caption}}}\label{{tab:{name}}} \\", r"\endfirsthead", r"(continued) \\", r"\endhead",
        *(line for part in _parts(rows) for line in _part(kinds, _widest(kinds, [head, *rows]), head, part)),
        r"\end{longtable}", r"\endgroup",
    ]  # fmt: skip


def _part(kinds: list[str], widest: str, head: str, rows: list[str]) -> list[str]:
    """The phantom row makes all parts equally wide, and so equally small."""
    return [
        _FIT,
        rf"\begin{{tabular}}{{{''.join(kinds)}}}", rf"{widest}[-\normalbaselineskip]", r"\toprule", head, r"\midrule",
        *rows, r"\bottomrule", r"\end{tabular}%", r"} \\",
    ]  # fmt: skip


def _parts(rows: list[str]) -> list[list[str]]:
    """Rows that fit on a page together, of texts that wrap fewer."""
    parts: list[list[str]] = [[]]
    lines = 0
    for row in rows:
        height = 1 + max(map(len, _cells(row))) // WIDE_CHARS
        if parts[-1] and lines + height > PART_LINES:
            parts.append([])
            lines = 0
        parts[-1].append(row)
        lines += height
    return parts


def _widest(kinds: list[str], rows: list[str]) -> str:
    """A row of no ink with the longest cell of each column; columns that wrap have their width."""
    columns = zip(*map(_cells, rows), strict=True)
    longest = [max(column, key=len) for column in columns]
    cells = [rf"\hphantom{{{cell}}}" if len(kind) == 1 else "" for kind, cell in zip(kinds, longest, strict=True)]
    return _line(cells)


def _cells(row: str) -> list[str]:
    return row.removesuffix(r" \\").split(" & ")
