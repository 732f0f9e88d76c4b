"""Figure 11: the share of trainings that have reached a threshold, epoch by epoch (1 minus Kaplan-Meier)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from orchestrator.paper import Paper
from orchestrator.report.censored import Waiting, reached_curve, waiting_times
from orchestrator.report.figure_style import BLUE, GREY, ORANGE, VERMILLION, WIDTH_IN, percent_ticks
from orchestrator.report.results import Results
from orchestrator.report.staging_pairs import COMPARED
from orchestrator.report.thresholds import THRESHOLD_KINDS, thresholds_of

_LINES = {"proposed": (BLUE, 4.5), "minus_staging": (ORANGE, 2.6), "eca_mtcnn": (VERMILLION, 1.1)}
"""Colour and width, widest first, so that lines that lie on each other can all be seen."""
_HEIGHT_IN = 2.9


def reached_by_epoch(results: Results, paper: Paper) -> Figure | None:
    """A row of two panels (two thresholds) a protocol; a line a condition of Table 2.

    A cross marks where trainings end that never reach the threshold. None where no such condition was run.
    """
    protocols = [name for name in results.protocols if any(results.group(one, name) for one in COMPARED)]
    if not protocols:
        return None
    size = (WIDTH_IN, _HEIGHT_IN * len(protocols) + 0.4)
    figure = Figure(figsize=size, layout="constrained")
    axes_PT = figure.subplots(len(protocols), len(THRESHOLD_KINDS), squeeze=False, sharey=True)
    for axes_T, protocol in zip(axes_PT, protocols, strict=True):
        for place, axis in enumerate(axes_T):
            _draw_panel(axis, results, paper, protocol, place)
        axes_T[0].set_ylabel("Reached it")
    _legend(figure)
    return figure


def _draw_panel(axis: Axes, results: Results, paper: Paper, protocol: str, place: int) -> None:
    for condition, (colour, width) in _LINES.items():
        group = results.group(condition, protocol)
        if group is not None:
            threshold = thresholds_of(group, paper)[place]
            times = waiting_times(group, threshold.value, "epochs")
            _draw(axis, times, label=group.title, colour=colour, width=width)
    words = {"paper": f"{paper.table2.threshold * 100:.0f} %", "above_majority": "majority + 5 points"}
    axis.set_title(f"Protocol {protocol}, {words[THRESHOLD_KINDS[place]]}", fontsize=9)
    axis.set_xlabel("Epoch")
    axis.set_xlim(left=0)
    axis.margins(x=0.04)
    axis.set_ylim(-0.05, 1.05)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    percent_ticks(axis.yaxis)


def _draw(axis: Axes, times: Sequence[Waiting], *, label: str, colour: str, width: float) -> None:
    """From epoch 0, where none has reached it, to the last that any training ran."""
    when, share = reached_curve(times)
    when_N = np.concatenate([[0.0], when, [max(one.ran for one in times)]])
    share_N = np.concatenate([[0.0], share, share[-1:] if len(share) else [0.0]])
    axis.step(when_N, share_N, where="post", color=colour, linewidth=width, label=label)
    ends = sorted({one.time for one in times if not one.reached})
    there = share_N[np.searchsorted(when_N, ends, side="right") - 1]
    axis.plot(ends, there, "x", color=colour, markersize=6 + width, markeredgewidth=1.6, zorder=3)


def _legend(figure: Figure) -> None:
    """One line a condition of any panel, and the cross."""
    known = {
        label: handle for axis in figure.axes for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)
    }
    names = [*known, "Ended without"]
    (cross,) = figure.axes[0].plot([], [], "x", color=GREY, markersize=8, markeredgewidth=1.6)
    figure.legend([*known.values(), cross], names, loc="outside upper center", ncols=len(names), columnspacing=1.2)
