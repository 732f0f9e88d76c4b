"""From evidence to a verdict. Three doubts must be ruled out: other seeds, other photos, and both at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

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

    p_value: over other seeds and photos, two-sided, or for a claim of equality the larger of two one-sided p; p_holm:
    corrected over the family. p_seeds: the same over seeds alone. p_photographs: over photographs alone; NaN where that
    plays no part. seeds_needed and photographs_needed: what would decide in four of five studies if the truth is what
    was seen; None where no number would, or where it is decided, or where one seed tells nothing of the spread.
    """

    verdict: Verdict
    obstacle: str
    p_value: float
    p_holm: float
    p_seeds: float
    p_photographs: float
    margin: float = math.nan
    seeds_needed: int | None = None
    photographs_needed: int | None = None


def rule(tests: Sequence[Test], evidence: Sequence[Evidence], size: int | None = None) -> list[Ruling]:
    """The rulings of one family, in order. size: of the family, with those that could not be tested."""
    raw = [p_value(test, found) for test, found in zip(tests, evidence, strict=True)]
    size = max(len(raw), size or 0)
    corrected = holm([1.0 if math.isnan(p) else p for p in raw] + [1.0] * (size - len(raw)))
    family = zip(tests, evidence, raw, corrected, strict=False)
    return [_rule(test, found, p, p_holm, ALPHA / size) for test, found, p, p_holm in family]


def margin_of(test: Test, evidence: Evidence) -> float:
    """The difference within which two conditions count as equal; NaN where that is not asked."""
    if not isinstance(test, Equivalent):
        return math.nan
    return evidence.rope if test.within is None else test.within


def p_value(test: Test, evidence: Evidence) -> float:
    """Over other seeds and photos, of the side on which the difference lies. NaN for one seed."""
    if evidence.num_seeds < 2:
        return math.nan
    if not isinstance(test, Equivalent):
        return evidence.spread.p_value(evidence.against)
    margin, spread = margin_of(test, evidence), evidence.spread.wary()
    if abs(spread.mean) < margin:  # two one-sided tests, D. Schuirmann (1987)
        return max(spread.p_above(-margin), spread.p_below(margin))
    return min(1.0, 2 * min(spread.p_above(margin), spread.p_below(-margin)))


def favours(test: Test, evidence: Evidence) -> bool:
    """Whether the difference lies on the claim's side, however little that shows."""
    if isinstance(test, Equivalent):
        return abs(evidence.mean) < margin_of(test, evidence)
    return evidence.mean < evidence.against if isinstance(test, Earlier) else evidence.mean > evidence.against


def _rule(test: Test, evidence: Evidence, p: float, p_holm: float, level: float) -> Ruling:
    p_seeds = _p_seeds(test, evidence)
    # Swapping answers says that conditions differ; that they are equal it cannot say.
    p_photographs = math.nan if isinstance(test, Equivalent) else evidence.p_photographs
    obstacle = _obstacle(evidence.num_seeds, p_holm, p_seeds, p_photographs)
    verdict: Verdict = "undecided" if obstacle else "supported" if favours(test, evidence) else "refuted"
    ruling = Ruling(verdict, obstacle, p, p_holm, p_seeds, p_photographs, margin_of(test, evidence))
    if not obstacle or evidence.num_seeds < 2:
        return ruling
    seeds, photographs = _needed(test, evidence, ruling, level)
    return replace(ruling, seeds_needed=seeds, photographs_needed=photographs)


def _obstacle(num_seeds: int, p_holm: float, p_seeds: float, p_photographs: float) -> str:
    if num_seeds < MIN_SEEDS:
        return FEW_SEEDS
    if p_holm >= ALPHA:
        return BOTH
    if p_seeds >= ALPHA:
        return SEEDS
    return PHOTOGRAPHS if p_photographs >= ALPHA else ""


def _needed(test: Test, evidence: Evidence, ruling: Ruling, level: float) -> tuple[int | None, int | None]:
    """Seeds, or else photographs, that would decide."""
    spread, distance, beyond = evidence.spread, abs(evidence.mean - evidence.against), math.inf
    if isinstance(test, Equivalent):
        spread, distance = spread.wary(), abs(ruling.margin - abs(evidence.mean))
        beyond = ruling.margin + abs(evidence.mean) if favours(test, evidence) else math.inf
    seeds = None
    if ruling.obstacle != PHOTOGRAPHS:
        seeds = seeds_needed(spread, distance, level, MIN_SEEDS, beyond)
    if seeds is not None:
        return seeds, None
    return None, photographs_needed(spread, distance, level, max(MIN_SEEDS, evidence.num_seeds), beyond)


def _p_seeds(test: Test, evidence: Evidence) -> float:
    if not isinstance(test, Equivalent):
        return evidence.p_seeds
    margin, differences = margin_of(test, evidence), evidence.differences
    p_low, p_high = (sign_flip_p([value - edge for value in differences]) for edge in (-margin, margin))
    return max(p_low, p_high) if favours(test, evidence) else min(p_low, p_high)
