"""Table 5: every hypothesis put to its test, with all numbers under the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orchestrator.hypotheses.decide import MIN_SEEDS
from orchestrator.hypotheses.judge import Judged
from orchestrator.hypotheses.wording import metric_text, reason, sentence
from orchestrator.report.verdict_columns import NUMBER_COLUMNS

__all__ = ["MIN_SEEDS", "table5_rows"]


def table5_rows(judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """One row a hypothesis and protocol."""
    return [_row(one) for one in judged]


def _row(one: Judged) -> dict[str, Any]:
    test, evidence, ruling = one.hypothesis.test, one.evidence, one.ruling
    return {
        "assumption": one.hypothesis.name,
        "claim": one.hypothesis.claim,
        "protocol": one.protocol,
        "comparison": f"{test.condition} vs {test.than}",
        "metric": metric_text(test),
        "verdict": ruling.verdict,
        "paper_verdict": one.hypothesis.published or "",
        "sentence": sentence(test, evidence, ruling, one.protocol),
        "reason": reason(test, evidence, ruling),
        **number_columns(one),
    }


def number_columns(one: Judged) -> dict[str, Any]:
    """The columns NUMBER_COLUMNS."""
    evidence, ruling, (low, high) = one.evidence, one.ruling, one.evidence.bounds
    values = {
        "difference_mean": evidence.mean,
        "difference_low": low,
        "difference_high": high,
        "against": evidence.against,
        "margin": ruling.margin,
        "seeds_low": evidence.over_seeds.low,
        "seeds_high": evidence.over_seeds.high,
        "interval": evidence.over_seeds.kind,
        "difference_sd": evidence.deviation,
        "p_value": ruling.p_value,
        "p_holm": ruling.p_holm if evidence.num_seeds > 1 else float("nan"),
        "p_seeds": evidence.p_seeds,
        "p_photographs": evidence.p_photographs,
        "mcnemar_p_median": evidence.mcnemar_p_median,
        "mcnemar_seeds": evidence.mcnemar_seeds,
        "effect_size": evidence.effect_size,
        "improvement": evidence.improvement,
        "p_worse": evidence.posterior.worse,
        "p_equal": evidence.posterior.rope,
        "p_better": evidence.posterior.better,
        "rope": evidence.rope,
        "seeds": evidence.num_seeds,
        "photos": evidence.num_photos,
        "photographs": evidence.spread.num_photographs if evidence.num_photos else 0,
        "seeds_needed": float("nan") if ruling.seeds_needed is None else float(ruling.seeds_needed),
        "photographs_needed": float("nan") if ruling.photographs_needed is None else float(ruling.photographs_needed),
    }
    return {name: values[name] for name in NUMBER_COLUMNS}
