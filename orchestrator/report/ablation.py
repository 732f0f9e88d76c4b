"""Table 4: what the proposed condition loses without each component, paired by seed and photo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.hypotheses.decide import Ruling, rule
from orchestrator.hypotheses.evidence import Evidence, gather
from orchestrator.hypotheses.model import Better
from orchestrator.paper import Paper
from orchestrator.report.intervals import seed_interval
from orchestrator.report.results import Group, Results

COMPONENTS = {
    "minus_crop": "Face cropping",
    "minus_attention": "Channel attention",
    "minus_staging": "Staged training",
    "plus_rare_class": "Exclusion of the rare class",
}
"""What each condition lacks of the proposed one. The paper's Table 4 has the first three."""


def table4_rows(results: Results, paper: Paper, draw_of: Mapping[str, str]) -> list[dict[str, Any]]:
    """One row a component and protocol for which the two conditions share a seed. The components are one family, run or
    not. Without verdicts: those are of hypotheses, which were written down before.
    """
    rows = []
    for protocol in results.protocols:
        proposed = results.group("proposed", protocol)
        found = [] if proposed is None else _evidence(results, proposed, draw_of)
        rulings = rule([test for _, test, _ in found], [evidence for _, _, evidence in found], size=len(COMPONENTS))
        rows += [_row(*pair, paper) for pair in zip(found, rulings, strict=True)]
    places = list(COMPONENTS)
    return sorted(rows, key=lambda row: places.index(row["condition"]))


def _evidence(results: Results, proposed: Group, draw_of: Mapping[str, str]) -> list[tuple[Group, Better, Evidence]]:
    found = []
    for condition in COMPONENTS:
        other, test = results.group(condition, proposed.protocol), Better(condition="proposed", than=condition)
        evidence = gather(test, proposed, other, draw_of) if other else None
        found += [(other, test, evidence)] if other and evidence else []
    return found


def _row(found: tuple[Group, Better, Evidence], ruling: Ruling, paper: Paper) -> dict[str, Any]:
    other, _, evidence = found
    low, high = evidence.bounds
    over_seeds = seed_interval(evidence.differences)
    return {
        "component": COMPONENTS[other.condition],
        "condition": other.condition,
        "title": other.title,
        "protocol": other.protocol,
        "drop_mean": evidence.mean,
        "drop_low": low,
        "drop_high": high,
        "seeds_low": over_seeds.low,
        "seeds_high": over_seeds.high,
        "p_value": ruling.p_value,
        "p_holm": ruling.p_holm if evidence.num_seeds > 1 else float("nan"),
        "p_seeds": evidence.p_seeds,
        "seeds": evidence.num_seeds,
        "photos": evidence.num_photos,
        "drop_in_photos": evidence.mean * evidence.num_photos,
        "interval": over_seeds.kind,
        "paper_drop": paper.table4.get(other.condition, float("nan")),
    }
