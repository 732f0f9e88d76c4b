"""The tables about answers as people read them."""

from __future__ import annotations

import math

from orchestrator.report import wording
from orchestrator.report.shown import (
    Row,
    Shown,
    TableDoc,
    bounds,
    number_column,
    number_if_any_column,
    percent_column,
    percent_interval_column,
    text_column,
)

TABLE_DOCS = {
    "calibration": TableDoc(
        "Calibration. Whether confidence can be believed",
        "ECE is the mean distance between how sure a model says it is and how often it is right. With few photos it is "
        "never zero: compare it with what a calibrated model would show on as many. Temperatures are fitted on one "
        "half of the reported photos and scored on the other, copies of one photograph in the same half.",
    ),
    "class_scores": TableDoc(
        "Class by class, every condition",
        "As in table 3, for every condition. A class that is answered more often than it occurs has low precision; one "
        "that is never answered has recall 0.",
    ),
    "confusion": TableDoc(
        "Confusion, every condition",
        "What photos of each class are taken for, summed over seeds. Here only what occurred; the CSV has every pair.",
    ),
}


def _interval(heading: str, name: str, digits: int) -> Shown:
    def render(row: Row) -> str:
        mean, low, high = (wording.number(value, digits) for value in bounds(row, name))
        return f"{mean} ({low} to {high})" if low else mean

    return Shown(heading, render)


def _points(heading: str, name: str) -> Shown:
    return Shown(heading, lambda row: wording.points_interval(*bounds(row, name)))


def _whole(value: float) -> str:
    """`42`, or `41.5` where seeds differ."""
    return "" if math.isnan(value) else f"{round(value, 1):g}"


_CONDITION, _PROTOCOL = text_column("Condition", "title"), text_column("Protocol", "protocol")
SHOWN: dict[str, tuple[Shown, ...]] = {
    "calibration": (
        _CONDITION,
        _PROTOCOL,
        percent_interval_column("ECE (95 % interval)", "ece"),
        percent_column("ECE if calibrated", "ece_expected_mean"),
        percent_column("ECE, equal mass", "ece_mass_mean"),
        number_column("Bins of equal mass", "mass_bins"),
        _points("Confidence minus accuracy (95 % interval)", "gap"),
        _interval("NLL (95 % interval)", "nll", 3),
        _interval("Brier score (95 % interval)", "brier", 3),
        _interval("Temperature (95 % interval)", "temperature", 2),
        number_if_any_column("Fits at the bound", "at_bound"),
        percent_interval_column("ECE, temperature (95 % interval)", "ece_after"),
        _interval("NLL, temperature (95 % interval)", "nll_after", 3),
        number_column("Seeds", "seeds"),
        number_column("Photos", "photos"),
    ),
    "class_scores": (
        _CONDITION,
        _PROTOCOL,
        text_column("Class", "class"),
        Shown("Photos of the class", lambda row: _whole(row["support"])),
        Shown("Answers", lambda row: _whole(row["predicted_mean"])),
        percent_interval_column("Precision (95 % interval)", "precision"),
        percent_interval_column("Recall (95 % interval)", "recall"),
        percent_interval_column("F1 (95 % interval)", "f1"),
        number_column("Seeds", "seeds"),
    ),
    "confusion": (
        _CONDITION,
        _PROTOCOL,
        text_column("True class", "true_class"),
        text_column("Answer", "answer"),
        number_column("Count", "count"),
        percent_column("Share of the class", "share"),
        number_column("Seeds", "seeds"),
    ),
}
