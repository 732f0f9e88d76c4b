"""What the report says of single answers: calibration, every class, every confusion, photos that all get wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd
from matplotlib.figure import Figure

from orchestrator.report.always_wrong import always_wrong, sentences
from orchestrator.report.answers import read_answers
from orchestrator.report.calibration import GroupCalibration, calibrate, calibration_rows
from orchestrator.report.calibration_figure import reliability_diagram
from orchestrator.report.class_tables import class_score_rows, confusion_rows
from orchestrator.report.columns import make_frame
from orchestrator.report.confusion_figure import confusion_multiples
from orchestrator.report.figure_style import style
from orchestrator.report.results import Results
from orchestrator.report.sections import Section
from orchestrator.report.wording import counted, listing, number

WRONG_PAGE_HINT = (
    "always_wrong.csv names them, with the answers they got. To look at them, `facet report RUN_DIR --wrong-photos` "
    "writes a page of its own with their crops; this page never holds one."
)
_FEW_PHOTOS = 100


@dataclass(frozen=True)
class AnswerReport:
    """Tables and figures by name, the sections that show them, and `wrong`: the rows of always_wrong.csv."""

    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    figures: dict[str, Figure] = field(default_factory=dict)
    sections: tuple[Section, ...] = ()
    wrong: pd.DataFrame = field(default_factory=pd.DataFrame)


def report_answers(results: Results, draw_of: Mapping[str, str]) -> AnswerReport:
    """Everything about single answers. draw_of: names the photograph of a photo that has copies."""
    answers = read_answers(results)
    calibrations = calibrate(answers, draw_of)
    rows = {
        "calibration": calibration_rows(calibrations),
        "class_scores": class_score_rows(answers),
        "confusion": confusion_rows(answers),
    }
    with style():
        drawn = {"figure9": reliability_diagram(calibrations), "figure10": confusion_multiples(answers)}
    figures = {name: figure for name, figure in drawn.items() if figure is not None}
    wrong = always_wrong(answers)
    sections = [
        Section(
            "answers-calibration",
            "Calibration",
            "",
            tables=("calibration",),
            figures=("figure9",),
            paragraphs=_few(calibrations),
        ),
        Section(
            "answers-classes",
            "Every class of every condition",
            "",
            tables=("class_scores", "confusion"),
            figures=("figure10",),
            collapsed=True,
        ),
    ]
    if answers:
        told = (*sentences(wrong, answers, draw_of), WRONG_PAGE_HINT)
        sections.append(Section("answers-wrong", "Photos that every condition gets wrong", "", paragraphs=told))
    return AnswerReport(
        {name: make_frame(name, of_table) for name, of_table in rows.items()}, figures, tuple(sections), wrong
    )


def _few(calibrations: list[GroupCalibration]) -> tuple[str, ...]:
    """A sentence where a protocol reports so few photos that a bin says little."""
    photos = {
        item.answers.group.protocol: item.answers.group.photos
        for item in calibrations
        if item.answers.group.condition == "proposed"
    }
    few = [f"{name} ({counted(count, 'photo')})" for name, count in photos.items() if count < _FEW_PHOTOS]
    if not few:
        return ()
    return (
        f"Few photos: under protocol {listing(few)} a bin of figure 9 holds a handful, and a temperature is fitted on "
        f"half of them ({number(min(photos.values()) // 2)}). Read the whiskers, not the dots.",
    )
