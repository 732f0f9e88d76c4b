"""Every condition that both runs have under one protocol: how much it differs, and whether it does."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from orchestrator.compare.gap import Gap, of_independent, of_spread
from orchestrator.compare.runs import Run
from orchestrator.compare.shared import common_classes, common_photos, joined_draws, on_common, reported
from orchestrator.hypotheses.answers import own_answers, paired_answers
from orchestrator.hypotheses.decide import ALPHA, MIN_SEEDS
from orchestrator.hypotheses.evidence import weigh
from orchestrator.report.intervals import wilson_interval
from orchestrator.report.results import Group
from orchestrator.report.wording import counted, listing, p_value
from orchestrator.statistics.paired import holm, smallest_p
from orchestrator.statistics.scores import Answers, Metric, score_spread

METRICS = ("accuracy", "macro_f1")
LEAST_SHARED = 0.5
"""Share of the smaller set of reported photos from which on the shared ones alone are compared."""
LEAST_PHOTOS = 2
PAIRED, APART, NOT_COMPARED = "paired", "independent", "not compared"
HIGHER, LOWER, UNDECIDED = "higher", "lower", "undecided"


@dataclass(frozen=True, eq=False)
class Matched:
    """The groups of one condition and protocol in both runs, cut to what they share. basis: PAIRED or APART.

    classes: as the first spells them. masked: known to one run alone. draw_of: of the photos of each run.
    """

    first: Group
    second: Group
    basis: str
    classes: tuple[str, ...]
    masked: tuple[str, ...]
    draw_of: tuple[Mapping[str, str], Mapping[str, str]]


def match(first: Group, second: Group, runs: tuple[Run, Run], same: AbstractSet[str] | None) -> Matched | None:
    """None where the two share fewer than two classes. `same`: see shared.same_photos."""
    classes = common_classes(first, second)
    if len(classes) < 2:
        return None
    named = (
        {mine: mine for mine, _ in classes},
        {theirs: mine for mine, theirs in classes},
    )
    known = {name.casefold() for name, _ in classes}
    masked = tuple(dict.fromkeys(name for name in (*first.classes, *second.classes) if name.casefold() not in known))
    cut = [on_common(group, names) for group, names in zip((first, second), named, strict=True)]
    photos = common_photos(cut[0], cut[1], same)
    sizes = [len(reported([group])) for group in cut]
    enough = len(photos) >= max(LEAST_PHOTOS, LEAST_SHARED * min(sizes))
    if enough and set(first.seeds) & set(second.seeds):
        draws = joined_draws(runs[0].draw_of, runs[1].draw_of)
        both = [on_common(group, {name: name for name in group.classes}, photos) for group in cut]
        return Matched(both[0], both[1], PAIRED, tuple(cut[0].classes), masked, (draws, draws))
    if min(sizes) < LEAST_PHOTOS:
        return None
    draw_of = (runs[0].draw_of, runs[1].draw_of)
    return Matched(cut[0], cut[1], APART, tuple(cut[0].classes), masked, draw_of)


def condition_rows(runs: tuple[Run, Run], same: AbstractSet[str] | None) -> list[dict[str, Any]]:
    """One row a condition, protocol and metric that both have. The rows of one protocol and metric are one family."""
    rows = []
    for protocol in runs[0].results.protocols:
        pairs = [
            (group, other)
            for group in runs[0].results.groups
            if group.protocol == protocol and (other := runs[1].results.group(group.condition, protocol))
        ]
        matched = [(first, second, match(first, second, runs, same)) for first, second in pairs]
        for metric in METRICS:
            rows += _ruled([_row(*one, metric) for one in matched])
    return rows


def _row(first: Group, second: Group, matched: Matched | None, metric: str) -> dict[str, Any]:
    head = {"condition": first.condition, "title": first.title, "protocol": first.protocol, "metric": metric}
    if matched is None:
        return head | _unknown()
    numbers = _paired(matched, metric) if matched.basis == PAIRED else _apart(matched, metric)
    return (
        head
        | {"basis": matched.basis, "classes": len(matched.classes), "masked": listing(list(matched.masked))}
        | (numbers)
    )


def _paired(matched: Matched, metric: str) -> dict[str, Any]:
    pair = paired_answers(matched.second, matched.first, matched.draw_of[0])
    assert pair is not None  # `match` asks for shared seeds and photos
    found = weigh(pair, Metric(metric))
    seeds, photos, draws = found.num_seeds, found.num_photos, found.spread.num_photographs
    return {
        **_side("a", pair.second, metric),
        **_side("b", pair.first, metric),
        **_difference(of_spread(found.spread)),
        "p_seeds": found.p_seeds,
        "p_photographs": found.p_photographs,
        **{f"seeds_{side}": seeds for side in "ab"},
        **{f"photos_{side}": photos for side in "ab"},
        **{f"photographs_{side}": draws for side in "ab"},
    }


def _apart(matched: Matched, metric: str) -> dict[str, Any]:
    groups = (matched.first, matched.second)
    answers = [own_answers(group, draw_of) for group, draw_of in zip(groups, matched.draw_of, strict=True)]
    gap = of_independent(*(score_spread(one, Metric(metric)) for one in answers))
    numbers = {**_difference(gap), "p_seeds": math.nan, "p_photographs": math.nan}
    for side, one in zip("ab", answers, strict=True):
        numbers |= {**_side(side, one, metric), f"seeds_{side}": len(one.answer_SP)}
        numbers |= {f"photos_{side}": len(one.true_P), f"photographs_{side}": one.num_photographs}
    return numbers


def _side(side: str, answers: Answers, metric: str) -> dict[str, float]:
    """A run's own score, with its interval over other seeds and photographs; Wilson's where there is one seed."""
    spread = score_spread(answers, Metric(metric))
    low, high = spread.bounds() if len(answers.answer_SP) > 1 else (math.nan, math.nan)
    if len(answers.answer_SP) == 1 and metric == "accuracy":
        share = wilson_interval(int(answers.right_SP.sum()), len(answers.true_P))
        low, high = share.low, share.high
    low, high = (low, high) if math.isnan(low) else (max(0.0, low), min(1.0, high))
    return {f"{side}_mean": spread.mean, f"{side}_low": low, f"{side}_high": high}


def _difference(gap: Gap) -> dict[str, float]:
    low, high = gap.bounds
    return {"difference_mean": gap.mean, "difference_low": low, "difference_high": high, "p_value": gap.p_value}


def _unknown() -> dict[str, Any]:
    numbers = [f"{side}_{name}" for side in ("a", "b", "difference") for name in ("mean", "low", "high")]
    counts = [f"{name}_{side}" for name in ("seeds", "photos", "photographs") for side in "ab"]
    tests = ("p_value", "p_seeds", "p_photographs")
    unknown = dict.fromkeys((*numbers, *tests), math.nan) | dict.fromkeys(counts, 0)
    return unknown | {"basis": NOT_COMPARED, "classes": 0, "masked": ""}


def _ruled(family: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """With p corrected over the family, the verdict and its reason."""
    compared = [row for row in family if row["basis"] != NOT_COMPARED]
    corrected = holm([1.0 if math.isnan(row["p_value"]) else row["p_value"] for row in compared])
    p_of = {id(row): p for row, p in zip(compared, corrected, strict=True)}
    ruled = []
    for row in family:
        p_holm = math.nan if math.isnan(row["p_value"]) else p_of[id(row)]
        verdict, reason = _verdict(row, p_holm)
        ruled.append(row | {"p_holm": p_holm, "verdict": verdict, "reason": reason})
    return ruled


def _verdict(row: Mapping[str, Any], p_holm: float) -> tuple[str, str]:
    seeds = min(row["seeds_a"], row["seeds_b"])
    if row["basis"] == NOT_COMPARED:
        return NOT_COMPARED, "The runs share fewer than two classes that both report photos of."
    if seeds < MIN_SEEDS:
        least = f" (smallest possible sign-flip p: {smallest_p(seeds):g})" if row["basis"] == PAIRED else ""
        return UNDECIDED, f"{counted(seeds, 'seed')}{least}; at least {MIN_SEEDS} are needed."
    if not p_holm < ALPHA:
        return UNDECIDED, "Chance in the choice of seeds and photographs may explain the difference."
    if row["p_seeds"] >= ALPHA:
        return UNDECIDED, f"The seeds do not agree (sign-flip p {p_value(row['p_seeds'])})."
    if row["p_photographs"] >= ALPHA:
        return UNDECIDED, f"Few photographs make the difference (p {p_value(row['p_photographs'])}, answers swapped)."
    word = HIGHER if row["difference_mean"] > 0 else LOWER
    if row["basis"] == PAIRED:
        return word, "It holds over other seeds, other photographs, and both."
    return word, "It is beyond chance; without pairing by photo, the photos themselves may be what differs."
