"""Table `calibration`: how far the confidence of each condition can be believed, with and without a temperature."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from orchestrator.report.answers import GroupAnswers, TrialAnswers
from orchestrator.report.calibration_scores import (
    brier_score,
    calibration_error,
    equal_mass_bins,
    equal_width_bins,
    error_if_calibrated,
    negative_log_likelihood,
    num_mass_bins,
    probabilities,
)
from orchestrator.report.calibration_temperature import cross_fit, deal_halves, halves_of
from orchestrator.report.intervals import Interval, seed_interval

Row = dict[str, Any]
_WITH_BOUNDS = ("gap", "ece", "ece_mass", "brier", "nll", "ece_after", "nll_after")
_MEANS = ("accuracy", "confidence", "ece_expected", "ece_mass_after", "brier_after")
_SHARES = ("ece", "ece_mass", "ece_after")


@dataclass(frozen=True, eq=False)
class TrialCalibration:
    """One trial: its scores by name (those `_after` from cross-fitted temperatures), and what a diagram shows.

    confidence_N, confidence_after_N: of the answer; the answer, and so right_N, is the same before and after.
    """

    scores: Mapping[str, float]
    confidence_N: np.ndarray
    confidence_after_N: np.ndarray
    right_N: np.ndarray


@dataclass(frozen=True, eq=False)
class GroupCalibration:
    """The trials of one condition under one protocol."""

    answers: GroupAnswers
    trials: tuple[TrialCalibration, ...]


def calibrate(answers: Sequence[GroupAnswers], draw_of: Mapping[str, str]) -> list[GroupCalibration]:
    """Every group, in order. The halves for cross-fitting are the same for all groups of a protocol."""
    protocols = dict.fromkeys(item.group.protocol for item in answers)
    half_of = {
        name: deal_halves([item for item in answers if item.group.protocol == name], draw_of) for name in protocols
    }
    return [
        GroupCalibration(item, tuple(_calibrate(trial, half_of[item.group.protocol]) for trial in item.trials))
        for item in answers
    ]


def _calibrate(trial: TrialAnswers, half_of: Mapping[str, int]) -> TrialCalibration:
    fit = cross_fit(trial.logits_NK, trial.true_N, halves_of(trial.path_N.tolist(), half_of))
    before, confidence_N = _scores(trial, trial.logits_NK)
    right_N, share = trial.right_N, float(trial.right_N.mean())
    after, confidence_after_N = (
        _scores(trial, fit.logits_NK) if fit else (dict.fromkeys(before, math.nan), np.full(len(right_N), math.nan))
    )
    mean = float(confidence_N.mean())
    scores = before | {f"{name}_after": value for name, value in after.items()}
    scores |= {"accuracy": share, "confidence": mean, "gap": mean - share}
    scores["ece_expected"] = error_if_calibrated(confidence_N, equal_width_bins(confidence_N))
    scores["log_temperature"] = math.log(fit.temperature) if fit else math.nan
    scores["at_bound"] = fit.num_at_bound if fit else 0
    return TrialCalibration(scores, confidence_N, confidence_after_N, right_N)


def _scores(trial: TrialAnswers, logits_NK: np.ndarray) -> tuple[dict[str, float], np.ndarray]:
    chances_NK, right_N = probabilities(logits_NK), trial.right_N
    confidence_N = np.take_along_axis(chances_NK, trial.answer_N[:, None], axis=1)[:, 0]
    mass_N = equal_mass_bins(confidence_N, num_mass_bins(len(confidence_N)))
    scores = {
        "ece": calibration_error(confidence_N, right_N, equal_width_bins(confidence_N)),
        "ece_mass": calibration_error(confidence_N, right_N, mass_N),
        "brier": brier_score(chances_NK, trial.true_N),
        "nll": negative_log_likelihood(logits_NK, trial.true_N),
    }
    return scores, confidence_N


def calibration_rows(calibrations: Sequence[GroupCalibration]) -> list[Row]:
    """One row a condition and protocol."""
    return [_row(item) for item in calibrations]


def _row(item: GroupCalibration) -> Row:
    group = item.answers.group
    values = {name: [trial.scores[name] for trial in item.trials] for name in item.trials[0].scores}
    row: Row = {
        "condition": group.condition,
        "title": group.title,
        "protocol": group.protocol,
        "seeds": len(item.trials),
        "photos": group.photos,
        "mass_bins": num_mass_bins(group.photos),
        "at_bound": sum(values["at_bound"]),
    }
    row |= {f"{name}_mean": float(np.mean(values[name])) for name in _MEANS}
    intervals = {name: seed_interval(values[name]) for name in _WITH_BOUNDS}
    kind = intervals["ece"].kind
    for name, interval in intervals.items():
        row |= _bounds(name, _inside(name, interval))
    return row | _bounds("temperature", _exponential(seed_interval(values["log_temperature"]))) | {"interval": kind}


def _inside(name: str, interval: Interval) -> Interval:
    """With bounds where the score can be; the difference `gap` may be on either side of 0."""
    if name in _SHARES:
        return interval.clipped()
    return interval if name == "gap" or math.isnan(interval.low) else replace(interval, low=max(interval.low, 0.0))


def _exponential(interval: Interval) -> Interval:
    mean, low, high = (float(np.exp(value)) for value in (interval.mean, interval.low, interval.high))
    return Interval(mean, low, high, interval.kind)


def _bounds(name: str, interval: Interval) -> dict[str, float]:
    return {f"{name}_mean": interval.mean, f"{name}_low": interval.low, f"{name}_high": interval.high}
