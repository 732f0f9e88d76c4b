"""What the report cannot read from the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from orchestrator.hypotheses.registry import Registered


@dataclass(frozen=True, kw_only=True)
class ReportContext:
    """What was planned, on which photos, and in which surroundings."""

    keys: tuple[str, ...]
    """The trials of this study; others of the same ledger are not reported."""
    title: str
    """Heading of the page."""
    data_name: str
    """The photos, by name."""
    generated: bool
    """Whether the photos are generated, not of people; the page then says so."""
    spec_hash: str
    """Names the specification."""
    data_fingerprint: str
    """Names the photos as they were read."""
    num_planned: int
    """Trials that the study consists of."""
    registered: Registered
    """The hypotheses."""
    draw_of: Mapping[str, str] = field(default_factory=dict)
    """By photo, a name that photos share which are one draw (copies, one person)."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Shown as is."""
    photos: pd.DataFrame | None = None
    """One row a photo, columns of orchestrator/detection/photos.py; None where that is not recorded."""
    crops: str = ""
    """Where the crops and their contact sheets lie, as the page may name it: no absolute path."""
    audit: Mapping[str, Any] | None = None
    """What `audit.json` holds; None where there was no audit."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Photos left out, by reason."""
    summary: Mapping[str, str] = field(default_factory=dict)
    """Shown as is."""
    notes: Sequence[str] = ()
    """Sentences shown before the notes that the report makes itself."""
