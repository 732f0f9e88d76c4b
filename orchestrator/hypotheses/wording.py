"""A verdict as sentences: one that could stand in a paper, and why it is so."""

from __future__ import annotations

import math

from orchestrator.hypotheses.decide import BOTH, FEW_SEEDS, MIN_SEEDS, PHOTOGRAPHS, SEEDS, Ruling, Test
from orchestrator.hypotheses.evidence import Evidence
from orchestrator.hypotheses.model import Better, Earlier, Equivalent
from orchestrator.report.wording import counted, listing, number, p_value
from orchestrator.statistics.paired import smallest_p
from search_spaces.conditions import title_of

_METRICS = {"accuracy": "accuracy", "macro_f1": "macro F1", "balanced_accuracy": "balanced accuracy"}
_ENDINGS = {
    "supported": "this supports the claim{asked}",
    "refuted": "this refutes the claim{asked}",
    "undecided": "this leaves the claim{asked} undecided",
}
_OF_EQUALITY = 0.90
"""The interval that lies within the margin just where both one-sided tests at 0.05 say so (Schuirmann 1987)."""

_NOTHING = 1e-9


def metric_text(test: Test) -> str:
    """`accuracy`, `recall of joy`, `epochs to 0.60`."""
    if isinstance(test, Earlier):
        return f"epochs to {test.threshold:.2f}"
    kind, colon, label = test.metric.partition(":")
    return f"{kind.replace('f1', 'F1')} of {label}" if colon else _METRICS[kind]


def sentence(test: Test, evidence: Evidence, ruling: Ruling, protocol: str) -> str:
    """What was compared, by how much it differed, over what, and what follows; fit for a paper."""
    first, second = (title_of(name) for name in (test.condition, test.than))
    found = (
        f"Under protocol {protocol}, {_met(test, evidence, first, second)}"
        f" ({_interval(test, evidence)}{_over(evidence)}{_tests(evidence, ruling)})"
    )
    return f"{found}; {_ENDINGS[ruling.verdict].format(asked=_asked(test, ruling))}."


def reason(test: Test, evidence: Evidence, ruling: Ruling) -> str:
    """Why the verdict is so, and what would change it."""
    parts = [_why(evidence, ruling), _needed(evidence, ruling), _masked(evidence), _censored(evidence)]
    return " ".join(part for part in parts if part)


def _met(test: Test, evidence: Evidence, first: str, second: str) -> str:
    size = _in_unit(abs(evidence.mean), evidence.unit)
    if isinstance(test, Earlier):
        return _reached(test, evidence, first, second)
    name = metric_text(test)
    if abs(evidence.mean) < _NOTHING:
        return f"the {name} of “{first}” equalled that of “{second}”"
    return f"the {name} of “{first}” was {size} {'higher' if evidence.mean > 0 else 'lower'} than that of “{second}”"


def _reached(test: Earlier, evidence: Evidence, first: str, second: str) -> str:
    accuracy = f"a validation accuracy of {test.threshold * 100:.0f} %"
    if evidence.censored == evidence.trainings:
        return f"neither “{first}” nor “{second}” ever reached {accuracy}"
    for place, (name, other) in enumerate([(first, second), (second, first)]):
        if evidence.censored[place] == evidence.trainings[place]:
            return f"“{other}” reached {accuracy} and “{name}” never did"
    if abs(evidence.mean) < _NOTHING:
        return f"“{first}” and “{second}” reached {accuracy} in equally many epochs"
    size = _in_unit(abs(evidence.mean), evidence.unit)
    return f"“{first}” reached {accuracy} {size} {'earlier' if evidence.mean < 0 else 'later'} than “{second}”"


def _interval(test: Test, evidence: Evidence) -> str:
    if evidence.num_seeds < 2:
        return "no interval from one seed; "
    if evidence.unit != "epochs" and evidence.spread.num_photographs < 2:
        return "no interval from one photograph; "
    if evidence.censored == evidence.trainings and evidence.unit == "epochs":
        return ""
    equality = isinstance(test, Equivalent)
    low, high = evidence.within(evidence.spread.wary().bounds(_OF_EQUALITY)) if equality else evidence.bounds
    scale = 1.0 if evidence.unit == "epochs" else 100.0
    unit, of_what = ("epochs", "seeds") if evidence.unit == "epochs" else ("points", "seeds and photographs")
    bounds = f"{number(low * scale, 1)} to {number(high * scale, 1)} {unit}"
    return f"{'90' if equality else '95'} % interval of the difference {bounds} over {of_what}; "


def _over(evidence: Evidence) -> str:
    seeds = counted(evidence.num_seeds, "paired seed")
    if evidence.unit == "epochs":
        return seeds
    photos, draws = evidence.num_photos, evidence.spread.num_photographs
    return f"{seeds}, {counted(photos, 'photo')}" + (
        f" of {counted(draws, 'independent photograph')}" if draws != photos else ""
    )


def _tests(evidence: Evidence, ruling: Ruling) -> str:
    if math.isnan(ruling.p_value):
        return ""
    return f"; p {_equals(ruling.p_value)}, Holm-corrected {_bare(ruling.p_holm)}"


def _asked(test: Test, ruling: Ruling) -> str:
    if isinstance(test, Better) and test.by < 0:
        return f" of being at most {number(-test.by * 100, 1)} points lower"
    if isinstance(test, Better) and test.by:
        return f" of more than {number(test.by * 100, 1)} points"
    if isinstance(test, Earlier) and test.by:
        return f" of more than {number(test.by, 1)} epochs"
    if isinstance(test, Equivalent):
        return f" of a difference below {number(ruling.margin * 100, 1)} points"
    return ""


def _why(evidence: Evidence, ruling: Ruling) -> str:
    seeds = counted(evidence.num_seeds, "seed")
    if ruling.obstacle == FEW_SEEDS:
        least = smallest_p(evidence.num_seeds)
        return (
            f"{seeds}: the smallest possible p of a paired sign-flip test is {least:g}, "
            f"so at least {MIN_SEEDS} seeds are needed."
        )
    if ruling.obstacle == BOTH:
        held = "seeds" if evidence.unit == "epochs" else "seeds and photographs"
        return (
            f"Chance in the choice of {held} may explain the difference "
            f"(p {_equals(ruling.p_value)}, corrected {_bare(ruling.p_holm)})."
        )
    if ruling.obstacle == SEEDS:
        return f"The seeds do not agree (sign-flip p {_equals(ruling.p_seeds)} over {seeds})."
    if ruling.obstacle == PHOTOGRAPHS:
        return f"Few photographs make the difference (p {_equals(ruling.p_photographs)} with answers swapped)."
    over_seeds = f"It holds over other seeds (sign-flip p {_equals(ruling.p_seeds)})"
    if evidence.unit == "epochs":
        return f"{over_seeds}."
    if math.isnan(ruling.p_photographs):
        return f"{over_seeds}, and over other seeds and photographs (p {_equals(ruling.p_value)}), against the margin."
    return f"{over_seeds}, other photographs (p {_equals(ruling.p_photographs)}), and both."


def _needed(evidence: Evidence, ruling: Ruling) -> str:
    if ruling.verdict != "undecided" or evidence.num_seeds < 2:
        return ""
    if ruling.obstacle == PHOTOGRAPHS:
        return "More photographs would tell; more seeds would not."
    if ruling.obstacle == SEEDS and (ruling.seeds_needed or 0) <= evidence.num_seeds:
        return "More seeds would tell."
    if ruling.margin <= evidence.step:
        return "A difference of no more than one photograph cannot be ruled out: state a wider margin, `within`."
    if ruling.seeds_needed is not None and ruling.seeds_needed > evidence.num_seeds:
        return f"If the truth is what was seen, {ruling.seeds_needed} seeds would decide in four of five studies."
    if ruling.seeds_needed is not None:
        return "As many seeds would decide in four of five studies, if the truth is what was seen."
    if ruling.photographs_needed is not None:
        seeds = max(MIN_SEEDS, evidence.num_seeds)
        return (
            f"No number of seeds would decide on these photos; if the truth is what was seen, {seeds} seeds on about "
            f"{_rounded(ruling.photographs_needed):,} photographs would."
        )
    return "What was seen is too small beside its error to say how many seeds or photos would decide."


def _masked(evidence: Evidence) -> str:
    if not evidence.masked:
        return ""
    names = listing(list(evidence.masked))
    return f"Both are scored on the same {evidence.num_photos} photos, with {names} masked in the model that knows it."


def _censored(evidence: Evidence) -> str:
    if not sum(evidence.censored):
        return ""
    never, runs = sum(evidence.censored), sum(evidence.trainings)
    return f"{never} of {runs} trainings never reached it and count as one epoch more than they ran."


def _in_unit(value: float, unit: str, digits: int = 1) -> str:
    if unit == "epochs":
        return f"{number(value, digits)} epochs"
    return f"{number(value * 100, digits)} points"


def _equals(value: float) -> str:
    text = p_value(value)
    return text if text.startswith("<") else f"= {text}"


def _bare(value: float) -> str:
    return p_value(value)


def _rounded(count: int) -> int:
    """To two digits: no more is known."""
    return count if count < 100 else int(float(f"{count:.1e}"))
