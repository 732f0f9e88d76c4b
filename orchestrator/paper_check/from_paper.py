"""The published study that facet reproduces, in the form that the checks read."""

from __future__ import annotations

from orchestrator.paper import Paper
from orchestrator.paper_check.reported import Reported
from orchestrator.paper_check.tables import ClassTable, Convergence, Drops, Row, Scores, Speed, TimeReduction
from search_spaces.conditions import title_of

PROPOSED, END_TO_END = "proposed", "eca_mtcnn"
"""The condition of Tables 3 and 4, and the one that Table 2 sets it against."""


def reported_by(paper: Paper) -> Reported:
    """The values of `paper`, conditions by their titles."""
    return Reported(
        title=f"{paper.title} ({paper.year})",
        counts={"train": paper.data.train, "test": paper.data.test},
        detection=paper.detection,
        rows={title_of(name): _row(paper, name) for name in paper.table1},
        class_scores=ClassTable(of=title_of(PROPOSED), scores=_class_scores(paper)),
        convergence=_convergence(paper),
        drops=Drops(of=title_of(PROPOSED), rows={title_of(name): drop for name, drop in paper.table4.items()}),
        seeds=paper.seeds,
        selected_on=paper.selected_on,
    )


def _row(paper: Paper, name: str) -> Row:
    return Row(
        accuracy=paper.table1[name],
        without=paper.excluded.get(name, ()),
        approximate=name in paper.approximate,
    )


def _class_scores(paper: Paper) -> dict[str, Scores]:
    rows = paper.table3.items()
    return {label: Scores(precision=row.precision, recall=row.recall, f1=row.f1) for label, row in rows}


def _convergence(paper: Paper) -> Convergence:
    rows = {
        title_of(name): Speed(accuracy=row.accuracy, epoch_to_threshold=row.epoch_to_threshold, minutes=row.minutes)
        for name, row in paper.table2.rows.items()
    }
    saved = TimeReduction(share=paper.table2.time_reduction, of=title_of(PROPOSED), against=title_of(END_TO_END))
    return Convergence(threshold=paper.table2.threshold, time_reduction=saved, rows=rows)
