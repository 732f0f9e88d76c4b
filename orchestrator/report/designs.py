"""The complete factorials among the conditions that were run. C cells of k factors at two levels, C = 2 ** k."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from orchestrator.report.results import Group
from orchestrator.report.staging_pairs import definition_of


@dataclass(frozen=True, slots=True)
class Factor:
    """A field of the definition, its level without and with the component, and what the component is called."""

    field: str
    without: Any
    with_it: Any
    name: str


FACTORS = (
    Factor("crop", False, True, "face cropping"),
    Factor("attention", "none", "eca", "channel attention"),
    Factor("staged", False, True, "staged training"),
    Factor("rare_class_excluded", False, True, "exclusion of the rare class"),
)
FEWEST_FACTORS = 2


@dataclass(frozen=True, eq=False)
class Design:
    """A complete set of cells of one protocol that share seeds.

    levels_CF: -1 without the component and 1 with it, a row a cell, a column a factor. held: the rest of the
    definition, the same for all cells.
    """

    protocol: str
    factors: tuple[Factor, ...]
    held: Mapping[str, Any]
    cells: tuple[Group, ...]
    levels_CF: np.ndarray
    seeds: tuple[int, ...]


def largest_designs(groups: Sequence[Group]) -> list[Design]:
    """The complete sets with the most factors, of at least two. `groups`: of one protocol.

    There may be several of equal size, such as two 2 x 2 squares that share an edge; all are given.
    """
    for count in range(len(FACTORS), FEWEST_FACTORS - 1, -1):
        found = [design for factors in itertools.combinations(FACTORS, count) for design in _designs(groups, factors)]
        if found:
            return found
    return []


def common_accuracy(groups: Sequence[Group]) -> list[dict[int, float]]:
    """Accuracy by seed of each group, on the photos of the classes that all of them know.

    All other answers are masked, so that a model with more classes is scored with the choices of the others.
    """
    common = [name for name in groups[0].classes if all(name in group.classes for group in groups)]
    return [
        group.metric("accuracy") if set(group.classes) == set(common) else group.accuracy_on(common) for group in groups
    ]


def _designs(groups: Sequence[Group], factors: tuple[Factor, ...]) -> list[Design]:
    cells_of: dict[tuple[tuple[str, Any], ...], dict[tuple[int, ...], Group]] = defaultdict(dict)
    fields = {factor.field for factor in factors}
    for group in groups:
        definition = definition_of(group)
        levels = tuple(_level(factor, definition[factor.field]) for factor in factors)
        if 0 not in levels:
            held = tuple(sorted((name, value) for name, value in definition.items() if name not in fields))
            cells_of[held].setdefault(levels, group)
    return [_design(factors, dict(held), cells) for held, cells in cells_of.items() if _complete(factors, cells)]


def _level(factor: Factor, value: object) -> int:
    return 1 if value == factor.with_it else -1 if value == factor.without else 0


def _complete(factors: tuple[Factor, ...], cells: Mapping[tuple[int, ...], Group]) -> bool:
    return len(cells) == 2 ** len(factors) and bool(_shared_seeds(cells))


def _shared_seeds(cells: Mapping[tuple[int, ...], Group]) -> list[int]:
    return sorted(set.intersection(*(set(group.seeds) for group in cells.values())))


def _design(factors: tuple[Factor, ...], held: Mapping[str, Any], cells: Mapping[tuple[int, ...], Group]) -> Design:
    levels = sorted(cells)
    return Design(
        protocol=cells[levels[0]].protocol,
        factors=factors,
        held=held,
        cells=tuple(cells[level] for level in levels),
        levels_CF=np.array(levels),
        seeds=tuple(_shared_seeds(cells)),
    )
