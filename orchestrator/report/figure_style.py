"""One look for all figures. Source of the colours, which colour-blind readers tell apart: Okabe and Ito (2008),
https://jfly.uni-koeln.de/color/.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

BLACK, ORANGE, SKY, GREEN, BLUE, VERMILLION, PURPLE, GREY = (
    "#000000", "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7", "#767676",
)  # fmt: skip
LINE_COLOURS = (SKY, ORANGE, PURPLE, GREEN, VERMILLION, BLUE)

WIDTH_IN = 7.2
STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.6,
    "lines.markersize": 4,
    "text.parse_math": False,  # a class may be called "a$b"
    "svg.hashsalt": "facet",  # the same figure gives the same bytes
}


@contextmanager
def style() -> Iterator[None]:
    """The look, for as long as figures are drawn or saved; the reader's own settings play no part."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(cast(Any, STYLE))
        yield


def percent_ticks(axis: Axis) -> None:
    """Shares as percentages. Each tick says what it is: a step of 2.5 points is not taken, and nothing is rounded off."""
    axis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda share, _: f"{round(share * 100, 6):g} %"))


def panels(titles: Sequence[str], height_in: float) -> tuple[Figure, list[Axes]]:
    """One axes a title, beneath one another; a lone one has no title."""
    figure = Figure(figsize=(WIDTH_IN, height_in * len(titles)), layout="constrained")
    axes = figure.subplots(len(titles), squeeze=False)[:, 0].tolist()
    if len(titles) > 1:
        for axis, title in zip(axes, titles, strict=True):
            axis.set_title(f"Protocol {title}")
    return figure, axes


def to_png(figure: Figure) -> bytes:
    """150 dots an inch."""
    return _saved(figure, format="png", dpi=150, metadata={"Software": None})


def to_svg(figure: Figure) -> bytes:
    """Text as outlines, so that it looks the same everywhere."""
    return _saved(figure, format="svg", metadata={"Date": None})


def _saved(figure: Figure, **options: Any) -> bytes:
    buffer = io.BytesIO()
    with style():
        figure.savefig(buffer, facecolor="white", **options)
    return buffer.getvalue()
