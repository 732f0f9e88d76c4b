"""From a photo to a few numbers that tell photos apart and change little from a photo to its copy.

A descriptor is linear in the photo's pixels up to its length, so the descriptor of each view of a photo (a crop, a
turn, the mirror image) is a matrix product with the photo itself.
"""

from __future__ import annotations

import numpy as np

from datasets.copies.geometry import VIEWS

GRID = 24
"""Photos are described from their means in 24 x 24 cells."""
LENGTH = 64
_CELLS = 12
_EDGE_SHARE = 0.15
"""Towards the frame, within this share of a side, pixels count less and less: borders and turned corners are there."""
_FLOOR = 1e-4
"""Share of a descriptor's energy under which a direction is noise, and is not amplified further."""
_WHITENING = 0.5
"""0 keeps every direction as strong as photos have it, 1 makes all equally strong. All faces look alike in the few
strongest; details alone are noise."""
_MAX_SAMPLE = 20_000


def cell_means(signatures_NSS: np.ndarray) -> np.ndarray:
    """(N, 576) float32: means of the 4 x 4 blocks of signatures (N, 96, 96) uint8."""
    num, side = len(signatures_NSS), signatures_NSS.shape[-1]
    block = side // GRID
    sums = signatures_NSS.reshape(num, GRID, block, GRID, block).sum((2, 4), dtype=np.uint16)
    return sums.reshape(num, GRID * GRID).astype(np.float32) / np.float32(block * block)


def view_matrices(cells_NG: np.ndarray) -> np.ndarray:
    """(V, 576, 64) float32: cells @ matrix is the descriptor of that view, not yet of unit length.

    The directions are those in which this set's photos differ: eigenvectors of the second moments, not of the
    covariance, so that a set of one photo's copies still has what they share.
    """
    raw = np.stack([_sampling(matrix) for matrix in VIEWS])
    step = -(-len(cells_NG) // _MAX_SAMPLE)
    plain = unit_rows(cells_NG[::step] @ raw[0].astype(np.float32)).astype(np.float64)
    strength, directions = np.linalg.eigh(plain.T @ plain / len(plain))
    strongest = np.argsort(-strength)[:LENGTH]
    weights = (np.maximum(strength[strongest], 0) + _FLOOR) ** (-_WHITENING / 2)
    return (raw @ (directions[:, strongest] * weights)).astype(np.float32)


def unit_rows(rows: np.ndarray) -> np.ndarray:
    """Each row divided by its length; a row of zeros stays."""
    lengths = np.sqrt(np.einsum("nd,nd->n", rows, rows))[:, None]
    return rows / np.maximum(lengths, 1e-6)


def _sampling(matrix: np.ndarray) -> np.ndarray:
    """(576, 144): from cells to the tapered 12 x 12 means of a view, with the weighted mean removed."""
    centres = (np.arange(GRID) + 0.5) / GRID * 2 - 1
    x, y = (axis.ravel() for axis in np.meshgrid(centres, centres))
    u, v = (matrix @ np.stack([x, y, np.ones_like(x)]))[:2]
    across, down = _interpolation(u), _interpolation(v)  # (576, 24) each
    sampled = np.einsum("oy,ox->oyx", down, across).reshape(GRID * GRID, GRID * GRID)
    half = GRID // _CELLS
    pooled = sampled.reshape(_CELLS, half, _CELLS, half, -1).mean((1, 3)).reshape(_CELLS * _CELLS, -1)
    places = (np.arange(_CELLS) + 0.5) / _CELLS
    ramp = np.minimum(1.0, np.minimum(places, 1 - places) / _EDGE_SHARE)
    taper = np.sqrt(np.outer(ramp, ramp)).ravel()
    centred = pooled - (taper**2 @ pooled) / (taper**2).sum()
    return (taper[:, None] * centred).T


def _interpolation(at: np.ndarray) -> np.ndarray:
    """(M, 24): weights that interpolate between cell centres at coordinates in [-1, 1]; outside, the nearest cell."""
    place = np.clip((at + 1) * GRID / 2 - 0.5, 0, GRID - 1)
    below = np.minimum(place.astype(int), GRID - 2)
    weights = np.zeros((len(at), GRID))
    rows = np.arange(len(at))
    weights[rows, below] = 1 - (place - below)
    weights[rows, below + 1] = place - below
    return weights
