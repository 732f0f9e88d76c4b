"""The tables as people read them: fewer columns, a mean and its interval in one cell, headings in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from datasets.protocols import PROTOCOLS
from orchestrator.report import (
    answer_display,
    audit_display,
    convergence_display,
    factorial_display,
    verdict_display,
    wording,
)
from orchestrator.report.shown import PROTOCOL, Row, Shown, TableDoc, p_column, points_between
from orchestrator.report.shown import bounds as _bounds
from orchestrator.report.shown import duration_column as _duration
from orchestrator.report.shown import number_column as _number
from orchestrator.report.shown import number_if_any_column as _number_if_any
from orchestrator.report.shown import percent_column as _percent
from orchestrator.report.shown import percent_interval_column as _percent_interval
from orchestrator.report.shown import points_column as _points
from orchestrator.report.shown import points_interval_column as _points_interval
from orchestrator.report.shown import text_column as _text
from search_spaces.conditions import TITLES

TABLE_DOCS = {
    "table1": TableDoc(
        "Table 1. Accuracy of each condition",
        "Compare a condition with the majority baseline (always answering the commonest class) before the paper: an "
        "interval that holds the baseline shows no skill.",
    ),
    "table2": TableDoc(
        "Table 2. Convergence, staged against end-to-end",
        "The fair comparison is with “Proposed without staged training”, from which nothing else differs; the paper's "
        "is with ECA + MTCNN. “Epoch reached” and the compute to the threshold are means over the trials that reached "
        "it, as in the paper, and flatter a condition that seldom does; the restricted mean counts the others with the "
        "epochs that all compared trials ran.",
    ),
    "table3": TableDoc(
        "Table 3. Proposed condition, class by class",
        "Scores of a class with few photos move in large steps: with 3 photos, recall is 0, 33, 67 or 100 %.",
    ),
    "claims": TableDoc(
        "Claims by protocol",
        "Protocol paper chooses the epoch on the reported photos and keeps copies where they are; a claim that holds "
        "there alone is not shown.",
    ),
    "protocols": TableDoc(
        "Protocols side by side",
        "Accuracy of each condition with its 95 % interval. What protocol paper gains over clean comes from choosing "
        "the epoch on the reported photos, from copies, and from chance.",
    ),
    "exclusion": TableDoc(
        "Leaving out the rare class, on the same photos",
        "A model with fewer classes has fewer ways to be wrong. Its fair opponent is the model that knows the class, "
        "scored on the same photos with that answer masked.",
    ),
    "forced": TableDoc(
        "What becomes of the class left out",
        "Shown a face of the class that it never learned, the proposed model must answer something else.",
    ),
    "detection": TableDoc(
        "Detection. Faces found by class and split",
        "The share is of all photos of the row, with its 95 % interval over photos (Wilson). Where it differs by "
        "class, crops are not missing at random, which biases comparisons of face crops with full frames.",
    ),
    **verdict_display.TABLE_DOCS,
    **answer_display.TABLE_DOCS,
    **convergence_display.TABLE_DOCS,
    **factorial_display.TABLE_DOCS,
    **audit_display.TABLE_DOCS,
}


def general_text(row: Row) -> str:
    """`55.0 to 67.6`: the bounds of an accuracy over other seeds and photographs."""
    return points_between(row["accuracy_general_low"], row["accuracy_general_high"])


TRAINING = _text("Training", "training", {"end_to_end": "end-to-end"})

SHOWN: dict[str, tuple[Shown, ...]] = {
    "table1": (
        _text("Condition", "title"),
        PROTOCOL,
        _percent_interval("Accuracy (95 % over seeds)", "accuracy"),
        Shown("95 % over seeds and photos", general_text, value="accuracy_general_low"),
        _percent("Published", "paper_accuracy"),
        _percent("Majority baseline", "majority_accuracy"),
        _percent_interval("Macro F1 (95 % interval)", "macro_f1"),
        _number("Seeds", "seeds"),
        _number("Photos", "photos"),
        _text("Face crop", "face_cropping"),
        _text("Attention", "attention", {"eca": "ECA", "eca_blocks": "ECA in blocks"}),
        TRAINING,
        _text("Rare class", "rare_class"),
        _percent("Accuracy, face found", "accuracy_with_face_mean"),
        _number("Photos with a face", "photos_with_face"),
        _percent("Accuracy, all photos", "accuracy_on_all_mean"),
        _text("Interval", "interval"),
    ),
    "table2": (
        _text("Condition", "title"),
        PROTOCOL,
        TRAINING,
        Shown("Threshold", convergence_display.threshold_text, value="threshold"),
        Shown("Seeds that reached it", lambda row: f"{row['seeds_reached']} of {row['seeds']}", value="seeds_reached"),
        _number("Epoch reached", "epoch_to_threshold_mean", 1),
        Shown(
            "Epochs, restricted mean (95 % interval)",
            lambda row: wording.epochs_interval(*_bounds(row, "epochs_restricted")),
        ),
        _number("Published: epoch", "paper_epoch_to_threshold"),
        _number("Epochs run", "epochs_run"),
        _percent("Accuracy", "accuracy_mean"),
        _duration("Compute to threshold", "compute_s_to_threshold_mean"),
        _duration("Compute in all", "compute_s_total_mean"),
        _duration("Clock in all", "wall_s_total_mean"),
        Shown("Published: time", lambda row: wording.duration(row["paper_minutes"] * 60), value="paper_minutes"),
        _percent("Compute saved against end-to-end", "time_reduction_vs_minus_staging"),
        _percent("Compute saved against ECA + MTCNN", "time_reduction_vs_eca_mtcnn"),
        _percent("Published: time saved", "paper_time_reduction"),
    ),
    "table3": (
        _text("Class", "class"),
        PROTOCOL,
        _number("Seeds", "seeds"),
        _number("Photos of the class", "support"),
        _percent_interval("Precision (95 % interval)", "precision"),
        _percent("Published", "paper_precision"),
        _percent_interval("Recall (95 % interval)", "recall"),
        _percent("Published", "paper_recall"),
        _percent_interval("F1 (95 % interval)", "f1"),
        _percent("Published", "paper_f1"),
    ),
    "claims": (
        _text("No.", "assumption"),
        _text("Claim", "claim"),
        *(_text(f"Protocol {name}", f"verdict_{name}") for name in PROTOCOLS),
        _text("Published", "paper_verdict"),
        _text("Survives", "survives"),
    ),
    "protocols": (
        _text("Condition", "title"),
        *(_percent_interval(f"Protocol {name}", name) for name in PROTOCOLS),
        _points("Paper minus clean", "optimism"),
        *(_number_if_any(f"Photos, {name}", f"{name}_photos") for name in PROTOCOLS),
    ),
    "exclusion": (
        _text("Without the class", "condition", TITLES),
        _text("With it", "other", TITLES),
        PROTOCOL,
        _percent("Without the class", "accuracy_without_class_mean"),
        _percent("With it, masked", "accuracy_masked_mean"),
        _percent("With it", "accuracy_unmasked_mean"),
        _points_interval("Difference to masked (95 % interval)", "difference"),
        p_column("p", "p_value"),
        _number("Seeds", "seeds"),
        _number("Photos", "photos"),
    ),
    "forced": (
        _text("Answer", "answer"),
        PROTOCOL,
        _percent("Share", "share_forced"),
        _percent("Share, class known", "share_with_class"),
        _text("Class left out", "left_out"),
        _number("Photos", "photos"),
        _number("Seeds", "seeds"),
    ),
    "detection": (
        _text("Class", "class"),
        _text("Split", "split"),
        _number("Photos", "photos"),
        _number("Face found", "found"),
        _percent_interval("Share (95 % interval)", "share"),
        _number("No face", "no_face"),
        _number("Unreadable", "unreadable"),
        _number_if_any("Too large", "too_large"),
        _number_if_any("Failed", "failed"),
        _number_if_any("Several faces", "several_faces"),
        _number("Median probability", "probability_median", 4),
        _number("Median face (px)", "face_px_median"),
        p_column("p", "p_value"),
    ),
    **verdict_display.SHOWN,
    **answer_display.SHOWN,
    **convergence_display.SHOWN,
    **factorial_display.SHOWN,
    **audit_display.SHOWN,
}


@dataclass(frozen=True)
class ReadingTable:
    """Columns and cells as texts, ready for a page; `values` is what cells are sorted by (Shown.sort_value)."""

    columns: tuple[Shown, ...]
    rows: tuple[tuple[str, ...], ...]
    values: tuple[tuple[str, ...], ...]


def reading_table(name: str, table: pd.DataFrame) -> ReadingTable:
    """The reading view of a table of the report."""
    return reading_view(SHOWN[name], table)


def reading_view(columns: Iterable[Shown], table: pd.DataFrame) -> ReadingTable:
    """The table in those columns; the protocol has one only where there are two or more."""
    columns = tuple(column for column in columns if _is_shown(column, table))
    records = table.to_dict("records")
    rows = tuple(tuple(column.render(row) for column in columns) for row in records)
    values = tuple(
        tuple(column.sort_value(row, text) for column, text in zip(columns, texts, strict=True))
        for row, texts in zip(records, rows, strict=True)
    )
    return ReadingTable(columns, rows, values)


def _is_shown(column: Shown, table: pd.DataFrame) -> bool:
    if column is PROTOCOL:
        return table["protocol"].nunique() > 1
    return not column.only_if or bool((table[column.only_if].fillna(0) > 0).any())
