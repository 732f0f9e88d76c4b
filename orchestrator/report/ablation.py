"""Table 4: what the proposed condition loses without each component, paired by seed."""

from __future__ import annotations

from typing import Any

from orchestrator.paper import Paper
from orchestrator.report.intervals import paired_difference
from orchestrator.report.results import Group, Results
from orchestrator.report.verdicts import decide

COMPONENTS = {
    "minus_crop": "Face cropping",
    "minus_attention": "Channel attention",
    "minus_staging": "Staged training",
    "plus_rare_class": "Exclusion of the rare class",
}
"""What each condition lacks of the proposed one. The paper's Table 4 has the first three."""


def table4_rows(results: Results, paper: Paper) -> list[dict[str, Any]]:
    """One row a component and protocol for which the two conditions share a seed."""
    rows = []
    for condition in COMPONENTS:
        for other in results.of(condition):
            proposed = results.group("proposed", other.protocol)
            row = _row(proposed, other, paper) if proposed else None
            rows += [row] if row else []
    return rows


def _row(proposed: Group, other: Group, paper: Paper) -> dict[str, Any] | None:
    difference = paired_difference(proposed.metric("accuracy"), other.accuracy_on(proposed.classes))
    if difference is None:
        return None
    drop = difference.interval
    return {
        "component": COMPONENTS[other.condition],
        "condition": other.condition,
        "title": other.title,
        "protocol": other.protocol,
        "drop_mean": drop.mean,
        "drop_low": drop.low,
        "drop_high": drop.high,
        "p_value": difference.p_value,
        "verdict": decide(drop.mean, difference),
        "seeds": difference.num_pairs,
        "photos": proposed.photos,
        "drop_in_photos": drop.mean * proposed.photos,
        "interval": drop.kind,
        "paper_drop": paper.table4.get(other.condition, float("nan")),
    }
