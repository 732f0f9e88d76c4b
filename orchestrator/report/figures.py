"""The figures of the study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from matplotlib.figure import Figure

from datasets.folder import Folder
from orchestrator.paper import Paper
from orchestrator.report.charts import accuracy_by_stage, confusion_of_proposed, scores_by_class
from orchestrator.report.curves import accuracy_of_conditions, accuracy_of_proposed, loss_of_proposed
from orchestrator.report.effects_figure import effects_with_intervals
from orchestrator.report.figure_style import style, to_png, to_svg
from orchestrator.report.reached_figure import reached_by_epoch
from orchestrator.report.results import Results


@dataclass(frozen=True)
class FigureDoc:
    """`title` heads the figure, `reading` says what it shows; together they are its alternative text."""

    title: str
    reading: str


FIGURE_DOCS = {
    "figure3": FigureDoc(
        "Figure 3. Validation accuracy by epoch",
        "Line: mean over seeds; band: lowest to highest seed; dotted: where staged training goes from the classifier "
        "alone to the whole network. Over the photos that the epoch is chosen on: under protocol paper those reported, "
        "elsewhere a part of Train.",
    ),
    "figure4": FigureDoc(
        "Figure 4. Confusion matrix of the proposed condition",
        "Counts summed over seeds; the shade is the share of the true class.",
    ),
    "figure5": FigureDoc(
        "Figure 5. Accuracy of the proposed condition",
        "Train and validation, mean and range over seeds. Train: the moving model, on augmented photos.",
    ),
    "figure6": FigureDoc(
        "Figure 6. Loss of the proposed condition",
        "Train and validation, mean and range over seeds.",
    ),
    "figure7": FigureDoc(
        "Figure 7. Precision, recall and F1 by class",
        "Dots with 95 % intervals are ours, hollow diamonds the paper's.",
    ),
    "figure8": FigureDoc(
        "Figure 8. Accuracy by experimental stage",
        "Dots with 95 % intervals are ours, diamonds the paper's; dashed: always answering the commonest class.",
    ),
    "figure9": FigureDoc(
        "Figure 9. Reliability of the proposed condition",
        "Answers sorted into 15 bins by confidence: on the dashed line a model is right as often as it is sure. "
        "Whiskers: 95 % (Wilson) over the photos of the bin, a photo counted once however many seeds there are. Pale: "
        "fewer than five photos a seed. Bars: the photos a seed of each bin. Hollow: with temperatures fitted on the "
        "other half of the photos.",
    ),
    "figure10": FigureDoc(
        "Figure 10. Confusion matrices of all conditions",
        "Each cell: of the photos of a true class (row), the percentage that got an answer (column), over all seeds; "
        "below half a percent it has no number. Grey: a class that the condition leaves out.",
    ),
    "figure11": FigureDoc(
        "Figure 11. Trainings that have reached the threshold",
        "Share by epoch (1 minus Kaplan-Meier), left for the paper's threshold, right for 5 points above the majority "
        "baseline. Crosses: where trainings ended that never reached it; they are censored there, not left out.",
    ),
    "figure12": FigureDoc(
        "Figure 12. Effects of the components",
        "Dots with 95 % intervals over seeds, in points of accuracy: above zero the component helps, or two help each "
        "other. From the complete factorial that each panel names; intervals are not corrected for their number.",
    ),
}


def build_figures(results: Results, paper: Paper) -> dict[str, Figure]:
    """figure3 to figure12, less those whose conditions were not run."""
    with style():
        drawn = {
            "figure3": accuracy_of_conditions(results),
            "figure4": confusion_of_proposed(results),
            "figure5": accuracy_of_proposed(results),
            "figure6": loss_of_proposed(results),
            "figure7": scores_by_class(results, paper),
            "figure8": accuracy_by_stage(results, paper),
            "figure11": reached_by_epoch(results, paper),
            "figure12": effects_with_intervals(results),
        }
    return {name: figure for name, figure in drawn.items() if figure is not None}


def write_figures(figures: Mapping[str, Figure], folder: Folder) -> list[str]:
    """figures/<name>.png and .svg of each; the names written, relative to `folder`."""
    written = []
    for name, figure in figures.items():
        for ending, encode in (("png", to_png), ("svg", to_svg)):
            written.append(f"figures/{name}.{ending}")
            folder.write_bytes(written[-1], encode(figure))
    return written
