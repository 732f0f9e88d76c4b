"""Photos whose label the study's own models find hard to believe, from predictions out of the fold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from datasets.folder import Folder
from orchestrator.audit.label_errors import LABEL_ISSUES_FILE, write_label_issues
from orchestrator.report.results import Group, Results
from orchestrator.report.skill import beats_majority
from orchestrator.report.wording import counted

OUT_OF_FOLD = "grouped_kfold"
NOT_JUDGED = (
    "Likely label errors: not judged, since “{title}” is not shown to beat always answering the commonest class on "
    "photos that it was not trained on."
)


@dataclass(frozen=True)
class Suspects:
    """`sentence`: for the page. `file`: written into the run folder, or None."""

    sentence: str
    file: str | None


def write_suspects(results: Results, run_folder: Folder, draw_of: Mapping[str, str]) -> Suspects | None:
    """Write the likely label errors; None, and no file, where no condition has been run on folds of the photos.

    Where the models are not shown to know anything, what they find hard to believe means nothing: then no file either.
    """
    group = _best_informed(results)
    if group is None or not beats_majority(group, draw_of):
        run_folder.delete(LABEL_ISSUES_FILE)
        return None if group is None else Suspects(NOT_JUDGED.format(title=group.title), None)
    issues = write_label_issues(run_folder, pd.concat(group.predictions), group.classes)
    num_issues = int(issues["issue"].sum())
    return Suspects(
        f"Likely label errors: {counted(num_issues, 'photo')} of {len(issues)}, by what “{group.title}” says to photos "
        f"that it was not trained on, over {counted(len(group.seeds), 'seed')} of {OUT_OF_FOLD}. {LABEL_ISSUES_FILE} "
        "ranks all photos; a hard photo looks like a wrong label, so look before you change one.",
        LABEL_ISSUES_FILE,
    )


def _best_informed(results: Results) -> Group | None:
    """Of the conditions on folds, those that know the most classes; of these the one that was the most accurate on
    the photos that its epochs were chosen on, which are not those it reports.
    """
    groups = [group for group in results.groups if group.protocol == OUT_OF_FOLD]
    return max(groups, key=lambda group: (len(group.classes), _accuracy_chosen_on(group)), default=None)


def _accuracy_chosen_on(group: Group) -> float:
    best = [
        max(epoch["val_accuracy"] for epoch in epochs)
        for record in group.records
        for epochs in record.get("epochs_of_folds", [record["epochs"]])
    ]
    return sum(best) / len(best)
