"""Table 5: every hypothesis put to its test; and the numbers beside the verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from orchestrator.hypotheses.decide import ALPHA, MIN_SEEDS
from orchestrator.hypotheses.judge import Judged
from orchestrator.hypotheses.wording import metric_text, reason, sentence
from orchestrator.report.intervals import seed_interval
from orchestrator.statistics.bayes import signed_rank
from orchestrator.statistics.paired import effect_size, probability_of_improvement

__all__ = ["MIN_SEEDS", "evidence_rows", "table5_rows"]

Row = dict[str, Any]


def table5_rows(judged: Sequence[Judged]) -> list[Row]:
    """One row a hypothesis and protocol: what decides."""
    return [_compared(one) | _decided(one) for one in judged]


def evidence_rows(judged: Sequence[Judged]) -> list[Row]:
    """One row a hypothesis and protocol: what else the same runs say, which decides nothing."""
    return [_compared(one) | _beside(one) for one in judged]


def _compared(one: Judged) -> Row:
    test, evidence = one.hypothesis.test, one.evidence
    return {
        "assumption": one.hypothesis.name,
        "claim": one.hypothesis.claim,
        "protocol": one.protocol,
        "comparison": f"{test.condition} vs {test.than}",
        "metric": metric_text(test),
        "difference_mean": evidence.mean,
        "seeds": evidence.num_seeds,
        "photos": evidence.num_photos,
    }


def _decided(one: Judged) -> Row:
    test, evidence, ruling = one.hypothesis.test, one.evidence, one.ruling
    low, high = evidence.bounds
    return {
        "difference_low": low,
        "difference_high": high,
        "against": evidence.against,
        "margin": ruling.margin,
        "p_value": ruling.p_value,
        "p_holm": ruling.p_holm if evidence.num_seeds > 1 else math.nan,
        "p_seeds": ruling.p_seeds,
        "p_photographs": ruling.p_photographs,
        "independent_photos": evidence.spread.num_photographs if evidence.num_photos else 0,
        "verdict": ruling.verdict,
        "paper_verdict": one.hypothesis.published or "",
        "reason": reason(test, evidence, ruling),
        "sentence": sentence(test, evidence, ruling, one.protocol),
        "seeds_needed": _number(ruling.seeds_needed),
        "photographs_needed": _number(ruling.photographs_needed),
    }


def _beside(one: Judged) -> Row:
    evidence, differences = one.evidence, one.evidence.differences
    in_epochs = evidence.unit == "epochs"  # of which fewer are better
    over_seeds = seed_interval(differences)
    improvement = probability_of_improvement(evidence.first, evidence.second)
    posterior = signed_rank([-value if in_epochs else value for value in differences], evidence.rope)
    return {
        "seeds_low": over_seeds.low,
        "seeds_high": over_seeds.high,
        "interval": over_seeds.kind,
        "difference_sd": float(np.std(differences, ddof=1)) if len(differences) > 1 else math.nan,
        "effect_size": effect_size(differences),
        "improvement": 1 - improvement if in_epochs else improvement,
        "p_worse": posterior.worse,
        "p_equal": posterior.rope,
        "p_better": posterior.better,
        "rope": evidence.rope,
        "mcnemar_p_median": float(np.median(evidence.mcnemar)) if evidence.mcnemar else math.nan,
        "mcnemar_seeds": sum(p < ALPHA for p in evidence.mcnemar),
    }


def _number(count: int | None) -> float:
    return math.nan if count is None else float(count)
