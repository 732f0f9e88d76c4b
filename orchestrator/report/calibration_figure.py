"""Figure 9: the reliability diagram of the proposed condition. B bins of equal width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from statsmodels.stats.proportion import proportion_confint

from orchestrator.report.calibration import GroupCalibration
from orchestrator.report.calibration_scores import NUM_BINS, equal_width_bins
from orchestrator.report.figure_style import BLUE, GREY, ORANGE, WIDTH_IN, percent_ticks
from orchestrator.report.intervals import CONFIDENCE

BEFORE: dict[str, Any] = {"color": BLUE, "marker": "o", "markersize": 5, "label": "As trained (95 % interval)"}
AFTER: dict[str, Any] = {
    "color": ORANGE,
    "marker": "D",
    "markersize": 5,
    "markerfacecolor": "none",
    "label": "With temperature",
}
_WHISKERS: dict[str, Any] = {"capsize": 2, "linewidth": 1.1, "linestyle": ""}
FEW_PHOTOS = 5
"""A bin with fewer photos a seed is drawn pale."""
_SHIFT = 0.012
"""Of the two series, to either side of where they stand: their whiskers would cover each other."""


def reliability_diagram(calibrations: Sequence[GroupCalibration]) -> Figure | None:
    """One panel a protocol of the proposed condition, the photos of each bin below it; None if it was not run."""
    chosen = [item for item in calibrations if item.answers.group.condition == "proposed"]
    if not chosen:
        return None
    figure = Figure(figsize=(WIDTH_IN, 4.6 * len(chosen)), layout="constrained")
    axes = figure.subplots(2 * len(chosen), squeeze=False, height_ratios=[3.4, 1] * len(chosen))[:, 0]
    for place, item in enumerate(chosen):
        _draw(axes[2 * place], axes[2 * place + 1], item)
        if len(chosen) > 1:
            axes[2 * place].set_title(f"Protocol {item.answers.group.protocol}")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return figure


def bin_shares(confidence_N: np.ndarray, right_N: np.ndarray, num_seeds: int) -> dict[str, np.ndarray]:
    """Of the answers of all seeds together, each (B,): mean confidence, share that is right with bounds, photos a seed.

    Wilson interval over the photos a seed: the same photo under another seed is no further evidence about photos.
    """
    bin_N = equal_width_bins(confidence_N)
    counts_B = np.bincount(bin_N, minlength=NUM_BINS)
    filled_B = counts_B > 0
    share_B, mean_B = (
        np.bincount(bin_N, weights=values, minlength=NUM_BINS)[filled_B] / counts_B[filled_B]
        for values in (right_N, confidence_N)
    )
    photos_B = counts_B[filled_B] / num_seeds
    low_B, high_B = proportion_confint(share_B * photos_B, photos_B, alpha=1 - CONFIDENCE, method="wilson")
    low_B, high_B = np.minimum(low_B, share_B), np.maximum(high_B, share_B)  # rounding, at 0 and 1
    return {"confidence": mean_B, "share": share_B, "low": low_B, "high": high_B, "photos": photos_B}


def _draw(axis: Axes, counts: Axes, item: GroupCalibration) -> None:
    right_N = np.concatenate([trial.right_N for trial in item.trials])
    num_seeds = len(item.trials)
    axis.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1.2, label="Confidence = accuracy")
    for look, name, shift in ((BEFORE, "confidence_N", -_SHIFT), (AFTER, "confidence_after_N", _SHIFT)):
        confidence_N = np.concatenate([getattr(trial, name) for trial in item.trials])
        known_N = ~np.isnan(confidence_N)
        if known_N.any():
            _draw_bins(axis, counts, bin_shares(confidence_N[known_N], right_N[known_N], num_seeds), look, shift)
    axis.set_ylabel("Share that is right")
    counts.set_ylabel("Photos\na seed")
    counts.set_xlabel("Confidence of the answer")
    for each in (axis, counts):
        each.set_xlim(0, 1.02)
        percent_ticks(each.xaxis)
    percent_ticks(axis.yaxis)
    axis.set_ylim(-0.03, 1.03)
    counts.set_ylim(0, counts.get_ylim()[1] * 1.25)  # room for the numbers


def _draw_bins(axis: Axes, counts: Axes, bins: dict[str, np.ndarray], look: dict[str, Any], shift: float) -> None:
    whiskers = np.stack([bins["share"] - bins["low"], bins["high"] - bins["share"]])
    pale_B = bins["photos"] < FEW_PHOTOS
    for part_B, alpha in ((~pale_B, 1.0), (pale_B, 0.35)):
        axis.errorbar(
            bins["confidence"][part_B] + shift / 3,
            bins["share"][part_B],
            whiskers[:, part_B],
            alpha=alpha,
            **_WHISKERS,
            **(look | ({} if alpha == 1.0 else {"label": "_"})),  # one entry in the legend
        )
    middle_B = (equal_width_bins(bins["confidence"]) + 0.5) / NUM_BINS + shift
    filled = "none" if look is AFTER else look["color"]
    counts.bar(middle_B, bins["photos"], 1.8 * _SHIFT, edgecolor=look["color"], color=filled)
    for place, photos in zip(middle_B, bins["photos"], strict=True) if look is BEFORE else ():
        text = f"{photos:.0f}" if photos >= 1 else "<1"
        counts.text(place, photos, text, ha="center", va="bottom", fontsize=6.5)
