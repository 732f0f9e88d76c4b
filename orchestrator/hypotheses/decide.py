"""From evidence to a verdict. Three doubts must be ruled out: other seeds, other photos, and both at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.hypotheses.evidence import Evidence
from orchestrator.hypotheses.model import Better, Earlier, Equivalent, Verdict
from orchestrator.statistics.needed import photographs_needed, seeds_needed
from orchestrator.statistics.paired import holm, sign_flip_p

ALPHA = 0.05
MIN_SEEDS = 6
"""The fewest paired seeds whose smallest sign-flip p is below ALPHA."""

Test = Better | Equivalent | Earlier

FEW_SEEDS, BOTH, SEEDS, PHOTOGRAPHS = "few seeds", "seeds and photographs", "seeds", "photographs"


@dataclass(frozen=True)
class Ruling:
    """A verdict. obstacle: what left it undecided, empty where decided. margin: of practical equivalence, else NaN.

    p_value: two-sided, over other seeds and photos; p_holm: corrected over the family. seeds_needed and
    photographs_needed: what would decide in four of five studies if the truth is what was seen; None where no number
    would, or where it is decided, or where one seed tells nothing of the spread.
    """

    verdict: Verdict
    obstacle: str
    p_value: float
    p_holm: float
    margin: float = math.nan
    seeds_needed: int | None = None
    photographs_needed: int | None = None


def rule(tests: Sequence[Test], evidence: Sequence[Evidence]) -> list[Ruling]:
    """The rulings of one family, in order."""
    raw = [p_value(test, found) for test, found in zip(tests, evidence, strict=True)]
    corrected = holm([1.0 if math.isnan(p) else p for p in raw])
    family = zip(tests, evidence, raw, corrected, strict=True)
    return [_rule(test, found, p, p_holm, ALPHA / len(raw)) for test, found, p, p_holm in family]


def margin_of(test: Test, evidence: Evidence) -> float:
    """The difference within which two conditions count as equal; NaN where that is not asked."""
    if not isinstance(test, Equivalent):
        return math.nan
    return evidence.rope if test.within is None else test.within


def p_value(test: Test, evidence: Evidence) -> float:
    """Over other seeds and photos, of the side on which the difference lies. NaN for one seed."""
    spread = evidence.spread
    if evidence.num_seeds < 2:
        return math.nan
    if not isinstance(test, Equivalent):
        return spread.p_value(evidence.against)
    margin = margin_of(test, evidence)
    if abs(spread.mean) < margin:  # two one-sided tests, D. Schuirmann (1987)
        return max(spread.p_above(-margin), spread.p_below(margin))
    return min(1.0, 2 * min(spread.p_above(margin), spread.p_below(-margin)))


def favours(test: Test, evidence: Evidence) -> bool:
    """Whether the difference lies on the claim's side, however little that shows."""
    if isinstance(test, Equivalent):
        return abs(evidence.mean) < margin_of(test, evidence)
    return evidence.mean < evidence.against if isinstance(test, Earlier) else evidence.mean > evidence.against


def _rule(test: Test, evidence: Evidence, p: float, p_holm: float, level: float) -> Ruling:
    margin, obstacle = margin_of(test, evidence), _obstacle(test, evidence, p_holm)
    if not obstacle:
        return Ruling("supported" if favours(test, evidence) else "refuted", "", p, p_holm, margin)
    if evidence.num_seeds < 2:
        return Ruling("undecided", obstacle, p, p_holm, margin)
    distance = _distance(test, evidence, margin)
    seeds = seeds_needed(evidence.spread, distance, level, MIN_SEEDS)
    photographs = None
    if seeds is None:
        photographs = photographs_needed(evidence.spread, distance, level, max(MIN_SEEDS, evidence.num_seeds))
    return Ruling("undecided", obstacle, p, p_holm, margin, seeds, photographs)


def _obstacle(test: Test, evidence: Evidence, p_holm: float) -> str:
    if evidence.num_seeds < MIN_SEEDS:
        return FEW_SEEDS
    if p_holm >= ALPHA:
        return BOTH
    if _p_seeds(test, evidence) >= ALPHA:
        return SEEDS
    # Swapping answers says that conditions differ; that they are equal it cannot say.
    return PHOTOGRAPHS if not isinstance(test, Equivalent) and evidence.p_photographs >= ALPHA else ""


def _p_seeds(test: Test, evidence: Evidence) -> float:
    if not isinstance(test, Equivalent):
        return evidence.p_seeds
    margin, differences = margin_of(test, evidence), evidence.differences
    p_low, p_high = (sign_flip_p([value - edge for value in differences]) for edge in (-margin, margin))
    return max(p_low, p_high) if favours(test, evidence) else min(p_low, p_high)


def _distance(test: Test, evidence: Evidence, margin: float) -> float:
    """How far the difference lies from the nearest value that would change the verdict."""
    if isinstance(test, Equivalent):
        return abs(margin - abs(evidence.mean))
    return abs(evidence.mean - evidence.against)
