"""Every hypothesis under every protocol that was run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.hypotheses.decide import Ruling, rule
from orchestrator.hypotheses.evidence import Evidence, gather
from orchestrator.hypotheses.model import Hypotheses, Hypothesis
from orchestrator.report.results import Results


@dataclass(frozen=True)
class Judged:
    """A hypothesis under a protocol, with its evidence and what follows."""

    hypothesis: Hypothesis
    protocol: str
    evidence: Evidence
    ruling: Ruling


def judge(hypotheses: Hypotheses, results: Results, draw_of: Mapping[str, str]) -> list[Judged]:
    """All that can be tested, hypothesis by hypothesis. The hypotheses of one protocol are one family.

    draw_of: by photo, a name that photos which are one draw share (copies, one person).
    """
    judged = []
    for protocol in results.protocols:
        family = []
        for hypothesis in hypotheses.hypotheses:
            first, second = (results.group(name, protocol) for name in _compared(hypothesis))
            evidence = gather(hypothesis.test, first, second, draw_of) if first and second else None
            family += [(hypothesis, evidence)] if evidence else []
        rulings = rule([hypothesis.test for hypothesis, _ in family], [evidence for _, evidence in family])
        pairs = zip(family, rulings, strict=True)
        judged += [Judged(hypothesis, protocol, evidence, ruling) for (hypothesis, evidence), ruling in pairs]
    order = {hypothesis.name: place for place, hypothesis in enumerate(hypotheses.hypotheses)}
    return sorted(judged, key=lambda one: order[one.hypothesis.name])  # stable: protocols keep their order


def untested(hypotheses: Hypotheses, results: Results) -> dict[str, str]:
    """By name, why a hypothesis has no evidence under any protocol."""
    reasons = {}
    for hypothesis in hypotheses.hypotheses:
        lacking = [name for name in _compared(hypothesis) if not results.of(name)]
        if lacking:
            reasons[hypothesis.name] = f"no trial of {' and '.join(lacking)} is finished"
        elif not any(_shares_seed(hypothesis, results, protocol) for protocol in results.protocols):
            reasons[hypothesis.name] = "its two conditions share no seed under any protocol"
    return reasons


def _compared(hypothesis: Hypothesis) -> tuple[str, str]:
    return hypothesis.test.condition, hypothesis.test.than


def _shares_seed(hypothesis: Hypothesis, results: Results, protocol: str) -> bool:
    groups = [results.group(name, protocol) for name in _compared(hypothesis)]
    return all(groups) and bool(set.intersection(*(set(group.seeds) for group in groups if group)))
