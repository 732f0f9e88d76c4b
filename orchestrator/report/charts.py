"""Figures 4, 7 and 8: confusion matrix, scores by class, accuracy by stage. K classes."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from orchestrator.paper import Paper
from orchestrator.report.figure_style import BLACK, BLUE, GREEN, GREY, ORANGE, VERMILLION, panels, percent_ticks
from orchestrator.report.intervals import Interval
from orchestrator.report.results import Group, Results
from orchestrator.report.tables import class_intervals
from search_spaces.conditions import TABLE1

METRIC_COLOURS = {"precision": BLUE, "recall": ORANGE, "f1": GREEN}
METRIC_NAMES = {"precision": "Precision", "recall": "Recall", "f1": "F1"}


def confusion_of_proposed(results: Results) -> Figure | None:
    """Figure 4: counts summed over seeds; the shade is the share of the true class."""
    groups = results.of("proposed")
    if not groups:
        return None
    figure, axes = panels([group.protocol for group in groups], 1.4 + 0.55 * len(groups[0].classes))
    for axis, group in zip(axes, groups, strict=True):
        _draw_matrix(axis, group.confusion(), group.classes)
    return figure


def scores_by_class(results: Results, paper: Paper) -> Figure | None:
    """Figure 7: precision, recall and F1 of the proposed condition; hollow diamonds are the paper's."""
    groups = results.of("proposed")
    if not groups:
        return None
    figure, axes = panels([group.protocol for group in groups], 4.0)
    for axis, group in zip(axes, groups, strict=True):
        for shift, metric in zip((-0.22, 0.0, 0.22), METRIC_COLOURS, strict=True):
            _draw_metric(axis, group, paper, metric, shift)
        axis.plot([], [], "D", color=GREY, markerfacecolor="none", markersize=6, label="Published")
        _label_classes(axis, group.classes)
    _legend_above(figure)
    return figure


def accuracy_by_stage(results: Results, paper: Paper) -> Figure | None:
    """Figure 8: our accuracy with its interval, the paper's, and the majority baseline, one row a row of Table 1."""
    shown = [group for group in results.groups if group.condition in TABLE1]
    if not shown:
        return None
    protocols = [name for name in results.protocols if any(group.protocol == name for group in shown)]
    figure, axes = panels(protocols, 3.6)
    for axis, protocol in zip(axes, protocols, strict=True):
        _draw_stages(axis, [group for group in shown if group.protocol == protocol], paper)
    _legend_above(figure)
    return figure


def _draw_matrix(axis: Axes, counts_KK: np.ndarray, classes: list[str]) -> None:
    rows_K = np.maximum(counts_KK.sum(axis=1, keepdims=True), 1)
    share_KK = counts_KK / rows_K
    axis.imshow(share_KK, cmap="Blues", vmin=0.0, vmax=1.0)
    for (row, column), count in np.ndenumerate(counts_KK):
        ink = "white" if share_KK[row, column] > 0.55 else "black"
        axis.text(column, row, str(count), ha="center", va="center", color=ink)
    axis.set_xticks(range(len(classes)), classes, rotation=25, ha="right", rotation_mode="anchor")
    axis.set_yticks(range(len(classes)), classes)
    axis.set_xlabel("Answer")
    axis.set_ylabel("True class")
    axis.grid(visible=False)


def _draw_metric(axis: Axes, group: Group, paper: Paper, metric: str, shift: float) -> None:
    colour, places = METRIC_COLOURS[metric], np.arange(len(group.classes)) + shift
    intervals = [class_intervals(group, place)[metric] for place in range(len(group.classes))]
    means = [interval.mean for interval in intervals]
    bars, label = _whiskers(intervals), METRIC_NAMES[metric]
    axis.errorbar(places, means, yerr=bars, fmt="o", color=colour, capsize=3, linewidth=1.4, label=label)
    reported = [paper.class_scores(label) for label in group.classes]
    values = [getattr(scores, metric) if scores else np.nan for scores in reported]
    axis.plot(places + 0.07, values, "D", color=colour, markerfacecolor="none", markersize=6)


def _label_classes(axis: Axes, classes: list[str]) -> None:
    axis.set_xticks(range(len(classes)), classes)
    if len(classes) > 6:
        axis.tick_params(axis="x", labelrotation=30)
    axis.set_ylim(-0.03, 1.03)
    percent_ticks(axis.yaxis)
    axis.grid(visible=False, axis="x")


def _draw_stages(axis: Axes, groups: list[Group], paper: Paper) -> None:
    intervals, places = [group.accuracy_interval for group in groups], np.arange(len(groups))
    means = [interval.mean for interval in intervals]
    bars, ours = _whiskers(intervals), "Here (95 % interval)"
    axis.errorbar(means, places, xerr=bars, fmt="o", color=BLUE, capsize=3, markersize=6, label=ours)
    reported = [paper.table1[group.condition] for group in groups]
    axis.plot(reported, places, "D", color=VERMILLION, markerfacecolor="none", markersize=7, label="Published")
    baselines = [group.majority_accuracy for group in groups]
    low, high = places - 0.45, places + 0.45
    axis.vlines(baselines, low, high, color=BLACK, linestyle="--", linewidth=1.2, label="Majority baseline")
    axis.set_yticks(places, [group.title for group in groups])
    axis.set_ylim(len(groups) - 0.45, -0.55)  # the first row on top
    axis.set_xlim(0.0, 1.0)
    percent_ticks(axis.xaxis)
    axis.set_xlabel("Accuracy")
    axis.grid(visible=False, axis="y")


def _legend_above(figure: Figure) -> None:
    """One legend for all panels, clear of their titles."""
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))


def _whiskers(intervals: list[Interval]) -> np.ndarray:
    """(2, rows): how far each bound is from the mean; 0 where there is no interval."""
    distances = [(interval.mean - interval.low, interval.high - interval.mean) for interval in intervals]
    return np.nan_to_num(np.maximum(np.array(distances).T, 0.0))
