"""What pydantic found wrong with a value, in plain words."""

from __future__ import annotations

from pydantic_core import ErrorDetails

_RULES = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "string": "a text",
    "tuple": "a list",
    "list": "a list",
    "dict": "a mapping such as `{a: 1}`",
    "model": "a mapping such as `{a: 1}`",
}
"""By the first word of pydantic's name for the mistake: int_type, int_parsing, ..."""


def rule_of(mistake: ErrorDetails) -> str:
    """What the value should be: `a whole number`, `a list of at least 2 entries`."""
    kind, context = mistake["type"], mistake.get("ctx", {})
    if kind == "string_too_short":
        return f"a text of at least {_counted(context['min_length'], 'character')}"
    if kind == "too_short":
        holder = "a mapping" if context["field_type"] == "Dictionary" else "a list"
        return f"{holder} of at least {_counted(context['min_length'], 'entry', 'entries')}"
    if kind.endswith(("_type", "_parsing", "_from_float")) and kind.partition("_")[0] in _RULES:
        return _RULES[kind.partition("_")[0]]
    return mistake["msg"].removeprefix("Value error, ").removeprefix("Input should be ").rstrip(".")


def _counted(number: int, one: str, more: str = "") -> str:
    return f"{number} {one if number == 1 else more or f'{one}s'}"
