"""Which conditions are compared for convergence: staged against end-to-end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from orchestrator.report.censored import Unit, horizon_of, waiting_times
from orchestrator.report.results import Group, Results

COMPARED = ("eca_mtcnn", "minus_staging", "proposed")
"""The rows of Table 2."""
_NAMED = (("proposed", "minus_staging"), ("proposed", "eca_mtcnn"))
"""The fair pair, and the paper's, in which the classes differ too."""
_ANY_ACCURACY = 0.0


@dataclass(frozen=True, slots=True)
class StagingPair:
    """A staged condition and an end-to-end one under one protocol."""

    staged: Group
    end_to_end: Group

    @property
    def differing(self) -> list[str]:
        """The fields of the definition in which the two differ; `staged` alone for a fair pair."""
        first, second = definition_of(self.staged), definition_of(self.end_to_end)
        return [name for name in first if first[name] != second.get(name)]


def definition_of(group: Group) -> dict[str, Any]:
    """The fields of the group's condition, as its records carry them."""
    return dict(group.records[0]["definition"])


def staging_pairs(results: Results, protocol: str) -> list[StagingPair]:
    """The two named pairs, then all that differ in staged training alone; each once, if both were run."""
    found = [(results.group(first, protocol), results.group(second, protocol)) for first, second in _NAMED]
    pairs = [StagingPair(first, second) for first, second in found if first and second]
    groups = [group for group in results.groups if group.protocol == protocol]
    for staged in groups:
        others = [other for other in groups if _only_lacks_staging(staged, other)]
        pairs += [StagingPair(staged, other) for other in others]
    return list({(pair.staged.condition, pair.end_to_end.condition): pair for pair in pairs}.values())


def groups_shown(results: Results, protocol: str) -> list[Group]:
    """The conditions of Table 2 and of every pair, in the order of the results."""
    paired = {group.condition for pair in staging_pairs(results, protocol) for group in (pair.staged, pair.end_to_end)}
    wanted = paired | set(COMPARED)
    return [group for group in results.groups if group.protocol == protocol and group.condition in wanted]


def common_horizon(results: Results, protocol: str, unit: Unit) -> float:
    """The longest time that all trainings of `groups_shown` ran; NaN where there is none."""
    shown = groups_shown(results, protocol)
    times = [one for group in shown for one in waiting_times(group, _ANY_ACCURACY, unit)]
    return horizon_of(times) if times else float("nan")


def _only_lacks_staging(staged: Group, other: Group) -> bool:
    first = definition_of(staged)
    return bool(first["staged"]) and definition_of(other) == first | {"staged": False}
