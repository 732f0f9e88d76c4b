"""What only people know of the photos: `data_statement.yaml` of the run folder, which the user writes for the cards."""

from __future__ import annotations

from dataclasses import dataclass, fields

import yaml

from datasets.errors import UserError
from datasets.folder import Folder
from datasets.strict_yaml import load_yaml

STATEMENT_FILE = "data_statement.yaml"
NOT_STATED = "Not stated; ask the source of the photos."


@dataclass(frozen=True)
class DataStatement:
    """A sentence or more each; NOT_STATED where nobody has said."""

    licence: str = NOT_STATED
    """Under which the photos may be used."""
    consent: str = NOT_STATED
    """Of the people shown, and of the guardians of children."""
    source: str = NOT_STATED
    """Where the photos come from, and whom to ask."""
    motivation: str = NOT_STATED
    """Why they were brought together, and by whom."""
    collection: str = NOT_STATED
    """How and when photos and labels came about, and who labelled."""
    maintenance: str = NOT_STATED
    """Who keeps them, and how someone gets a photo removed."""


GENERATED = DataStatement(
    licence="Apache-2.0, as the program that draws them.",
    consent="Does not apply: no person is shown.",
    source="Drawn by `facet sample`; no camera and no person was involved.",
    motivation="They show that the pipeline works, and prove nothing about faces.",
    collection="Drawn from a seed; the labels are those that they were drawn for.",
    maintenance="With the program.",
)
"""Of the generated sample."""


def read_statement(run_folder: Folder, *, generated: bool) -> DataStatement:
    """The user's statement, else what is known. Raises UserError where the file has other fields, or no texts."""
    if not run_folder.exists(STATEMENT_FILE):
        return GENERATED if generated else DataStatement()
    known = [field.name for field in fields(DataStatement)]
    try:
        held = load_yaml(run_folder.read_bytes(STATEMENT_FILE).decode())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(
            f"`{STATEMENT_FILE}` is no YAML ({' '.join(str(error).split())}). Mend it or remove it."
        ) from None
    if not isinstance(held, dict):
        raise UserError(f"`{STATEMENT_FILE}` holds no fields. Write lines such as `licence: CC BY 4.0`.")
    for name, text in held.items():
        if name not in known:
            raise UserError(f"`{STATEMENT_FILE}` has no field `{name}`. It may have {', '.join(known)}.")
        if not isinstance(text, str) or not text.strip():
            raise UserError(f"`{STATEMENT_FILE}`: `{name}` must be a text, not {text!r}. Put it in quotes.")
    return DataStatement(**held)
