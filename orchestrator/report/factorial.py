"""Main effects and interactions of the components, from complete factorials. C cells, S seeds.

Coding (-1 and 1) and effects as in G. E. P. Box, J. S. Hunter and W. G. Hunter, Statistics for Experimenters (2005),
chapter 5: a main effect is the mean of the cells with the component minus the mean of those without; an interaction of
two is half the difference between the effect of one with the other and without it; of more, half the difference of
interactions.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from statsmodels.stats.multitest import multipletests

from orchestrator.report.designs import FACTORS, Design, Factor, common_accuracy, largest_designs
from orchestrator.report.intervals import Interval, seed_interval, sign_flip_p
from orchestrator.report.results import Results
from orchestrator.report.wording import listing


@dataclass(frozen=True, eq=False)
class Effect:
    """A contrast of a design. values_S: what it is in each of the design's seeds, as a difference of shares."""

    design: Design
    factors: tuple[Factor, ...]
    values_S: np.ndarray

    @property
    def name(self) -> str:
        """`face cropping`, or `face cropping x staged training`."""
        return " x ".join(factor.name for factor in self.factors)

    @property
    def interval(self) -> Interval:
        """Mean over seeds."""
        return seed_interval(self.values_S.tolist())

    @property
    def p_value(self) -> float:
        """Two-sided sign-flip p that it is 0."""
        return sign_flip_p(self.values_S.tolist())


def effects_of(design: Design) -> Iterator[Effect]:
    """All 2 ** k - 1 effects, main effects first."""
    by_cell = common_accuracy(design.cells)
    accuracy_SC = np.array([[accuracy[seed] for accuracy in by_cell] for seed in design.seeds])
    places = range(len(design.factors))
    for order in range(1, len(places) + 1):
        for chosen in itertools.combinations(places, order):
            signs_C = design.levels_CF[:, list(chosen)].prod(axis=1)
            values_S = accuracy_SC @ signs_C * (2.0 / len(signs_C))
            yield Effect(design, tuple(design.factors[place] for place in chosen), values_S)


def effects_by_protocol(results: Results) -> list[list[Effect]]:
    """Every effect of the largest complete factorials, a list a protocol; an empty one where there is none."""
    return [
        [effect for design in largest_designs(groups) for effect in effects_of(design)]
        for protocol in results.protocols
        if (groups := [group for group in results.groups if group.protocol == protocol])
    ]


def effects_rows(results: Results) -> list[dict[str, Any]]:
    """One row an effect, factorial and protocol; Holm's correction is over the effects of one protocol."""
    rows = []
    for effects in effects_by_protocol(results):
        p_values = [effect.p_value for effect in effects]
        rows += [_row(*one) for one in zip(effects, p_values, holm(p_values), strict=True)]
    return rows


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's corrected p values, in the same order."""
    return multipletests(p_values, method="holm")[1].tolist() if p_values else []


def held_text(design: Design) -> str:
    """What all cells share: `with face cropping and channel attention, without staged training`; else empty."""
    held = [(factor, design.held[factor.field]) for factor in FACTORS if factor.field in design.held]
    there = [factor.name for factor, value in held if value == factor.with_it]
    lacking = [factor.name for factor, value in held if value == factor.without]
    odd = [f"{factor.name} {value}" for factor, value in held if value not in (factor.with_it, factor.without)]
    odd += [f"the loss {design.held['loss']}"] if design.held["loss"] != "cross_entropy" else []
    odd += ["landmarks"] if design.held["landmarks"] else []
    texts = (("with", there + odd), ("without", lacking))
    return ", ".join(f"{word} {listing(names)}" for word, names in texts if names)


def _row(effect: Effect, p_value: float, p_holm: float) -> dict[str, Any]:
    interval = effect.interval
    return {
        "protocol": effect.design.protocol,
        "effect": effect.name,
        "effect_order": len(effect.factors),
        "estimate_mean": interval.mean,
        "estimate_low": interval.low,
        "estimate_high": interval.high,
        "p_value": p_value,
        "p_holm": p_holm,
        "seeds": len(effect.design.seeds),
        "cells": len(effect.design.cells),
        "held": held_text(effect.design),
    }
