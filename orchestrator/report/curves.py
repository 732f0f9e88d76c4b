"""Figures 3, 5 and 6: epoch by epoch. The line is the mean over seeds, the band their range."""

from __future__ import annotations

from collections.abc import Iterable

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from orchestrator.report.figure_style import BLUE, GREY, LINE_COLOURS, ORANGE, panels, percent_ticks
from orchestrator.report.results import Group, Results
from search_spaces.conditions import TABLE1


def accuracy_of_conditions(results: Results) -> Figure | None:
    """Figure 3: validation accuracy by epoch, one line a condition of Table 1."""
    shown = [group for group in results.groups if group.condition in TABLE1]
    if not shown:
        return None
    protocols = [name for name in results.protocols if any(group.protocol == name for group in shown)]
    figure, axes = panels(protocols, 3.9)
    colours = dict(zip(TABLE1, LINE_COLOURS, strict=True))
    for axis, protocol in zip(axes, protocols, strict=True):
        groups = [group for group in shown if group.protocol == protocol]
        for group in groups:
            width = 2.6 if group.condition == "proposed" else 1.4
            _draw(axis, group, "val_accuracy", label=group.title, colour=colours[group.condition], width=width)
        _mark_stage_change(axis, groups)
        _finish(axis, "Validation accuracy", share=True)
        axis.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    return figure


def accuracy_of_proposed(results: Results) -> Figure | None:
    """Figure 5: train and validation accuracy of the proposed condition."""
    return _train_and_validation(results, "accuracy", "Accuracy", share=True)


def loss_of_proposed(results: Results) -> Figure | None:
    """Figure 6: train and validation loss of the proposed condition."""
    return _train_and_validation(results, "loss", "Loss", share=False)


def _train_and_validation(results: Results, metric: str, name: str, *, share: bool) -> Figure | None:
    groups = results.of("proposed")
    if not groups:
        return None
    figure, axes = panels([group.protocol for group in groups], 3.4)
    for axis, group in zip(axes, groups, strict=True):
        _draw(axis, group, f"train_{metric}", label="Train", colour=ORANGE, width=1.8)
        _draw(axis, group, f"val_{metric}", label="Validation", colour=BLUE, width=1.8)
        _mark_stage_change(axis, [group])
        _finish(axis, name, share=share)
        axis.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    return figure


def _draw(axis: Axes, group: Group, field: str, *, label: str, colour: str, width: float) -> None:
    curve = group.curve(field)
    axis.plot(curve.index, curve.mean(axis=1), color=colour, linewidth=width, marker="o", label=label)
    if len(curve.columns) > 1:
        axis.fill_between(curve.index, curve.min(axis=1), curve.max(axis=1), color=colour, alpha=0.15, linewidth=0)


def _mark_stage_change(axis: Axes, groups: Iterable[Group]) -> None:
    """A dotted line between the classifier's last epoch alone and the first of everything."""
    changes = {last for group in groups if (last := group.last_head_epoch) is not None}
    for last in sorted(changes):
        axis.axvline(last + 0.5, color=GREY, linestyle=":", linewidth=1.4, label="Stage change")


def _finish(axis: Axes, name: str, *, share: bool) -> None:
    axis.set_xlabel("Epoch")
    axis.set_ylabel(name)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    if share:
        percent_ticks(axis.yaxis)
    axis.margins(x=0.03)
