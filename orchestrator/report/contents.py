"""The contents of the page: what its parts are called, and what stands in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.report.sections import PageFigure
from orchestrator.report.template import PageTable

TITLES = {
    "verdicts": "What this shows",
    "tables": "Tables",
    "figures": "Figures",
    "audit": "Audit",
    "faces": "Faces found",
    "run": "What was run on what",
    "notes": "Notes and warnings",
}
"""Of the parts that every page has, by the name that a link leads to; an audit need not be there."""


@dataclass(frozen=True)
class Entry:
    """A line of the contents: where it leads, and what stands in that part."""

    id: str
    title: str
    inner: list[tuple[str, str]]


def page_contents(content: Mapping[str, Any]) -> list[Entry]:
    """The parts that are there, with their tables and figures. `content`: as page_content makes it."""
    claims, audit, detection = content["claims"], content["audit"], content["detection"]
    inner = {
        "verdicts": _links([claims] if claims.view.rows else []),
        "audit": _links(audit.tables if audit else []),
        "tables": _links(content["tables"]),
        "figures": _links(content["figures"]),
        "faces": _links([detection.table] if detection else []),
    }
    entries = [Entry(id, title, inner.get(id, [])) for id, title in TITLES.items() if id != "audit" or audit]
    others = [
        Entry(section.id, section.title, _links([*section.tables, *section.figures])) for section in content["sections"]
    ]
    after = 1 + [entry.id for entry in entries].index("figures")
    return entries[:after] + others + entries[after:]


def _links(parts: Sequence[PageTable] | Sequence[PageFigure]) -> list[tuple[str, str]]:
    return [(part.name, part.doc.title) for part in parts]
