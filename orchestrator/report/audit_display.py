"""The audit's tables as people read them."""

from __future__ import annotations

from orchestrator.report import wording
from orchestrator.report.shown import Row, Shown, TableDoc, number_column, percent_column, text_column

NONE = "There are none."
TABLE_DOCS = {
    "audit_conflicts": TableDoc(
        "Audit. Photographs in several classes",
        "Copies of one photograph with different labels: at most one of them is right. A photograph in three classes "
        "has a row for each pair.",
        NONE,
    ),
    "audit_leaks": TableDoc(
        "Audit. Photographs in several splits",
        "Reported photos that were trained on: accuracy on them shows memory as well as skill.",
        NONE,
    ),
    "audit_ceiling": TableDoc(
        "Audit. Ceiling and majority baseline",
        "The ceiling is the best accuracy that contradicting copies leave to a model with one answer a photograph; the "
        "majority baseline is what always answering the commonest class scores. Accuracies say something between the "
        "two.",
        "No photo could be read.",
        "The ceiling of a class is the share of its photos that are not outvoted. Of two copies in two classes either "
        "may win, so both classes can have 100 %, though not at once.",
    ),
    "audit_photos": TableDoc(
        "Audit. What the photos are like, by class and split",
        "Look for classes that differ in what has nothing to do with faces. Medians are over readable photos.",
        "No photo could be read.",
    ),
    "audit_shortcuts": TableDoc(
        "Audit. What can be told without looking at faces",
        "Balanced accuracy of small trees on photographs that they have not seen; p is corrected over the rows of one "
        "question and set of features (Holm).",
        "Nothing to tell apart: fewer than two groups of 10 photographs or more.",
    ),
}


def _share(heading: str, name: str, share: str) -> Shown:
    return Shown(heading, lambda row: f"{wording.number(row[name])} ({wording.percent(row[share])})", value=name)


def _majority(row: Row) -> str:
    return f"{row['majority_class']}, {wording.percent(row['majority_accuracy'])}" if row["majority_class"] else ""


def _used(row: Row) -> str:
    return f"all of the {row['features']}" if row["used"] == "all" else str(row["used"]).replace("_", " ")


_PHOTOGRAPHS = (
    number_column("Photographs", "photographs"),
    number_column("By exact copies", "photographs_exact"),
    number_column("By near-copies alone", "photographs_near"),
)
SHOWN: dict[str, tuple[Shown, ...]] = {
    "audit_conflicts": (
        text_column("Class", "class_a"),
        text_column("Other class", "class_b"),
        *_PHOTOGRAPHS,
        number_column("Photos in the class", "photos_a"),
        number_column("Photos in the other", "photos_b"),
    ),
    "audit_leaks": (
        text_column("Split", "split_a"),
        text_column("Other split", "split_b"),
        *_PHOTOGRAPHS,
        _share("Photos in the split", "photos_a", "share_a"),
        _share("Photos in the other", "photos_b", "share_b"),
    ),
    "audit_ceiling": (
        text_column("Class", "class"),
        text_column("Split", "split"),
        number_column("Photos", "photos"),
        number_column("Photographs", "photographs"),
        number_column("Contradicted", "photos_contradicted"),
        percent_column("Ceiling", "ceiling"),
        percent_column("By exact copies alone", "ceiling_exact"),
        Shown("Majority baseline", _majority, numeric=False),
    ),
    "audit_photos": (
        text_column("Class", "class"),
        text_column("Split", "split"),
        number_column("Photos", "photos"),
        percent_column("Share of the split", "share_of_split"),
        percent_column("Face found", "share_mean"),
        Shown(
            "Commonest format",
            lambda row: f"{row['format_main']} {wording.percent(row['format_share'])}".strip(),
            value="format_share",
        ),
        Shown(
            "Shorter side (px): quartiles",
            lambda row: " / ".join(wording.number(row[f"short_side_{name}"]) for name in ("q25", "median", "q75")),
            value="short_side_median",
        ),
        Shown(
            "Median file (KB)",
            lambda row: wording.number(row["file_bytes_median"] / 1000, 1),
            value="file_bytes_median",
        ),
        number_column("Median face (px)", "face_px_median"),
        number_column("Median brightness", "brightness_median", 2),
        number_column("Median contrast", "contrast_median", 2),
        number_column("Median sharpness", "sharpness_median", 1),
    ),
    "audit_shortcuts": (
        text_column("Told apart", "question"),
        text_column("Which", "target"),
        Shown("From", _used, numeric=False),
        percent_column("Balanced accuracy", "balanced_accuracy"),
        percent_column("Chance", "chance"),
        Shown("p", lambda row: wording.p_value(row["p_value"]), value="p_value"),
        text_column("Told", "told"),
        text_column("Flagged", "flagged"),
        text_column("Best single feature", "feature"),
        text_column("How it differs", "contrast"),
    ),
}
