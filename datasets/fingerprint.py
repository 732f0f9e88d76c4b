"""Short, stable names for values: equal values have equal names on every machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any


def fingerprint(value: Any, *, length: int = 16) -> str:
    """First `length` hex digits of the SHA-256 of the canonical JSON (sorted keys, no spaces) of `value`."""
    return hashlib.sha256(_canonical(value).encode()).hexdigest()[:length]


def fingerprint_of_rows(value: Mapping[str, Any], name: str, rows: Iterable[Any], *, length: int = 16) -> str:
    """`fingerprint({**value, name: list(rows)})` of rows too many to be held at once. `name` sorts after all keys."""
    assert all(key < name for key in value)
    digest = hashlib.sha256(f"{_canonical(dict(value))[:-1]},{_canonical(name)}:[".encode())
    for index, row in enumerate(rows):
        digest.update(f"{',' if index else ''}{_canonical(row)}".encode())
    digest.update(b"]}")
    return digest.hexdigest()[:length]


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
