"""Are two photos one photograph? Lay one over the other and look where they agree least."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from datasets.copies.agreement import disagreement, laid_over, retoned, spread_of
from datasets.copies.alignment import halved, register, smoothed
from datasets.copies.threads import num_cores
from datasets.mtcnn.arrays import Array, Scalar
from datasets.mtcnn.compiled import compiled

SAME = 0.64
"""Scores from here on are copies: half-way, as ratios of disagreement, between planted copies and frames of a film."""
POSSIBLE = 0.5
"""What two copies of one original must at least reach among themselves, each with its own changes."""
_LEAST_SEEN = 0.4
"""Share of the pixels that must be judged."""
_CHUNK = 256
_MAX_SHEAR, _LEAST_SIDE, _MOST_SIDE, _MAX_SHIFT = 0.2, 0.72, 1.4, 0.28


@compiled(fused=True)
def _plausible(p: Array) -> bool:
    """A crop, a small turn, a border, and a change of levels that leaves dark dark."""
    least, most = min(p[0], p[4]), max(p[0], p[4])
    return (
        least > _LEAST_SIDE
        and most < _MOST_SIDE
        and max(abs(p[1]), abs(p[3])) < _MAX_SHEAR
        and max(abs(p[2]), abs(p[5])) < _MAX_SHIFT
        and p[6] > 0.15
    )


@compiled(fused=True)
def _judge(template: Array, image: Array, p: Array) -> Scalar:
    """The score of (n, n) photos under the map `p`, in [0, 1)."""
    a, seen = smoothed(template), np.empty_like(template)
    mask = np.empty(template.shape, np.bool_)
    if laid_over(smoothed(image), p, seen, mask) < _LEAST_SEEN * template.size:
        return 0.0
    there, back = np.empty_like(a), np.empty_like(a)
    missed_there, missed_back = retoned(a, seen, mask, there), retoned(seen, a, mask, back)
    # Levels that one of the two has cut off can only be told from the other.
    if missed_there**2 * spread_of(a, mask) < missed_back**2 * spread_of(seen, mask):
        worst = disagreement(there, seen, mask)
    else:
        worst = disagreement(back, a, mask)
    return min(max(1.0 - worst, 0.0), 0.9999)


@compiled(fused=True)
def _align(template: Array, image: Array, p: Array) -> bool:
    """Register (48, 48) photos, at half the size first."""
    coarse = register(smoothed(halved(template)), smoothed(halved(image)), p, 8, 0.05)
    return coarse and _plausible(p) and register(smoothed(template), smoothed(image), p, 6, 0.08) and _plausible(p)


@compiled(fused=True)
def _compare_all(sigs: Array, template: Array, image: Array, maps: Array, out: Array) -> None:
    """Scores of pairs into `out`, their maps improved in place; a map that mirrors is one of the mirrored image."""
    for i in range(template.shape[0]):
        m = maps[i]
        flip = m[0, 0] * m[1, 1] - m[0, 1] * m[1, 0] < 0.0
        b = sigs[image[i]]
        a, b = halved(sigs[template[i]]), halved(b[:, ::-1] if flip else b)
        if flip:
            m[0] *= -1.0
        p = np.array([m[0, 0], m[0, 1], m[0, 2], m[1, 0], m[1, 1], m[1, 2], 1.0, 0.0])
        out[i] = 0.0
        if _align(a, b, p):
            out[i] = _judge(a, b, p)
            m[0], m[1] = p[:3], p[3:6]
        if flip:
            m[0] *= -1.0


def compare(
    signatures_NSS: np.ndarray,
    template_P: np.ndarray,
    image_P: np.ndarray,
    start_P33: np.ndarray,
    progress: Callable[[int], None] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Scores (P,) in [0, 1) of pairs of signatures, and the maps (P, 3, 3) from template to image coordinates.

    `start_P33` are guesses of those maps. A pair whose score is 0 keeps its guess or something near it.
    `progress` gets the number of pairs done.
    """
    scores, maps = np.zeros(len(template_P)), np.ascontiguousarray(start_P33, np.float64).copy()

    def work(at: int) -> int:
        part = slice(at, at + _CHUNK)
        _compare_all(signatures_NSS, template_P[part], image_P[part], maps[part], scores[part])
        return min(at + _CHUNK, len(template_P))

    if len(template_P) <= _CHUNK:
        work(0)
        return scores, maps
    with ThreadPoolExecutor(num_cores()) as threads:
        for done in threads.map(work, range(0, len(template_P), _CHUNK)):
            if progress is not None:
                progress(done)
    return scores, maps
