"""What each component adds in either run (Table 4 of both), and whether it adds more in one of them."""

from __future__ import annotations

import math
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any

from orchestrator.compare.conditions import APART, NOT_COMPARED, PAIRED, Matched, match
from orchestrator.compare.gap import Gap, of_independent, of_values
from orchestrator.compare.runs import Run
from orchestrator.compare.shared import on_common, on_seeds, reported
from orchestrator.hypotheses.answers import paired_answers
from orchestrator.hypotheses.evidence import gather
from orchestrator.hypotheses.model import Better
from orchestrator.paper import load_paper
from orchestrator.report.ablation import COMPONENTS, table4_rows
from orchestrator.report.results import protocol_rank

_OWN = ("drop_mean", "drop_low", "drop_high", "seeds", "photos")
_NONE = dict.fromkeys(_OWN[:3], math.nan) | {"seeds": 0, "photos": 0}


def component_rows(runs: tuple[Run, Run], same: AbstractSet[str] | None) -> list[dict[str, Any]]:
    """One row a component and protocol that either run has; the change where both have it."""
    own = [
        {(row["condition"], row["protocol"]): row for row in table4_rows(run.results, load_paper(), run.draw_of)}
        for run in runs
    ]
    rows = []
    for condition, component in COMPONENTS.items():
        protocols = {protocol for of_run in own for name, protocol in of_run if name == condition}
        for protocol in sorted(protocols, key=protocol_rank):
            cell = (condition, protocol)
            row = {"component": component, "condition": condition, "protocol": protocol}
            for side, of_run in zip("ab", own, strict=True):
                drops = of_run.get(cell, _NONE)
                row |= {f"{side}_{name.removeprefix('drop_')}": drops[name] for name in _OWN}
            change, basis = _change(runs, same, *cell) if all(cell in of_run for of_run in own) else (None, "")
            rows.append(row | _columns(change, basis))
    return rows


def _columns(change: Gap | None, basis: str) -> dict[str, Any]:
    if change is None:
        return dict.fromkeys(("change_mean", "change_low", "change_high", "p_value"), math.nan) | {
            "basis": basis or NOT_COMPARED
        }
    low, high = replace(change, most=2.0).bounds  # of two drops
    return {
        "change_mean": change.mean,
        "change_low": low,
        "change_high": high,
        "p_value": change.p_value,
        "basis": basis,
    }


def _change(
    runs: tuple[Run, Run], same: AbstractSet[str] | None, condition: str, protocol: str
) -> tuple[Gap | None, str]:
    """The drop in B minus the drop in A: on shared photos and seeds one by one, else of two independent drops."""
    matched = []
    for name in ("proposed", condition):
        first, second = (run.results.group(name, protocol) for run in runs)
        one = match(first, second, runs, same) if first and second else None
        if one is None:
            return None, ""
        matched.append(one)
    if all(one.basis == PAIRED for one in matched):
        return _paired_change(*matched), PAIRED
    test, spreads = Better(condition="proposed", than=condition), []
    for run in runs:
        proposed, other = (run.results.group(name, protocol) for name in ("proposed", condition))
        evidence = gather(test, proposed, other, run.draw_of) if proposed and other else None
        spreads += [evidence.spread] if evidence else []
    return (of_independent(*spreads), APART) if len(spreads) == len(runs) else (None, "")


def _paired_change(proposed: Matched, other: Matched) -> Gap | None:
    groups = (proposed.first, other.first, proposed.second, other.second)
    seeds = set.intersection(*(set(group.seeds) for group in groups))
    photos = set.intersection(*(set(reported([group])) for group in groups))
    classes = [name for name in proposed.classes if name in other.classes]
    if not seeds or not photos or len(classes) < 2:
        return None
    names = {name: name for name in classes}
    a, a_less, b, b_less = (on_seeds(on_common(group, names, photos), seeds) for group in groups)
    drops = [paired_answers(*pair, proposed.draw_of[0]) for pair in ((a, a_less), (b, b_less))]
    if drops[0] is None or drops[1] is None or drops[0].first.right_SP.shape != drops[1].first.right_SP.shape:
        return None
    first_SP, second_SP = (drop.first.right_SP.astype(float) - drop.second.right_SP for drop in drops if drop)
    return of_values(second_SP - first_SP, drops[0].first.cluster_P)
