"""What the hypotheses came to in each run, side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from orchestrator.compare.runs import Run
from orchestrator.hypotheses.judge import Judged, judge
from orchestrator.hypotheses.model import Hypothesis
from orchestrator.hypotheses.wording import metric_text
from orchestrator.report.results import protocol_rank

NOT_TESTED = "not tested"
NOT_CLAIMED = "not claimed"


def verdict_rows(runs: tuple[Run, Run]) -> list[dict[str, Any]]:
    """One row a hypothesis and protocol of either run. Two hypotheses are one if they have one name and one test."""
    judged = [{(one.hypothesis.name, one.protocol): one for one in _judged(run)} for run in runs]
    claims = [{one.name: one for one in run.registered.hypotheses.hypotheses} for run in runs]
    protocols = sorted({protocol for of_run in judged for _, protocol in of_run}, key=protocol_rank)
    rows = []
    for name in dict.fromkeys([*claims[0], *claims[1]]):
        same = name in claims[0] and name in claims[1] and _said(claims[0][name]) == _said(claims[1][name])
        for protocol in protocols:
            found = [of_run.get((name, protocol)) for of_run in judged]
            if same:
                rows += [_row(claims[0][name], protocol, found[0], found[1], ("", ""))] if any(found) else []
                continue
            if found[0]:
                rows.append(_row(claims[0][name], protocol, found[0], None, ("", NOT_CLAIMED)))
            if found[1]:
                rows.append(_row(claims[1][name], protocol, None, found[1], (NOT_CLAIMED, "")))
    return rows


def agreement(first: str, second: str) -> str:
    """`both supported`, `supported in A alone`, `A supported, B refuted`; empty where one run has no verdict."""
    if {first, second} & {NOT_TESTED, NOT_CLAIMED}:
        return ""
    if first == second:
        return f"both {first}"
    if "undecided" in (first, second):
        return f"{second} in B alone" if first == "undecided" else f"{first} in A alone"
    return f"A {first}, B {second}"


def _judged(run: Run) -> list[Judged]:
    return judge(run.registered.hypotheses, run.results, run.draw_of)


def _said(hypothesis: Hypothesis) -> Mapping[str, Any]:
    """What decides on it; its wording and what others found do not."""
    return {"kind": type(hypothesis.test).__name__, **hypothesis.test.model_dump(mode="json")}


def _row(
    hypothesis: Hypothesis, protocol: str, first: Judged | None, second: Judged | None, absent: tuple[str, str]
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "assumption": hypothesis.name,
        "claim": hypothesis.claim,
        "protocol": protocol,
        "comparison": f"{hypothesis.test.condition} vs {hypothesis.test.than}",
        "metric": metric_text(hypothesis.test),
    }
    for side, one, why in zip("ab", (first, second), absent, strict=True):
        low, high = one.evidence.bounds if one else (math.nan, math.nan)
        row |= {
            f"verdict_{side}": one.ruling.verdict if one else why or NOT_TESTED,
            f"{side}_mean": one.evidence.mean if one else math.nan,
            f"{side}_low": low,
            f"{side}_high": high,
            f"p_holm_{side}": one.ruling.p_holm if one and one.evidence.num_seeds > 1 else math.nan,
            f"seeds_{side}": one.evidence.num_seeds if one else 0,
        }
    return row | {"agreement": agreement(row["verdict_a"], row["verdict_b"])}
