"""Figure 10: the confusion matrices of all conditions under one protocol, side by side. K classes of any condition."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from orchestrator.report.answers import GroupAnswers
from orchestrator.report.class_tables import confusions
from orchestrator.report.figure_style import WIDTH_IN

FAIREST_FIRST = ("clean", "grouped_kfold", "paper")
NOT_KNOWN = "#E4E4E4"
"""Of a class that the condition leaves out."""
_LAST_NUMBERS = 10
"""With more classes, cells are too small for numbers."""


def fairest_protocol(protocols: Sequence[str]) -> str | None:
    """The protocol whose numbers flatter least, of those that were run: clean, else grouped_kfold, else paper."""
    known = [name for name in FAIREST_FIRST if name in protocols]
    return next(iter([*known, *protocols]), None)


def confusion_multiples(answers: Sequence[GroupAnswers]) -> Figure | None:
    """One small matrix a condition, all over the same classes in the same order; None where nothing was run."""
    protocol = fairest_protocol([item.group.protocol for item in answers])
    shown = [item for item in answers if item.group.protocol == protocol]
    if not shown:
        return None
    classes = sorted({name for item in shown for name in item.group.classes}, key=lambda name: (name.casefold(), name))
    num_columns = min(len(shown), 3 if len(shown) < 10 else 4)
    num_rows = -(-len(shown) // num_columns)
    figure = Figure(figsize=(WIDTH_IN, 1.0 + num_rows * (WIDTH_IN / max(num_columns, 2))), layout="constrained")
    axes = figure.subplots(num_rows, num_columns, squeeze=False)
    for place, axis in enumerate(axes.flat):
        if place >= len(shown):
            axis.set_axis_off()
            continue
        _draw(axis, shown[place], classes)
        axis.set_title("\n".join(textwrap.wrap(shown[place].group.title, 88 // num_columns)), fontsize=7.5)
        below = place + num_columns >= len(shown)
        _label(axis, classes, left=place % num_columns == 0, below=below)
    figure.suptitle(f"Protocol {protocol}", fontsize=9)
    figure.supxlabel("Answer", fontsize=9)
    figure.supylabel("True class", fontsize=9)
    return figure


def shares_over(item: GroupAnswers, classes: Sequence[str]) -> np.ndarray:
    """(K, K): of each true class the share of each answer, over all seeds; NaN where there is none."""
    counts_KK = confusions(item).sum(axis=0).astype(float)
    totals_K1 = counts_KK.sum(axis=1, keepdims=True)
    shares_KK = np.full((len(classes), len(classes)), np.nan)
    places = [classes.index(name) for name in item.group.classes]
    shares_KK[np.ix_(places, places)] = np.divide(
        counts_KK, totals_K1, out=np.full_like(counts_KK, np.nan), where=totals_K1 > 0
    )
    return shares_KK


def _draw(axis: Axes, item: GroupAnswers, classes: Sequence[str]) -> None:
    shares_KK = shares_over(item, classes)
    axis.set_facecolor(NOT_KNOWN)
    axis.imshow(shares_KK, cmap="Blues", vmin=0.0, vmax=1.0)
    axis.grid(visible=False)
    if len(classes) > _LAST_NUMBERS:
        return
    for (row, column), share in np.ndenumerate(shares_KK):
        if share >= 0.005:  # what is shown as 0 would only hide the others
            ink = "white" if share > 0.55 else "black"
            axis.text(column, row, f"{share * 100:.0f}", ha="center", va="center", color=ink, fontsize=6.5)


def _label(axis: Axes, classes: Sequence[str], *, left: bool, below: bool) -> None:
    """Class names at the outer edges alone; all matrices share their order."""
    places = range(len(classes))
    names = [textwrap.shorten(name, 14, placeholder="…") if len(name) > 14 else name for name in classes]
    axis.set_xticks(places, names if below else [""] * len(classes), rotation=90, fontsize=7)
    axis.set_yticks(places, names if left else [""] * len(classes), fontsize=7)
    axis.tick_params(length=0)
