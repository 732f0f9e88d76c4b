"""The findings for the terminal, as Markdown and as JSON; all three say the same."""

from __future__ import annotations

import json
import textwrap
from typing import Any

from orchestrator.paper_check.checks import all_findings
from orchestrator.paper_check.finding import Checked, Lacking
from orchestrator.paper_check.reported import Reported
from orchestrator.report.wording import counted

FORMAT = 1
"""Of the JSON file; raised when the meaning of a key changes."""
WIDTH = 100


def headline(checked: list[Checked]) -> str:
    """`14 checks: 5 findings (2 inconsistent, 3 weak); 3 checks could not be made.`"""
    findings, made = all_findings(checked), [one for one in checked if one.made]
    wrong = sum(finding.severity == "inconsistent" for finding in findings)
    kinds = f" ({wrong} inconsistent, {len(findings) - wrong} weak)" if findings else ""
    left = len(checked) - len(made)
    lacking = f"; {counted(left, 'check')} could not be made" if left else ""
    return f"{counted(len(made), 'check')}: {counted(len(findings), 'finding')}{kinds}{lacking}."


def terminal_lines(reported: Reported, checked: list[Checked]) -> list[str]:
    """A headline, a paragraph a finding, then what was in order and what could not be checked."""
    lines = [reported.title, headline(checked)]
    for place, finding in enumerate(all_findings(checked), start=1):
        lines += ["", f"{place}. [{finding.severity}] {finding.title}", *_wrapped(finding.sentence)]
    passed, lacking = _passed(checked), _lacking(checked)
    lines += ["", "In order:", *(f"- {title}" for title in passed)] if passed else []
    lines += ["", "Not checked:", *(f"- {title}: needs {fields}" for title, fields in lacking)] if lacking else []
    return lines


def _wrapped(text: str) -> list[str]:
    whole = text.replace(" %", "\xa0%")  # no line begins with a percent sign
    lines = textwrap.wrap(whole, WIDTH, initial_indent="   ", subsequent_indent="   ", break_on_hyphens=False)
    return [line.replace("\xa0", " ") for line in lines]


def markdown(reported: Reported, checked: list[Checked]) -> str:
    """The same as a page of Markdown."""
    lines = [f"# {reported.title}", "", headline(checked)]
    for finding in all_findings(checked):
        lines += ["", f"## {finding.title}", "", f"*{finding.severity}*, check `{finding.id}`. {finding.sentence}"]
    passed, lacking = _passed(checked), _lacking(checked)
    lines += ["", "## In order", "", *(f"- {title}" for title in passed)] if passed else []
    lines += ["", "## Not checked", "", *(f"- {title}: needs {fields}" for title, fields in lacking)] if lacking else []
    return "\n".join(lines) + "\n"


def document(reported: Reported, checked: list[Checked]) -> dict[str, Any]:
    """The same as plain JSON; `docs/check-paper.md` explains the keys."""
    return {
        "format": FORMAT,
        "title": reported.title,
        "findings": [vars(finding) for finding in all_findings(checked)],
        "checks": [_check(one) for one in checked],
    }


def json_text(reported: Reported, checked: list[Checked]) -> str:
    """`document` as the text of a file."""
    return json.dumps(document(reported, checked), indent=1, ensure_ascii=False) + "\n"


def _check(one: Checked) -> dict[str, Any]:
    needs = one.outcome.fields if isinstance(one.outcome, Lacking) else None
    return {
        "id": one.check.id,
        "title": one.check.title,
        "made": one.made,
        "needs": needs,
        "findings": len(one.findings),
    }


def _passed(checked: list[Checked]) -> list[str]:
    return [one.check.title for one in checked if one.made and not one.findings]


def _lacking(checked: list[Checked]) -> list[tuple[str, str]]:
    return [(one.check.title, one.outcome.fields) for one in checked if isinstance(one.outcome, Lacking)]
