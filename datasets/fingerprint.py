"""Short, stable names for values: equal values have equal names on every machine."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def fingerprint(value: Any, *, length: int = 16) -> str:
    """First `length` hex digits of the SHA-256 of the canonical JSON (sorted keys, no spaces) of `value`."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:length]
