"""Figure 12: main effects and interactions of two, with their intervals."""

from __future__ import annotations

from itertools import groupby

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from orchestrator.report.factorial import Effect, effects_by_protocol, held_text
from orchestrator.report.figure_style import BLACK, BLUE, VERMILLION, WIDTH_IN
from orchestrator.report.results import Results

_COLOURS = {1: BLUE, 2: VERMILLION}
_NAMES = {1: "Main effect", 2: "Interaction of two"}
MINUS = "\u2212"
_ROW_IN, _HEAD_IN = 0.3, 1.0


def effects_with_intervals(results: Results) -> Figure | None:
    """One panel a factorial; None where no complete one was run."""
    effects = [effect for of_protocol in effects_by_protocol(results) for effect in of_protocol]
    designs = [
        [effect for effect in of_design if len(effect.factors) in _COLOURS]
        for _, of_design in groupby(effects, key=lambda effect: id(effect.design))
    ]
    if not designs:
        return None
    heights = [_HEAD_IN + _ROW_IN * len(rows) for rows in designs]
    figure = Figure(figsize=(WIDTH_IN, sum(heights)), layout="constrained")
    axes = figure.subplots(len(designs), squeeze=False, height_ratios=heights, sharex=True)[:, 0].tolist()
    for axis, rows in zip(axes, designs, strict=True):
        _draw(axis, rows)
    axes[-1].set_xlabel("Effect on accuracy, points")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return figure


def _draw(axis: Axes, effects: list[Effect]) -> None:
    axis.axvline(0.0, color=BLACK, linewidth=1.2)
    for order, colour in _COLOURS.items():
        rows = [(place, effect.interval) for place, effect in enumerate(effects) if len(effect.factors) == order]
        means = [interval.mean for _, interval in rows]
        spans = [(interval.mean - interval.low, interval.high - interval.mean) for _, interval in rows]
        bars, places = np.nan_to_num(np.array(spans).T), [place for place, _ in rows]
        axis.errorbar(means, places, xerr=bars, fmt="o", color=colour, capsize=3, markersize=6, label=_NAMES[order])
    axis.set_yticks(range(len(effects)), [_label(effect) for effect in effects])
    axis.set_ylim(len(effects) - 0.5, -0.5)
    axis.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share * 100:.3g}".replace("-", MINUS)))
    axis.tick_params(labelbottom=True)
    axis.grid(visible=False, axis="y")
    held = held_text(effects[0].design)
    axis.set_title(f"Protocol {effects[0].design.protocol}" + (f", all {held}" if held else ""), fontsize=9)


def _label(effect: Effect) -> str:
    names = [factor.name.removeprefix("exclusion of the ") for factor in effect.factors]
    names = [f"no {name}" if name == "rare class" else name for name in names]
    return " × ".join(names).capitalize()
