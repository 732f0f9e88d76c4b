"""The columns of the convergence tables: their order, heading and meaning. What a clock measures stands last."""

from __future__ import annotations

from orchestrator.report.censored import CLOCK_UNITS, UNITS

_TIMES = ("median", "restricted_mean", "restricted_low", "restricted_high", "horizon")
_DIFFERENCES = ("difference_mean", "difference_low", "difference_high", "p_value", "log_rank_p", "pair_horizon")


def _names(units: tuple[str, ...], parts: tuple[str, ...]) -> str:
    return " ".join(f"{unit}_{part}" for unit in units for part in parts)


ORDER = {
    "convergence": (
        "condition title protocol training threshold threshold_kind seeds trainings reached reached_share "
        + _names(UNITS, _TIMES)
    ),
    "convergence_compared": (
        "condition other protocol differing threshold_kind threshold threshold_other seeds reached reached_other "
        + _names(UNITS, _DIFFERENCES)
    ),
    "stages": (
        "condition title protocol stage seeds trainings stage_epochs stage_accuracy reached_paper "
        "reached_above_majority stage_compute_s stage_compute_share stage_wall_s"
    ),
}
TIMED = (
    *_names(CLOCK_UNITS, _TIMES).split(),
    *_names(CLOCK_UNITS, _DIFFERENCES).split(),
    "stage_compute_s",
    "stage_compute_share",
    "stage_wall_s",
)
"""Measured by a clock."""

_WORDS = {"epochs": "epochs", "compute_s": "seconds of compute", "wall_s": "seconds by the clock"}
_HEADINGS = {"epochs": "Epochs", "compute_s": "Compute (s)", "wall_s": "Clock (s)"}


def _docs_of(unit: str) -> dict[str, tuple[str, str]]:
    heading, words = _HEADINGS[unit], _WORDS[unit]
    return {
        f"{unit}_median": (
            f"{heading}, median",
            f"The {words} by which half of the trainings had reached the threshold (Kaplan-Meier); empty where half "
            "never did.",
        ),
        f"{unit}_restricted_mean": (
            f"{heading}, restricted mean",
            f"Mean over seeds of the {words} to the threshold, of which no more than the horizon count: the area under "
            "the Kaplan-Meier curve up to there. Equal to the horizon where none reached it.",
        ),
        f"{unit}_restricted_low": (f"{heading}, low", "Lower bound of its 95 % interval, over seeds."),
        f"{unit}_restricted_high": (f"{heading}, high", "Upper bound of its 95 % interval, over seeds."),
        f"{unit}_horizon": (
            f"{heading}, horizon",
            f"The most {words} that every training of the conditions compared ran, under this protocol.",
        ),
        f"{unit}_difference_mean": (
            f"{heading}, difference",
            f"Restricted mean of the {words}, staged minus end-to-end, paired by seed: below zero staged is sooner.",
        ),
        f"{unit}_difference_low": (f"{heading}, difference, low", "Lower bound of its 95 % interval, over seeds."),
        f"{unit}_difference_high": (f"{heading}, difference, high", "Upper bound of its 95 % interval, over seeds."),
        f"{unit}_p_value": (f"{heading}, p", "Exact two-sided sign-flip p of the paired differences."),
        f"{unit}_log_rank_p": (
            f"{heading}, log-rank p",
            "Of the log-rank test, which pairs no seeds and looks beyond the horizon (folds are strata): a check. "
            "Empty where nothing tells the two apart.",
        ),
        f"{unit}_pair_horizon": (
            f"{heading}, horizon of the pair",
            f"The most {words} that every training of the two ran under the shared seeds; no more than these count.",
        ),
    }


DOCS = {
    "trainings": ("Trainings", "Finished trainings: one a seed, or one a seed and fold."),
    "reached": ("Reached it", "Trainings with an epoch at or above the threshold; all others are censored."),
    "reached_other": ("Reached it, end-to-end", "The same for the end-to-end condition."),
    "reached_share": ("Share that reached it", "By the end of training, as Kaplan-Meier has it."),
    "differing": (
        "Differ in",
        "Fields of the definition in which the two conditions differ; only `staged` alone makes the pair a fair one.",
    ),
    "threshold_other": ("Threshold, end-to-end", "The threshold that the end-to-end condition waits for."),
    "stage": ("Stage", "head: the classifier on a frozen backbone; finetune: everything, after it; or end_to_end."),
    "stage_epochs": ("Epochs in the stage", "Of one training, mean."),
    "stage_accuracy": ("Accuracy at its end", "Validation accuracy of the stage's last epoch, mean over trainings."),
    "reached_paper": ("Reached 0.60 here", "Trainings that were first at or above the paper's threshold here."),
    "reached_above_majority": ("Reached majority + 5 here", "The same for 0.05 above the majority baseline."),
    "stage_compute_s": ("Compute in the stage (s)", "Seconds of training in the stage, of one training, mean."),
    "stage_compute_share": ("Share of the compute", "Of all seconds of training of the condition."),
    "stage_wall_s": ("Clock in the stage (s)", "Seconds by the clock, with evaluation, of one training, mean."),
    **{name: doc for unit in UNITS for name, doc in _docs_of(unit).items()},
}
