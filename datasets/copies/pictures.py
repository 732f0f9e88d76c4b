"""The distinct pictures among photos, in an order that does not depend on the order of the photos."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

SIDE = 96
LEAST_CONTENT = 0.05
"""Share of a photo that must hold edges. A flat photo or a smooth ramp can be laid over any other."""
_EDGE = 8
"""Grey levels of a second difference, over twice 3 of 48 pixels."""
_BLOCK = 4096


class Pictures(NamedTuple):
    """M pictures that can be compared."""

    photo: np.ndarray  # (M,) int64: the photo that shows it, of several exact copies the first
    signatures: np.ndarray  # (M, 96, 96) uint8


def distinct_pictures(
    exact: np.ndarray,
    file_sha256: Sequence[str | None],
    pixel_sha256: Sequence[str | None],
    signatures: Sequence[bytes | None],
) -> Pictures:
    """One picture of each exact group (N,), sorted by content; those without signature or content are left out.

    Raises ValueError for a signature of another length than 96 x 96.
    """
    shown: dict[int, int] = {}
    for i, signature in enumerate(signatures):
        if signature and len(signature) != SIDE * SIDE:
            raise ValueError(f"a signature has {SIDE * SIDE} bytes, got {len(signature)} (photo {i})")
        if signature:
            shown.setdefault(int(exact[i]), i)
    keys = ((signatures[i] or b"", pixel_sha256[i] or "", file_sha256[i] or "", i) for i in shown.values())
    photos = [i for *_, i in sorted(keys)]
    pixels = np.frombuffer(b"".join(signatures[i] or b"" for i in photos), np.uint8).reshape(-1, SIDE, SIDE)
    parts = [content(pixels[at : at + _BLOCK]) for at in range(0, len(pixels), _BLOCK)]
    kept = np.flatnonzero(np.concatenate([*parts, np.empty(0)]) >= LEAST_CONTENT)
    return Pictures(np.array(photos, np.int64)[kept], pixels[kept])


def content(signatures_NSS: np.ndarray) -> np.ndarray:
    """(N,): share of each photo that holds edges, of signatures (N, 96, 96) uint8."""
    half = SIDE // 2
    levels = signatures_NSS.reshape(-1, half, 2, half, 2).mean((2, 4), dtype=np.float32)
    middle = 2 * levels[:, 3:-3, 3:-3]
    across = np.abs(middle - levels[:, 3:-3, :-6] - levels[:, 3:-3, 6:])
    down = np.abs(middle - levels[:, :-6, 3:-3] - levels[:, 6:, 3:-3])
    return (np.maximum(across, down) > _EDGE).mean((1, 2))
