"""Table 5: the four assumptions, each put to a paired test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from orchestrator.paper import Paper
from orchestrator.report.convergence import epochs_or_censored, first_epoch_at
from orchestrator.report.intervals import PairedDifference, paired_difference, smallest_p
from orchestrator.report.results import Group, Results
from orchestrator.report.wording import counted, percent

ALPHA = 0.05
MIN_SEEDS = 6
"""The fewest paired seeds whose smallest p is below ALPHA."""


@dataclass(frozen=True, slots=True)
class PairedTest:
    """How an assumption is tested: the proposed condition against `other`."""

    other: str
    fewer_epochs: bool = False
    """Compare epochs to the paper's threshold (fewer is better) instead of accuracy."""


TESTS = {
    "A1": PairedTest("minus_crop"),
    "A2": PairedTest("minus_attention"),
    "A3": PairedTest("minus_staging", fewer_epochs=True),
    "A4": PairedTest("plus_rare_class"),
}


def table5_rows(results: Results, paper: Paper) -> list[dict[str, Any]]:
    """One row an assumption and protocol for which the two conditions share a seed."""
    rows = []
    for name, test in TESTS.items():
        for other in results.of(test.other):
            proposed = results.group("proposed", other.protocol)
            difference = _difference(proposed, other, test, paper) if proposed else None
            if proposed and difference:
                rows.append(_row(name, proposed, other, difference, paper))
    return rows


def _difference(proposed: Group, other: Group, test: PairedTest, paper: Paper) -> PairedDifference | None:
    if test.fewer_epochs:
        threshold = paper.table2.threshold
        return paired_difference(epochs_or_censored(proposed, threshold), epochs_or_censored(other, threshold))
    return paired_difference(proposed.metric("accuracy"), other.accuracy_on(proposed.classes))


def _row(name: str, proposed: Group, other: Group, difference: PairedDifference, paper: Paper) -> dict[str, Any]:
    test, assumption, interval = TESTS[name], paper.table5[name], difference.interval
    gain = -interval.mean if test.fewer_epochs else interval.mean
    verdict = decide(gain, difference)
    remark = _remark(proposed, other, test, paper)
    return {
        "assumption": name,
        "claim": assumption.claim,
        "protocol": other.protocol,
        "comparison": f"proposed vs {test.other}",
        "metric": f"epochs to {paper.table2.threshold:.2f}" if test.fewer_epochs else "accuracy",
        "difference_mean": interval.mean,
        "difference_low": interval.low,
        "difference_high": interval.high,
        "p_value": difference.p_value,
        "seeds": difference.num_pairs,
        "verdict": verdict,
        "paper_verdict": assumption.verdict,
        "reason": f"{_reason(verdict, difference)}{remark}",
    }


def decide(gain: float, difference: PairedDifference) -> str:
    """supported, refuted or undecided. `gain`: the mean difference, positive where it favours the claim."""
    if difference.num_pairs < MIN_SEEDS or difference.p_value >= ALPHA:
        return "undecided"
    return "supported" if gain > 0 else "refuted"


def _reason(verdict: str, difference: PairedDifference) -> str:
    seeds = counted(difference.num_pairs, "seed")
    if difference.num_pairs < MIN_SEEDS:
        least = f"the smallest possible p of a paired sign-flip test is {smallest_p(difference.num_pairs):g}"
        return f"{seeds}: {least}; at least {MIN_SEEDS} are needed."
    if verdict == "undecided":
        return f"p = {difference.p_value:.3f} over {seeds}: chance may explain the difference."
    side = "favours the claim" if verdict == "supported" else "is against the claim"
    return f"p = {difference.p_value:.3f} over {seeds}: the difference {side}."


def _remark(proposed: Group, other: Group, test: PairedTest, paper: Paper) -> str:
    if proposed.photos != other.photos:
        masked = ", ".join(name for name in other.classes if name not in proposed.classes)
        return (
            f" Both are scored on the same {proposed.photos} photos, with {masked} masked in the model that knows it; "
            f"always answering the commonest class scores {percent(proposed.majority_accuracy)} there."
        )
    if not test.fewer_epochs:
        return ""
    shared = set(proposed.seeds) & set(other.seeds)
    trials = [record for group in (proposed, other) for record in group.records if record["seed"] in shared]
    censored = sum(first_epoch_at(record, paper.table2.threshold) is None for record in trials)
    late = f" {censored} of {len(trials)} trials never reached it and count as one epoch more than they ran."
    return late if censored else ""
