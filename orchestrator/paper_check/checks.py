"""All checks, and how they are run."""

from __future__ import annotations

from orchestrator.paper import Paper
from orchestrator.paper_check import (
    accuracy_checks,
    class_checks,
    design_checks,
    drop_checks,
    size_checks,
    table_checks,
    threshold_check,
)
from orchestrator.paper_check.cut_off import loosened, weakened
from orchestrator.paper_check.finding import Check, Checked, Finding, Lacking
from orchestrator.paper_check.from_paper import reported_by
from orchestrator.paper_check.reported import Reported

CHECKS = (
    Check(
        "recalls_over_counts",
        "recalls over the class counts can give the accuracy",
        class_checks.recalls_over_counts,
        exact=True,
    ),
    Check(
        "answers_over_photos", "implied answers can add up to the photos", class_checks.answers_over_photos, exact=True
    ),
    Check("each_class", "precision, recall and F1 of a class can go together", class_checks.each_class, exact=True),
    Check(
        "confusion",
        "the confusion matrix agrees with counts, accuracy and scores",
        table_checks.confusion_matrix,
        exact=True,
    ),
    Check("whole_photos", "each accuracy can be a whole number of photos", accuracy_checks.whole_photos, exact=True),
    Check("drop_photos", "each drop can be a whole number of photos", drop_checks.drop_photos, exact=True),
    Check("drop_rows", "each drop can be the difference of its two rows", drop_checks.drop_rows, exact=True),
    Check("same_accuracy", "an accuracy given twice can be the same", table_checks.same_accuracy, exact=True),
    Check("time_reduction", "the time saved can follow from the times", table_checks.time_reduction, exact=True),
    Check("photo_counts", "the counts of photos and faces add up", table_checks.photo_counts),
    Check("baselines", "each accuracy is clearly above chance and the majority class", accuracy_checks.baselines),
    Check(
        "threshold",
        "the threshold lies far enough above the majority class for a test to show it",
        threshold_check.threshold,
    ),
    Check(
        "epoch_choice",
        "the epoch was not chosen on the reported photos, by the study's word",
        design_checks.epoch_choice,
    ),
    Check("class_sets", "all rows are scored on the same classes", design_checks.class_sets),
    Check("differences", "differences of rows are large enough that a test could show them", size_checks.differences),
    Check("drops", "drops are large enough that a test could show them", size_checks.drops),
    Check("seeds", "there are enough seeds that a test could show a difference", design_checks.seeds),
)
"""In the order of the output: what cannot be first, then what cannot be concluded."""


def run_checks(reported: Reported) -> list[Checked]:
    """Every check with its outcome, in their order."""
    loose = loosened(reported)
    return [_checked(check, reported, loose) for check in CHECKS]


def _checked(check: Check, reported: Reported, loose: Reported) -> Checked:
    outcome = check.run(reported)
    if check.exact and outcome and not isinstance(outcome, Lacking):
        outcome = weakened(outcome, check.run(loose))
    return Checked(check, outcome)


def all_findings(checked: list[Checked]) -> list[Finding]:
    """The findings: first what cannot be, then what cannot be concluded."""
    found = [finding for one in checked for finding in one.findings]
    return sorted(found, key=lambda finding: finding.severity != "inconsistent")


def paper_check_findings(paper: Paper) -> list[Finding]:
    """What the values of the published study do not allow, for the page of a report."""
    return all_findings(run_checks(reported_by(paper)))
