"""Every hypothesis under every protocol that was run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.hypotheses.decide import Ruling, rule
from orchestrator.hypotheses.evidence import Evidence, gather, lacks
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
    """All that can be tested, hypothesis by hypothesis. All hypotheses are one family, also those that cannot be tested
    yet: what is supported now stays so when they are.

    draw_of: by photo, a name that photos which are one draw share (copies, one person).
    """
    judged = []
    for protocol in results.protocols:
        family = []
        for hypothesis in hypotheses.hypotheses:
            first, second = (results.group(name, protocol) for name in _compared(hypothesis))
            evidence = gather(hypothesis.test, first, second, draw_of) if first and second else None
            family += [(hypothesis, evidence)] if evidence else []
        tests, found = [hypothesis.test for hypothesis, _ in family], [evidence for _, evidence in family]
        rulings = rule(tests, found, size=len(hypotheses.hypotheses))
        pairs = zip(family, rulings, strict=True)
        judged += [Judged(hypothesis, protocol, evidence, ruling) for (hypothesis, evidence), ruling in pairs]
    order = {hypothesis.name: place for place, hypothesis in enumerate(hypotheses.hypotheses)}
    return sorted(judged, key=lambda one: order[one.hypothesis.name])  # stable: protocols keep their order


def untested(hypotheses: Hypotheses, results: Results, draw_of: Mapping[str, str]) -> dict[str, str]:
    """By name, why a hypothesis has no verdict, or none under some protocol that was run."""
    reasons = {}
    for hypothesis in hypotheses.hypotheses:
        why = {}
        for protocol in results.protocols:
            first, second = (results.group(name, protocol) for name in _compared(hypothesis))
            why[protocol] = lacks(hypothesis.test, first, second, draw_of)
        lacking = {protocol: text for protocol, text in why.items() if text}
        if not lacking:
            continue
        if len(set(lacking.values())) == 1 and len(lacking) == len(why):
            reasons[hypothesis.name] = next(iter(lacking.values()))
        else:
            reasons[hypothesis.name] = "; ".join(f"protocol {protocol}: {text}" for protocol, text in lacking.items())
    return reasons


def _compared(hypothesis: Hypothesis) -> tuple[str, str]:
    return hypothesis.test.condition, hypothesis.test.than
