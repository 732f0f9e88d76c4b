"""Photos whose label the study's own models find hard to believe, from predictions out of the fold."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from datasets.folder import Folder
from orchestrator.audit.label_errors import LABEL_ISSUES_FILE, write_label_issues
from orchestrator.report.results import Group, Results
from orchestrator.report.wording import counted

OUT_OF_FOLD = "grouped_kfold"


@dataclass(frozen=True)
class Suspects:
    """`sentence`: for the page. `file`: written into the run folder."""

    sentence: str
    file: str = LABEL_ISSUES_FILE


def write_suspects(results: Results, run_folder: Folder) -> Suspects | None:
    """Write the likely label errors; None where no condition has been run on folds of the photos."""
    group = _best_informed(results)
    if group is None:
        return None
    issues = write_label_issues(run_folder, pd.concat(group.predictions), group.classes)
    num_issues = int(issues["issue"].sum())
    return Suspects(
        f"Likely label errors: {counted(num_issues, 'photo')} of {len(issues)}, by what “{group.title}” says to photos "
        f"that it was not trained on, over {counted(len(group.seeds), 'seed')} of {OUT_OF_FOLD}. {LABEL_ISSUES_FILE} "
        "ranks all photos; a hard photo looks like a wrong label, so look before you change one."
    )


def _best_informed(results: Results) -> Group | None:
    """Of the conditions on folds, those that know the most classes; of these the most accurate over its seeds."""
    groups = [group for group in results.groups if group.protocol == OUT_OF_FOLD]
    return max(groups, key=lambda group: (len(group.classes), group.accuracy_interval.mean), default=None)
