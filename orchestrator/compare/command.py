"""`facet compare`: reads two run folders, writes the comparison beside the second, and says what changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from datasets.errors import UserError
from datasets.folder import Folder
from orchestrator.compare.columns import DOCS, ORDER
from orchestrator.compare.comparison import Comparison, compare
from orchestrator.compare.conditions import NOT_COMPARED
from orchestrator.compare.display import TABLE_DOCS
from orchestrator.compare.figure import draw_differences
from orchestrator.compare.page import FIGURE, render_both
from orchestrator.compare.runs import is_inside, read_pair
from orchestrator.out_folder import writing_to
from orchestrator.report.csv_text import to_csv
from orchestrator.report.figure_style import to_png
from orchestrator.report.wording import percent, points_interval

PAGE = "comparison.html"


def compare_folders(first: str, second: str, out: str | None) -> list[str]:
    """Compare, write, and give the lines for the terminal. Raises UserError; the run folders are only read."""
    runs = read_pair(first, second)
    folder = _out_folder(first, second, out, names=(runs[0].name, runs[1].name))
    comparison = compare(runs)
    with writing_to(folder):
        write(comparison, folder)
    return [*describe(comparison), f"Look at: {folder}/{PAGE} (comparison.md and tables/ beside it)"]


def write(comparison: Comparison, folder: Folder) -> None:
    """tables/compare_*.csv with their README, the figure, comparison.md, and the page last."""
    for name, table in comparison.tables.items():
        folder.write_text(f"tables/{name}.csv", to_csv(table))
    folder.write_text("tables/README.md", columns_readme())
    figure = draw_differences(comparison.tables["compare_conditions"])
    if figure is None:
        (folder / "figures").delete(f"{FIGURE}.png")  # of an earlier comparison
    else:
        folder.write_bytes(f"figures/{FIGURE}.png", to_png(figure))
    texts = render_both(comparison, figure)
    for name in sorted(texts, key=lambda name: name == PAGE):
        folder.write_text(name, texts[name])


def columns_readme() -> str:
    """What each column of each CSV means."""
    parts = ["# Columns of the tables\n\nShares are in [0, 1]; differences of shares are B minus A."]
    for name, columns in ORDER.items():
        lines = [f"- `{column}`: {DOCS[column]}" for column in columns.split()]
        parts.append(f"## {TABLE_DOCS[name].title}\n\nFile: `{name}.csv`\n\n" + "\n".join(lines))
    return "\n\n".join(parts) + "\n"


def describe(comparison: Comparison) -> list[str]:
    """What a terminal shows: the kind, accuracy by condition and protocol, verdicts that changed, notes."""
    first, second = comparison.names
    lines = [comparison.kind, f"A: {first}", f"B: {second}"]
    table = comparison.tables["compare_conditions"]
    accuracy = table[table["metric"] == "accuracy"]
    for protocol, rows in accuracy.groupby("protocol", sort=False):
        lines += ["", f"Accuracy under protocol {protocol} (A, B, and B minus A with 95 % over seeds and photos):"]
        lines += _aligned([_cells(row) for row in rows.to_dict("records")])
    lines += ["", *comparison.headlines, *(comparison.changed or [comparison.no_change])]
    notes = [f"Note: {note}" for note in (comparison.generated, *comparison.notes) if note]
    return [*lines, *([""] if notes else []), *notes, ""]


def _cells(row: dict[Any, Any]) -> list[str]:
    if row["verdict"] == NOT_COMPARED:
        return [row["title"], "", "", "", NOT_COMPARED]
    difference = points_interval(row["difference_mean"], row["difference_low"], row["difference_high"])
    return [row["title"], percent(row["a_mean"]), percent(row["b_mean"]), difference, row["verdict"]]


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    for title, *cells in rows:
        numbers = [cell.rjust(width) for cell, width in zip(cells[:-1], widths[1:-1], strict=True)]
        yield "  " + "  ".join([title.ljust(widths[0]), *numbers, cells[-1]])


def _out_folder(first: str, second: str, out: str | None, *, names: tuple[str, str]) -> Folder:
    """Where the comparison goes, never into a run. Raises UserError."""
    runs = [Folder.at(location) for location in (first, second)]
    folder = Folder.at(out) if out else runs[1].beside(f"compare-{names[0]}-{names[1]}")
    for run in runs:
        if is_inside(folder, run):
            raise UserError(
                f"`--out` {folder} lies in the run folder `{run}`, which is only read. Choose another --out."
            )
    if folder.is_local and Path(folder.base).is_file():
        raise UserError(f"`--out` {folder} is a file; the comparison needs a folder. Choose another --out.")
    if folder.exists() and not folder.exists(PAGE) and (folder.names() or folder.folders()):
        raise UserError(f"`--out` {folder} is not empty and holds no comparison. Choose another --out.")
    return folder
