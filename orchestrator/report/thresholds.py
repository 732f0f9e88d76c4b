"""The two accuracies that Table 2 and the convergence tables wait for."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.paper import Paper
from orchestrator.report.results import Group

MARGIN_FRAC = 0.05
"""The second threshold stands this far above what always answering the commonest class scores."""
THRESHOLD_KINDS = ("paper", "above_majority")


@dataclass(frozen=True, slots=True)
class Threshold:
    """A validation accuracy to be reached, in a share. kind: one of THRESHOLD_KINDS."""

    kind: str
    value: float


def thresholds_of(group: Group, paper: Paper) -> tuple[Threshold, Threshold]:
    """The paper's, and one above the majority baseline; in the order of THRESHOLD_KINDS."""
    above = round(_majority(group) + MARGIN_FRAC, 4)
    return Threshold("paper", paper.table2.threshold), Threshold("above_majority", above)


def _majority(group: Group) -> float:
    """What always answering the commonest class scores on the photos that the curves are of.

    Protocol paper draws its curves on the reported photos; elsewhere no threshold may look at those.
    """
    return group.majority_accuracy if group.protocol == "paper" else group.majority_in_training
