"""Digits that were cut off: what they would explain is weak and not inconsistent.

Checks read 0.14 as anything from 0.135 to 0.145. Some authors cut digits off (0.147 is 0.14) or always round up; with
0.13 to 0.15 such a study passes. A finding that stands even then does not depend on how numbers were rounded.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from orchestrator.paper_check.finding import Finding, Lacking, Outcome
from orchestrator.paper_check.reported import Reported
from orchestrator.printed import Printed

EXPLAINED = " Digits that were cut off or always rounded up, and not rounded to the nearest, would explain it."


def loosened(reported: Reported) -> Reported:
    """The same values, each uncertain by a whole last digit."""
    loose = _loosened(reported)
    assert isinstance(loose, Reported)
    return loose


def weakened(findings: list[Finding], loose: Outcome) -> list[Finding]:
    """`findings` of one check, weak and with the explanation where the `loose` outcome no longer has them."""
    remaining = set() if isinstance(loose, Lacking) else {(_about(finding), finding.severity) for finding in loose}
    return [
        finding if (_about(finding), finding.severity) in remaining else _explained(finding) for finding in findings
    ]


def _explained(finding: Finding) -> Finding:
    return replace(finding, severity="weak", sentence=finding.sentence + EXPLAINED)


def _about(finding: Finding) -> tuple[Hashable, ...]:
    """What the finding is about, whatever its numbers: the row or class, and which of its values."""
    return finding.numbers.get("row"), finding.numbers.get("class"), *finding.numbers


def _loosened(value: Any) -> Any:
    if isinstance(value, Printed):
        return value.perhaps_cut()
    if isinstance(value, BaseModel):
        return value.model_copy(update={name: _loosened(getattr(value, name)) for name in type(value).model_fields})
    if isinstance(value, dict):
        return {key: _loosened(part) for key, part in value.items()}
    return value
