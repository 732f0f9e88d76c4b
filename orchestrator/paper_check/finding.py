"""What a check answers with: findings, or what it lacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from orchestrator.paper_check.reported import Reported

Severity = Literal["inconsistent", "weak"]
"""`inconsistent`: the numbers cannot all be right. `weak`: they may be, and do not show what they are given for."""


@dataclass(frozen=True)
class Finding:
    """One thing that the numbers do not allow."""

    id: str
    """The check that found it."""
    severity: Severity
    title: str
    """In a few words."""
    sentence: str
    """With the arithmetic spelled out."""
    numbers: Mapping[str, Any]
    """The numbers under it, plain JSON."""


def inconsistent(check: str, title: str, sentence: str, numbers: Mapping[str, Any]) -> Finding:
    """Numbers that cannot all be right."""
    return Finding(check, "inconsistent", title, sentence, numbers)


def weak(check: str, title: str, sentence: str, numbers: Mapping[str, Any]) -> Finding:
    """Numbers that do not show what they are given for."""
    return Finding(check, "weak", title, sentence, numbers)


@dataclass(frozen=True)
class Lacking:
    """Why a check could not be made."""

    fields: str
    """The fields that it needs, as a phrase."""


Outcome = list[Finding] | Lacking


@dataclass(frozen=True)
class Check:
    """One check. `run` is pure."""

    id: str
    title: str
    """What is asked, in a few words."""
    run: Callable[[Reported], Outcome]
    exact: bool = False
    """Whether its findings rest on how numbers were rounded; they are weak if cut-off digits would explain them."""


@dataclass(frozen=True)
class Checked:
    """A check and its outcome."""

    check: Check
    outcome: Outcome

    @property
    def made(self) -> bool:
        """Whether the reported values sufficed for it."""
        return not isinstance(self.outcome, Lacking)

    @property
    def findings(self) -> list[Finding]:
        """What it found."""
        return [] if isinstance(self.outcome, Lacking) else self.outcome
