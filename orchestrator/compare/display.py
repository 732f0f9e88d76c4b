"""The tables of a comparison as people read them."""

from __future__ import annotations

import pandas as pd

from orchestrator.report import wording
from orchestrator.report.display import ReadingTable
from orchestrator.report.shown import Row, Shown, TableDoc, bounds, text_column

TABLE_DOCS = {
    "compare_conditions": TableDoc(
        "Conditions side by side",
        "The difference is B minus A, with its 95 % interval over other seeds and other photographs. Paired: on photos "
        "that both report, photo by photo and seed by seed. Independent: other photos, or no seed in common. “higher” "
        "and “lower” need six seeds and a p below 0.05, corrected over the conditions of the protocol; where paired, "
        "also agreement of the seeds alone and of the photographs alone.",
    ),
    "compare_verdicts": TableDoc(
        "Verdicts side by side",
        "One row a hypothesis that says the same in both. That a claim is supported in one run and undecided in the "
        "other does not show that the runs differ; what shows that is the change in the table of components.",
        "No hypothesis could be tested in either run.",
    ),
    "compare_components": TableDoc(
        "Components side by side",
        "Drop: accuracy of the proposed condition minus that without the component. Change: the drop in B minus the "
        "drop in A, paired where photos and seeds are shared (then on these alone). p is not corrected.",
        "Neither run has the proposed condition and one that lacks a component.",
    ),
    "compare_measured": TableDoc(
        "What each run reports",
        "On all photos that the run itself reports, with its own interval, beside always answering the commonest "
        "class. Compute: time of one training.",
    ),
    "compare_runs": TableDoc("The two runs", "As wholes."),
    "compare_settings": TableDoc(
        "What differs", "Field by field; all others are the same.", "Nothing that is recorded."
    ),
}


def _interval(heading: str, name: str) -> Shown:
    return Shown(heading, lambda row: wording.percent_interval(*bounds(row, name)))


def _points(heading: str, name: str) -> Shown:
    return Shown(heading, lambda row: wording.points_interval(*bounds(row, name)))


def _both(heading: str, name: str, digits: int = 0) -> Shown:
    """`6 and 3`, or one number where both are the same."""

    def render(row: Row) -> str:
        texts = [wording.number(row[f"{name}_{side}"], digits) for side in "ab"]
        return texts[0] if texts[0] == texts[1] else " and ".join(texts)

    return Shown(heading, render)


def _difference(side: str) -> Shown:
    def render(row: Row) -> str:
        in_epochs = str(row["metric"]).startswith("epochs")
        return (wording.epochs_interval if in_epochs else wording.points_interval)(*bounds(row, side))

    return Shown(f"{side.upper()}: difference (95 % interval)", render)


def _p(heading: str, name: str) -> Shown:
    return Shown(heading, lambda row: wording.p_value(row[name]))


def _percent(heading: str, name: str) -> Shown:
    return Shown(heading, lambda row: wording.percent(row[name]))


_PROTOCOL = text_column("Protocol", "protocol")
SHOWN: dict[str, tuple[Shown, ...]] = {
    "compare_conditions": (
        text_column("Condition", "title"),
        _PROTOCOL,
        text_column("Score", "metric", {"macro_f1": "macro F1"}),
        text_column("B is", "verdict"),
        _interval("A (95 % interval)", "a"),
        _interval("B (95 % interval)", "b"),
        _points("B minus A (95 % interval)", "difference"),
        _p("p", "p_value"),
        _p("p, corrected", "p_holm"),
        text_column("Compared", "basis"),
        _both("Seeds", "seeds"),
        _both("Photos", "photos"),
        text_column("Why", "reason"),
    ),
    "compare_verdicts": (
        text_column("No.", "assumption"),
        text_column("Claim", "claim"),
        _PROTOCOL,
        text_column("Verdict in A", "verdict_a"),
        text_column("Verdict in B", "verdict_b"),
        text_column("Together", "agreement"),
        _difference("a"),
        _difference("b"),
        _both("Seeds", "seeds"),
    ),
    "compare_components": (
        text_column("Component removed", "component"),
        _PROTOCOL,
        _points("Drop in A (95 % interval)", "a"),
        text_column("Verdict in A", "a_verdict"),
        _points("Drop in B (95 % interval)", "b"),
        text_column("Verdict in B", "b_verdict"),
        _points("Change (95 % interval)", "change"),
        _p("p", "p_value"),
        text_column("Compared", "basis"),
    ),
    "compare_measured": (
        text_column("Condition", "title"),
        _PROTOCOL,
        _interval("A: accuracy (95 % interval)", "a"),
        _interval("B: accuracy (95 % interval)", "b"),
        _percent("A: majority baseline", "majority_a"),
        _percent("B: majority baseline", "majority_b"),
        _both("Seeds", "seeds"),
        _both("Photos reported", "photos"),
        _both("Photos with a face", "photos_with_face"),
        _both("Photos trained on", "train_photos"),
        Shown("A: compute", lambda row: wording.duration(row["compute_s_a"])),
        Shown("B: compute", lambda row: wording.duration(row["compute_s_b"])),
        Shown("B of A", lambda row: wording.percent(row["compute_ratio"])),
    ),
    "compare_runs": (text_column("", "fact"), text_column("A", "a"), text_column("B", "b")),
    "compare_settings": (
        text_column("Part", "part"),
        text_column("Field", "field"),
        text_column("A", "a"),
        text_column("B", "b"),
    ),
}


def view(name: str, table: pd.DataFrame) -> ReadingTable:
    """The reading view; the protocol has a column only where there are two or more, settings only rows that differ."""
    shown = table[table["differs"] == "yes"] if name == "compare_settings" else table
    one = "protocol" in table and table["protocol"].nunique() < 2
    columns = tuple(column for column in SHOWN[name] if not (one and column is _PROTOCOL))
    rows = tuple(tuple(column.render(row) for column in columns) for row in shown.to_dict("records"))
    return ReadingTable(columns, rows)
