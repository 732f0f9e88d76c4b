"""The differences between two runs, condition by condition."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from orchestrator.compare.conditions import HIGHER, LOWER
from orchestrator.report.figure_style import BLACK, BLUE, GREY, VERMILLION, panels, style
from orchestrator.report.figures import FigureDoc

DOC = FigureDoc(
    "Difference in accuracy, B minus A",
    "Dots with 95 % intervals over other seeds and other photographs. Blue: B is higher; red: lower; grey: undecided. "
    "Right of the line B is the better.",
)
_COLOURS = {HIGHER: BLUE, LOWER: VERMILLION}
_MARKERS = {HIGHER: ">", LOWER: "<"}


def draw_differences(conditions: pd.DataFrame) -> Figure | None:
    """One panel a protocol; None where nothing is compared. `conditions`: the table compare_conditions."""
    rows = conditions[(conditions["metric"] == "accuracy") & conditions["difference_mean"].notna()]
    protocols = list(rows["protocol"].unique())
    if not protocols:
        return None
    with style():
        most = int(rows["protocol"].value_counts().max())
        figure, axes = panels(protocols, 1.0 + 0.32 * most)
        for axis, protocol in zip(axes, protocols, strict=True):
            mine = rows[rows["protocol"] == protocol].to_dict("records")
            axis.axvline(0, color=BLACK, linewidth=1)
            for place, row in enumerate(mine):
                colour, marker = _COLOURS.get(row["verdict"], GREY), _MARKERS.get(row["verdict"], "o")
                low, mean, high = (100 * row[f"difference_{name}"] for name in ("low", "mean", "high"))
                axis.plot([low, high], [place, place], color=colour)
                axis.plot([mean], [place], marker, color=colour, markersize=6)
            axis.set_yticks(range(len(mine)), [row["title"] for row in mine])
            axis.set_ylim(len(mine) - 0.5, -0.5)
            axis.set_xlabel("Points of accuracy")
            axis.grid(visible=False, axis="y")
    return figure
