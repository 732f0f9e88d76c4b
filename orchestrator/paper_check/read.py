"""Reads a YAML file of reported values, and says in a sentence what is wrong with it."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from datasets.config import Config
from datasets.errors import UserError
from orchestrator.paper import Detection
from orchestrator.paper_check.reported import Reported
from orchestrator.paper_check.tables import ClassTable, Confusion, Convergence, Drops, Row, Scores, Speed, TimeReduction
from orchestrator.plain_rules import rule_of
from orchestrator.printed import load_printed

_PARTS: dict[str, type[Config]] = {
    "": Reported,
    "detection": Detection,
    "rows.NAME": Row,
    "class_scores": ClassTable,
    "class_scores.scores.CLASS": Scores,
    "confusion": Confusion,
    "convergence": Convergence,
    "convergence.rows.NAME": Speed,
    "convergence.time_reduction": TimeReduction,
    "drops": Drops,
}
"""By where they stand; capitals are names that the study gives."""
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
        content = load_printed(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"The reported values `{path}` cannot be read ({error}).") from None
    except yaml.YAMLError as error:
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
        return f"`{path}`: `{field}` is no field of the format. {_hint(mistake['loc'])}"
    if mistake["type"] == "missing":
        return f"`{path}`: `{field}` is missing. Give it, or leave out `{'.'.join(map(str, mistake['loc'][:-1]))}`."
    if mistake["loc"][-1] == "[key]":
        return (
            f"`{path}`: `{'.'.join(map(str, mistake['loc'][:-2]))}` has the name `{mistake['input']}`, which is no "
            "text. Put it in quotes: YAML reads yes, no, on, off and null as something else."
        )
    return f"`{path}`: `{field}` should be {rule_of(mistake)}, got {_got(mistake)}."


def _hint(place: tuple[int | str, ...]) -> str:
    """Where a field that is not known at `place` belongs, or what may have been meant."""
    name = str(place[-1])
    homes = [where for where, part in _PARTS.items() if name in part.model_fields]
    if homes:
        return f"It belongs {' or '.join(f'under `{home}`' if home else 'at the top' for home in homes)}."
    beside = [part for where, part in _PARTS.items() if _is_at(place[:-1], where)]
    known = [field for part in beside or _PARTS.values() for field in part.model_fields]
    near = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean `{near[0]}`?" if near else "docs/check-paper.md lists the fields."


def _is_at(place: tuple[int | str, ...], where: str) -> bool:
    parts = where.split(".") if where else []
    return len(parts) == len(place) and all(
        part.isupper() or part == given for part, given in zip(parts, place, strict=True)
    )


def _got(mistake: ErrorDetails) -> str:
    """The value, and what YAML makes of it where that is not what was meant."""
    value = mistake["input"]
    if mistake["type"] == "int_type" and isinstance(value, str) and value.strip().isdecimal():
        return f"the text `{value}`. Write it without quotes"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`; YAML reads yes, no, on and off so too"
    return f"`{_shown(value)}`"


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."
