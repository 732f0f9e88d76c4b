"""Table 5: every hypothesis put to its test, with all numbers under the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from orchestrator.hypotheses.decide import ALPHA, MIN_SEEDS
from orchestrator.hypotheses.judge import Judged
from orchestrator.hypotheses.wording import metric_text, reason, sentence
from orchestrator.report.intervals import seed_interval
from orchestrator.report.verdict_columns import NUMBER_COLUMNS
from orchestrator.statistics.bayes import signed_rank
from orchestrator.statistics.paired import effect_size, probability_of_improvement

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
    differences, in_epochs = evidence.differences, evidence.unit == "epochs"
    over_seeds = seed_interval(differences)
    improvement = probability_of_improvement(evidence.first, evidence.second)
    # Fewer epochs are better.
    posterior = signed_rank([-value if in_epochs else value for value in differences], evidence.rope)
    values = {
        "difference_mean": evidence.mean,
        "difference_low": low,
        "difference_high": high,
        "against": evidence.against,
        "margin": ruling.margin,
        "seeds_low": over_seeds.low,
        "seeds_high": over_seeds.high,
        "interval": over_seeds.kind,
        "difference_sd": float(np.std(differences, ddof=1)) if len(differences) > 1 else float("nan"),
        "p_value": ruling.p_value,
        "p_holm": ruling.p_holm if evidence.num_seeds > 1 else float("nan"),
        "p_seeds": evidence.p_seeds,
        "p_photographs": evidence.p_photographs,
        "mcnemar_p_median": float(np.median(evidence.mcnemar)) if evidence.mcnemar else float("nan"),
        "mcnemar_seeds": sum(p < ALPHA for p in evidence.mcnemar),
        "effect_size": effect_size(differences),
        "improvement": 1 - improvement if in_epochs else improvement,
        "p_worse": posterior.worse,
        "p_equal": posterior.rope,
        "p_better": posterior.better,
        "rope": evidence.rope,
        "seeds": evidence.num_seeds,
        "photos": evidence.num_photos,
        "independent_photos": evidence.spread.num_photographs if evidence.num_photos else 0,
        "seeds_needed": float("nan") if ruling.seeds_needed is None else float(ruling.seeds_needed),
        "photographs_needed": float("nan") if ruling.photographs_needed is None else float(ruling.photographs_needed),
    }
    return {name: values[name] for name in NUMBER_COLUMNS}
