"""The tables of a comparison as people read them."""

from __future__ import annotations

import pandas as pd

from orchestrator.report import wording
from orchestrator.report.display import ReadingTable, reading_view
from orchestrator.report.shown import (
    PROTOCOL,
    Row,
    Shown,
    TableDoc,
    bounds,
    duration_column,
    p_column,
    percent_column,
    percent_interval_column,
    points_interval_column,
    text_column,
)

TABLE_DOCS = {
    "compare_conditions": TableDoc(
        "Conditions side by side",
        "“higher” and “lower” need six seeds and a p below 0.05, corrected over the conditions of the protocol, each "
        "score for itself; where paired, also p below 0.05 over the seeds alone and over the photographs alone.",
        "The runs have no condition under the same protocol in common.",
        "Paired: on photos that both report, photo by photo and seed by seed. Independent: other photos, or no seed in "
        "common.",
    ),
    "compare_verdicts": TableDoc(
        "Verdicts side by side",
        "One row a hypothesis and protocol, two where the runs mean different things by one name. That a claim is "
        "supported in one run and undecided in the other does not show that the runs differ; what shows that is the "
        "change in the table of components.",
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


def _both(heading: str, name: str, digits: int = 0) -> Shown:
    """`6 and 3`, or one number where both are the same."""

    def render(row: Row) -> str:
        texts = [wording.number(row[f"{name}_{side}"], digits) for side in "ab"]
        return texts[0] if texts[0] == texts[1] else " and ".join(texts)

    return Shown(heading, render, value=f"{name}_a")


def _difference(side: str) -> Shown:
    def render(row: Row) -> str:
        in_epochs = str(row["metric"]).startswith("epochs")
        return (wording.epochs_interval if in_epochs else wording.points_interval)(*bounds(row, side))

    return Shown(f"{side.upper()}: difference (95 % interval)", render, value=f"{side}_mean")


SHOWN: dict[str, tuple[Shown, ...]] = {
    "compare_conditions": (
        text_column("Condition", "title"),
        PROTOCOL,
        text_column("Score", "metric", {"macro_f1": "macro F1"}),
        text_column("B is", "verdict"),
        percent_interval_column("A (95 % interval)", "a"),
        percent_interval_column("B (95 % interval)", "b"),
        points_interval_column("B minus A (95 % interval)", "difference"),
        p_column("p", "p_value"),
        p_column("p, corrected", "p_holm"),
        text_column("Compared", "basis"),
        _both("Seeds", "seeds"),
        _both("Photos", "photos"),
        text_column("Why", "reason"),
    ),
    "compare_verdicts": (
        text_column("No.", "assumption"),
        text_column("Claim", "claim"),
        PROTOCOL,
        text_column("Verdict in A", "verdict_a"),
        text_column("Verdict in B", "verdict_b"),
        text_column("Together", "agreement"),
        _difference("a"),
        _difference("b"),
        _both("Seeds", "seeds"),
    ),
    "compare_components": (
        text_column("Component removed", "component"),
        PROTOCOL,
        points_interval_column("Drop in A (95 % interval)", "a"),
        points_interval_column("Drop in B (95 % interval)", "b"),
        points_interval_column("Change (95 % interval)", "change"),
        p_column("p", "p_value"),
        text_column("Compared", "basis"),
    ),
    "compare_measured": (
        text_column("Condition", "title"),
        PROTOCOL,
        percent_interval_column("A: accuracy (95 % interval)", "a"),
        percent_interval_column("B: accuracy (95 % interval)", "b"),
        percent_column("A: majority baseline", "majority_a"),
        percent_column("B: majority baseline", "majority_b"),
        _both("Seeds", "seeds"),
        _both("Photos reported", "photos"),
        _both("Photos with a face", "photos_with_face"),
        _both("Photos trained on", "train_photos"),
        duration_column("A: compute", "compute_s_a"),
        duration_column("B: compute", "compute_s_b"),
        percent_column("B of A", "compute_ratio"),
    ),
    "compare_runs": (text_column("Fact", "fact"), text_column("A", "a"), text_column("B", "b")),
    "compare_settings": (
        text_column("Part", "part"),
        text_column("Field", "field"),
        text_column("A", "a"),
        text_column("B", "b"),
    ),
}


def view(name: str, table: pd.DataFrame) -> ReadingTable:
    """The reading view; of the settings those that differ."""
    return reading_view(SHOWN[name], table[table["differs"] == "yes"] if name == "compare_settings" else table)
