"""The columns of the tables: their order, how a heading calls them and what they mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from orchestrator.report import (
    answer_columns,
    audit_columns,
    convergence_columns,
    factorial_columns,
    verdict_columns,
)


class ColumnDoc(NamedTuple):
    """`heading` for people, `meaning` for tables/README.md."""

    heading: str
    meaning: str


_ORDER = {
    "table1": (
        "condition title protocol face_cropping attention training rare_class loss landmarks seeds photos "
        "accuracy_mean accuracy_low accuracy_high accuracy_sd interval accuracy_general_low accuracy_general_high "
        "photos_with_face accuracy_with_face_mean accuracy_on_all_mean "
        "macro_f1_mean macro_f1_low macro_f1_high majority_accuracy paper_accuracy"
    ),
    "table2": (
        "condition title protocol training threshold threshold_kind seeds seeds_reached seeds_censored "
        "epoch_to_threshold_mean "
        "epochs_restricted_mean epochs_restricted_low epochs_restricted_high epochs_horizon epochs_run accuracy_mean "
        "paper_epoch_to_threshold paper_minutes paper_time_reduction "
        "compute_s_to_threshold_mean compute_s_total_mean wall_s_total_mean "
        "time_reduction_vs_eca_mtcnn time_reduction_vs_minus_staging"
    ),
    "table3": (
        "class protocol seeds support precision_mean precision_low precision_high recall_mean recall_low recall_high "
        "f1_mean f1_low f1_high interval paper_precision paper_recall paper_f1"
    ),
    **verdict_columns.ORDER,
    "claims": (
        "assumption claim metric verdict_paper verdict_clean verdict_grouped_kfold difference_paper difference_clean "
        "difference_grouped_kfold paper_verdict survives"
    ),
    "protocols": (
        "condition title paper_mean paper_low paper_high paper_photos clean_mean clean_low clean_high clean_photos "
        "grouped_kfold_mean grouped_kfold_low grouped_kfold_high grouped_kfold_photos optimism"
    ),
    "exclusion": (
        "protocol condition other seeds photos accuracy_without_class_mean accuracy_masked_mean "
        "accuracy_unmasked_mean difference_mean difference_low difference_high p_value"
    ),
    "forced": "protocol left_out answer seeds photos share_forced share_with_class",
    "detection": (
        "class split photos found share_mean share_low share_high no_face unreadable too_large failed "
        "several_faces probability_median face_px_median p_value"
    ),
    **answer_columns.ORDER,
    **convergence_columns.ORDER,
    **factorial_columns.ORDER,
    **audit_columns.ORDER,
}
TABLE_COLUMNS = {name: tuple(columns.split()) for name, columns in _ORDER.items()}

TIMED_COLUMNS = (
    "compute_s_to_threshold_mean",
    "compute_s_total_mean",
    "wall_s_total_mean",
    "time_reduction_vs_eca_mtcnn",
    "time_reduction_vs_minus_staging",
    *convergence_columns.TIMED,
)
"""Measured by a clock: the only columns that differ when the same study is run again."""

COLUMN_DOCS = {
    "condition": ColumnDoc("Condition", "Name of the condition; in table 4 the one that lacks the component."),
    "title": ColumnDoc("Title", "The condition as the page heads it."),
    "protocol": ColumnDoc("Protocol", "Which photos are trained on and reported on, and how the epoch is chosen."),
    "face_cropping": ColumnDoc("Face cropping", "yes: trained on the face crop; no: on the full frame."),
    "attention": ColumnDoc("Attention", "none, eca (after the last feature map) or eca_blocks (in every block)."),
    "training": ColumnDoc("Training", "staged: classifier first, then everything; end_to_end: everything at once."),
    "rare_class": ColumnDoc("Rare class", "Whether photos and output of the rare class are included or excluded."),
    "loss": ColumnDoc("Loss", "The training loss."),
    "landmarks": ColumnDoc("Landmarks", "yes: the five facial landmarks are joined to the features."),
    "seeds": ColumnDoc("Seeds", "Finished trials, one a seed; in tables 4 and 5 seeds that both conditions have."),
    "photos": ColumnDoc(
        "Photos",
        "Reported photos a seed; in tables 4 and 5 those that both conditions report; in `detection` and "
        "`audit_photos` all photos, in `audit_ceiling` the readable ones, in `audit_shortcuts` those examined.",
    ),
    "accuracy_mean": ColumnDoc("Accuracy", "Share of the reported photos that are right, mean over seeds."),
    "accuracy_low": ColumnDoc("Accuracy, low", "Lower bound of the 95 % interval."),
    "accuracy_high": ColumnDoc("Accuracy, high", "Upper bound of the 95 % interval."),
    "accuracy_sd": ColumnDoc("Accuracy, SD", "Sample standard deviation over seeds; empty for one seed."),
    "interval": ColumnDoc(
        "Interval",
        "What the 95 % interval over seeds is: `BCa over seeds` from six seeds on, else `t over seeds`; `Wilson over "
        "photos` for one seed (F1 then has none); `none (one seed)` for a difference.",
    ),
    "accuracy_general_low": ColumnDoc(
        "Accuracy, low, photos too", "Lower 95 % bound over other seeds and other photographs (two-way)."
    ),
    "accuracy_general_high": ColumnDoc(
        "Accuracy, high, photos too", "Upper 95 % bound over other seeds and other photographs (two-way)."
    ),
    "accuracy_with_face_mean": ColumnDoc("Accuracy, face found", "Accuracy on the photos in which a face was found."),
    "photos_with_face": ColumnDoc("Photos with a face", "Reported photos a seed in which a face was found."),
    "accuracy_on_all_mean": ColumnDoc(
        "Accuracy, all photos",
        "The same where a photo that was dropped for having no face counts as wrong; equal to the accuracy otherwise.",
    ),
    "macro_f1_mean": ColumnDoc("Macro F1", "Unweighted mean of the F1 of the classes, mean over seeds."),
    "macro_f1_low": ColumnDoc("Macro F1, low", "Lower bound of the 95 % interval; empty for one seed."),
    "macro_f1_high": ColumnDoc("Macro F1, high", "Upper bound of the 95 % interval; empty for one seed."),
    "majority_accuracy": ColumnDoc(
        "Majority baseline", "What always answering the class that is commonest in training scores."
    ),
    "paper_accuracy": ColumnDoc("Published: accuracy", "Best validation accuracy that the paper reports."),
    "threshold": ColumnDoc("Threshold", "Accuracy to be reached, in a share."),
    "threshold_kind": ColumnDoc(
        "Threshold kind",
        "paper: 0.60; above_majority: 0.05 above the majority baseline, which outside protocol paper is taken from the "
        "training photos.",
    ),
    "seeds_reached": ColumnDoc("Seeds that reached it", "Trials with an epoch at or above the threshold."),
    "seeds_censored": ColumnDoc("Seeds that did not", "Trials that never reached it (censored)."),
    "epoch_to_threshold_mean": ColumnDoc(
        "Epoch reached",
        "First epoch (counted from 1) at or above the threshold, mean over the seeds that reached it: those that "
        "never did are not in it. With folds a seed counts as the mean over its folds, and as not reached if one of "
        "them did not.",
    ),
    "epochs_run": ColumnDoc("Epochs run", "Epochs of a trial (the most, should seeds differ)."),
    "paper_epoch_to_threshold": ColumnDoc("Published: epoch", "The paper's epoch to 0.60."),
    "paper_minutes": ColumnDoc("Published: minutes", "The paper's total training time."),
    "paper_time_reduction": ColumnDoc(
        "Published: time saved", "Share of the end-to-end time that was saved, as reported."
    ),
    "compute_s_to_threshold_mean": ColumnDoc(
        "Compute to threshold (s)",
        "Seconds of training until the threshold, mean over the seeds that reached it, and of a seed over its folds.",
    ),
    "compute_s_total_mean": ColumnDoc(
        "Compute in all (s)", "Seconds of one training over all epochs, mean over seeds and folds."
    ),
    "wall_s_total_mean": ColumnDoc(
        "Clock in all (s)", "Seconds of one training by the clock, with evaluation, mean over seeds and folds."
    ),
    "time_reduction_vs_eca_mtcnn": ColumnDoc(
        "Time saved against ECA + MTCNN",
        "Share of the compute saved over shared seeds; the paper's comparison, in which the classes differ too.",
    ),
    "time_reduction_vs_minus_staging": ColumnDoc(
        "Time saved against end-to-end", "The same against the condition that differs in staged training alone."
    ),
    "class": ColumnDoc("Class", "The class, as the data name it; `all classes` in a row of totals."),
    "support": ColumnDoc("Photos of the class", "Reported photos of the class, mean over seeds."),
    "precision_mean": ColumnDoc("Precision", "Share of the answers of this class that are right; 0 if there are none."),
    "precision_low": ColumnDoc("Precision, low", "Lower bound of the 95 % interval."),
    "precision_high": ColumnDoc("Precision, high", "Upper bound of the 95 % interval."),
    "recall_mean": ColumnDoc("Recall", "Share of the photos of this class that are found."),
    "recall_low": ColumnDoc("Recall, low", "Lower bound of the 95 % interval."),
    "recall_high": ColumnDoc("Recall, high", "Upper bound of the 95 % interval."),
    "f1_mean": ColumnDoc("F1", "Harmonic mean of precision and recall."),
    "f1_low": ColumnDoc("F1, low", "Lower bound of the 95 % interval; empty for one seed."),
    "f1_high": ColumnDoc("F1, high", "Upper bound of the 95 % interval; empty for one seed."),
    "paper_precision": ColumnDoc("Published: precision", "The paper's value."),
    "paper_recall": ColumnDoc("Published: recall", "The paper's value."),
    "paper_f1": ColumnDoc("Published: F1", "The paper's value."),
    "p_value": ColumnDoc(
        "p",
        "Two-sided p of the difference, over other seeds and other photographs (of epochs, and in `effects`, over "
        "seeds alone; of a claim of equality, the larger of two one-sided p); in "
        "`detection`, in a row of a whole class or split, Fisher's exact two-sided p of its share against that of all "
        "other photos, Holm-corrected over the classes or splits; in `audit_shortcuts`, twice the median p over random "
        "halves of the photographs, Holm-corrected over the rows of one question and set of features.",
    ),
    "verdict_paper": ColumnDoc("Protocol paper", "Verdict under protocol paper, or not run."),
    "verdict_clean": ColumnDoc("Protocol clean", "Verdict under protocol clean, or not run."),
    "verdict_grouped_kfold": ColumnDoc("Protocol grouped_kfold", "Verdict under protocol grouped_kfold, or not run."),
    "difference_paper": ColumnDoc("Difference, paper", "First minus second under protocol paper, mean over seeds."),
    "difference_clean": ColumnDoc("Difference, clean", "The same under protocol clean."),
    "difference_grouped_kfold": ColumnDoc("Difference, grouped_kfold", "The same under protocol grouped_kfold."),
    "survives": ColumnDoc(
        "Survives", "What becomes of the claim under the protocols that read the reported photos only once."
    ),
    **{
        f"{name}_{part}": ColumnDoc(f"Protocol {name}{heading}", f"{meaning} under protocol {name}.")
        for name in ("paper", "clean", "grouped_kfold")
        for part, heading, meaning in (
            ("mean", "", "Accuracy, mean over seeds,"),
            ("low", ", low", "Lower bound of its 95 % interval"),
            ("high", ", high", "Upper bound of its 95 % interval"),
            ("photos", ", photos", "Reported photos a seed"),
        )
    },
    "optimism": ColumnDoc("Paper minus clean", "Accuracy under protocol paper minus that under protocol clean."),
    "other": ColumnDoc("Against", "The condition that knows the rare class and differs in nothing else."),
    "accuracy_without_class_mean": ColumnDoc(
        "Without the class", "Accuracy of the model that never saw the rare class, on photos of the other classes."
    ),
    "accuracy_masked_mean": ColumnDoc(
        "With it, masked", "Accuracy on the same photos of the model that knows it, where it may not answer it."
    ),
    "accuracy_unmasked_mean": ColumnDoc(
        "With it", "Accuracy on the same photos of the model that knows it, where it may answer it."
    ),
    "left_out": ColumnDoc("Class left out", "The rare class."),
    "answer": ColumnDoc("Answer", "What the model says; in `forced`, to photos of the class left out."),
    "share_forced": ColumnDoc("Share", "Of the answers of the proposed condition, which does not know the class."),
    "share_with_class": ColumnDoc("Share, class known", "Of the answers of the model that knows it, same photos."),
    "split": ColumnDoc("Split", "train, val or test; `all splits` in a row of totals."),
    "found": ColumnDoc("Face found", "Photos in which a face was found."),
    "share_mean": ColumnDoc("Share", "Photos with a face, of all photos of the row, those that failed among them."),
    "share_low": ColumnDoc("Share, low", "Lower bound of the 95 % Wilson interval over photos."),
    "share_high": ColumnDoc("Share, high", "Upper bound of the 95 % Wilson interval over photos."),
    "no_face": ColumnDoc("No face", "Photos that were searched without finding a face."),
    "unreadable": ColumnDoc("Unreadable", "Files that are damaged, empty or no picture."),
    "too_large": ColumnDoc("Too large", "Photos with more pixels than are decoded."),
    "failed": ColumnDoc(
        "Failed", "Photos on which the search for a face failed; they are used as photos without a face."
    ),
    "several_faces": ColumnDoc("Several faces", "Photos with more than one face; empty where that was not counted."),
    "probability_median": ColumnDoc(
        "Median probability", "Of the chosen faces being faces, as the detector gives it; empty without a face."
    ),
    "face_px_median": ColumnDoc(
        "Median face (px)", "Longer side of the chosen face's box, pixels of the photo; empty without a face."
    ),
    **{
        name: ColumnDoc(*doc)
        for module in (verdict_columns, answer_columns, convergence_columns, factorial_columns, audit_columns)
        for name, doc in module.DOCS.items()
    },
}


def make_frame(name: str, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The rows with the columns of that table, in its order; every row must give each of them."""
    return pd.DataFrame(
        [[row[column] for column in TABLE_COLUMNS[name]] for row in rows], columns=list(TABLE_COLUMNS[name])
    )
