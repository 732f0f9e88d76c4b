"""The convergence tables as people read them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from orchestrator.report import wording
from orchestrator.report.shown import (
    PROTOCOL,
    Row,
    Shown,
    TableDoc,
    bounds,
    duration_column,
    number_column,
    percent_column,
    text_column,
)
from search_spaces.conditions import title_of

TABLE_DOCS = {
    "convergence": TableDoc(
        "Convergence. Time to a threshold, with those that never reach it",
        "The restricted mean counts a training that never gets there with the whole horizon, the longest that all "
        "compared trainings ran: equal to the horizon means that none got there. The median is empty where fewer than "
        "half did. Clock: the same study run again gives other seconds.",
    ),
    "convergence_compared": TableDoc(
        "Convergence. Staged minus end-to-end",
        "Differences of restricted means, paired by seed: below zero staged training gets there sooner. A pair is fair "
        "where it differs in staged training alone; the others, the paper's among them, differ in more. Log-rank p: a "
        "check that pairs nothing; p and log-rank p are not corrected for the number of rows.",
        "No finished trial has a row here: that takes a staged and an end-to-end condition under the same seed.",
    ),
    "stages": TableDoc(
        "Convergence. Stage by stage",
        "Of one training. Reached: trainings whose first epoch at or above the threshold lies in the stage.",
    ),
}
THRESHOLD_WORDS = {"paper": "the paper's", "above_majority": "majority + 5"}
STAGE_WORDS = {"head": "classifier alone", "finetune": "everything", "end_to_end": "everything, from the start"}
_FIELDS = {
    "crop": "face cropping",
    "attention": "channel attention",
    "staged": "staged training",
    "rare_class_excluded": "rare class",
    "loss": "training loss",
    "landmarks": "landmarks",
}


def threshold_text(row: Row) -> str:
    """`60.0 % (the paper's)`, or both where the two conditions wait for different ones."""
    ours, theirs = row["threshold"], row.get("threshold_other", row["threshold"])
    values = wording.percent(ours) if ours == theirs else f"{wording.percent(ours)} / {wording.percent(theirs)}"
    return f"{values} ({THRESHOLD_WORDS[row['threshold_kind']]})"


def _differing(row: Row) -> str:
    names = [_FIELDS.get(name, name) for name in str(row["differing"]).split()]
    return f"{names[0]} alone" if len(names) == 1 else wording.listing(names)


def _with_interval(text: Callable[[float, float, float], str], name: str, row: Row) -> str:
    return text(*bounds(row, name))


def _interval(heading: str, name: str, text: Callable[[float, float, float], str]) -> Shown:
    return Shown(heading, partial(_with_interval, text, name))


def _p(heading: str, column: str) -> Shown:
    return Shown(heading, lambda row: wording.p_value(row[column]))


_THRESHOLD = Shown("Threshold", threshold_text)
_SECONDS = wording.seconds_interval
SHOWN: dict[str, tuple[Shown, ...]] = {
    "convergence": (
        text_column("Condition", "title"),
        PROTOCOL,
        text_column("Training", "training", {"end_to_end": "end-to-end"}),
        _THRESHOLD,
        Shown("Reached it", lambda row: f"{row['reached']} of {row['trainings']}"),
        number_column("Median epoch", "epochs_median"),
        _interval("Epochs, restricted mean (95 % interval)", "epochs_restricted", wording.epochs_interval),
        number_column("Horizon, epochs", "epochs_horizon"),
        duration_column("Median compute", "compute_s_median"),
        _interval("Compute, restricted mean (95 % interval)", "compute_s_restricted", _SECONDS),
        duration_column("Horizon, compute", "compute_s_horizon"),
        duration_column("Median clock", "wall_s_median"),
        _interval("Clock, restricted mean (95 % interval)", "wall_s_restricted", _SECONDS),
        duration_column("Horizon, clock", "wall_s_horizon"),
        number_column("Seeds", "seeds"),
    ),
    "convergence_compared": (
        Shown("Staged", lambda row: title_of(row["condition"]), numeric=False),
        Shown("End-to-end", lambda row: title_of(row["other"]), numeric=False),
        PROTOCOL,
        _THRESHOLD,
        _interval("Epochs (95 % interval)", "epochs_difference", wording.epochs_interval),
        _p("p", "epochs_p_value"),
        _p("Log-rank p", "epochs_log_rank_p"),
        _interval("Compute (95 % interval)", "compute_s_difference", _SECONDS),
        _p("p, compute", "compute_s_p_value"),
        _p("Log-rank p, compute", "compute_s_log_rank_p"),
        _interval("Clock (95 % interval)", "wall_s_difference", _SECONDS),
        _p("p, clock", "wall_s_p_value"),
        _p("Log-rank p, clock", "wall_s_log_rank_p"),
        Shown("Reached it", lambda row: f"{row['reached']} against {row['reached_other']}"),
        Shown("Differ in", _differing, numeric=False),
        number_column("Seeds", "seeds"),
    ),
    "stages": (
        text_column("Condition", "title"),
        PROTOCOL,
        text_column("What is trained", "stage", STAGE_WORDS),
        number_column("Epochs", "stage_epochs", 1),
        percent_column("Accuracy at its end", "stage_accuracy"),
        Shown("Reached 60 % here", lambda row: f"{row['reached_paper']} of {row['trainings']}"),
        Shown("Reached majority + 5 here", lambda row: f"{row['reached_above_majority']} of {row['trainings']}"),
        duration_column("Compute", "stage_compute_s"),
        percent_column("Share of the compute", "stage_compute_share"),
        duration_column("Clock", "stage_wall_s"),
        number_column("Seeds", "seeds"),
    ),
}
