"""Reads a YAML file of reported values, and says in a sentence what is wrong with it."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from datasets.errors import UserError
from orchestrator.paper import Detection
from orchestrator.paper_check.reported import Reported
from orchestrator.paper_check.tables import ClassTable, Confusion, Convergence, Drops, Row, Scores, Speed, TimeReduction
from orchestrator.printed import load_yaml

_PARTS = (Reported, Row, ClassTable, Scores, Confusion, Convergence, Speed, TimeReduction, Drops, Detection)
_FIELDS = sorted({name for part in _PARTS for name in part.model_fields})
MOST_NAMED = 5
"""Mistakes named at once."""


def read_reported(path: str) -> Reported:
    """The reported values in a YAML file. Raises UserError, with a sentence for each mistake."""
    content = _content(path)
    try:
        return Reported.model_validate(content)
    except ValidationError as error:
        mistakes = [_sentence(mistake, path) for mistake in error.errors()]
        more = f" (and {len(mistakes) - MOST_NAMED} more)" if len(mistakes) > MOST_NAMED else ""
        raise UserError(" ".join(mistakes[:MOST_NAMED]) + more) from None


def _content(path: str) -> dict[Any, Any]:
    try:
        content = load_yaml(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"The reported values `{path}` cannot be read ({error}).") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UserError(f"`{path}` is not valid YAML ({' '.join(str(error).split())}).") from None
    if not isinstance(content, dict):
        raise UserError(
            f"`{path}` must hold a mapping such as `rows: {{ours: {{accuracy: 0.78}}}}`, got "
            f"{'nothing' if content is None else f'a {type(content).__name__}'}. examples/reported.yaml is an example."
        )
    return content


def _sentence(mistake: ErrorDetails, path: str) -> str:
    field, rule = ".".join(map(str, mistake["loc"])), mistake["msg"].removeprefix("Value error, ")
    if not field:
        return f"`{path}`: {rule}"
    if mistake["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(mistake["loc"][-1]), _FIELDS, n=1)
        hint = f"Did you mean `{near[0]}`?" if near else "docs/check-paper.md lists the fields."
        return f"`{path}`: `{field}` is no field of the format. {hint}"
    if mistake["type"] == "missing":
        return f"`{path}`: `{field}` is missing. Give it, or leave out `{'.'.join(map(str, mistake['loc'][:-1]))}`."
    if mistake["loc"][-1] == "[key]":
        return (
            f"`{path}`: `{'.'.join(map(str, mistake['loc'][:-2]))}` has the name `{mistake['input']}`, which is no "
            "text. Put it in quotes: YAML reads yes, no, on, off and null as something else."
        )
    rule = rule.removeprefix("Input should be ").rstrip(".")
    return f"`{path}`: `{field}` should be {rule}, got `{_shown(mistake['input'])}`."


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."
