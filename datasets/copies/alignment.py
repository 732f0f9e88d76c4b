"""Lay one photo over another: an affine map and a linear change of levels, by robust Gauss-Newton steps.

Loops over pixels, compiled. Coordinates run from -1 to 1 along both sides of a photo. `p` is the map and the levels,
(8,): a point (x, y) of the template is at (p0 x + p1 y + p2, p3 x + p4 y + p5) of the image, and its level l in the
template is p6 l + p7 there.
"""

from __future__ import annotations

import numpy as np

from datasets.mtcnn.arrays import Array, Scalar
from datasets.mtcnn.compiled import compiled

_LEAST_OVERLAP = 0.3
_LARGEST_MISS = 60.0
_WHITE = 250.0
"""At this level and above pixels are cut off, and say little about where they belong."""


@compiled(fused=True)
def halved(src: Array) -> Array:
    """(n/2, n/2) float32: means of blocks of 2 x 2."""
    n = src.shape[0] // 2
    out = np.empty((n, n), np.float32)
    for r in range(n):
        for c in range(n):
            top = np.float32(src[2 * r, 2 * c]) + np.float32(src[2 * r, 2 * c + 1])
            bottom = np.float32(src[2 * r + 1, 2 * c]) + np.float32(src[2 * r + 1, 2 * c + 1])
            out[r, c] = (top + bottom) * np.float32(0.25)
    return out


@compiled(fused=True)
def smoothed(src: Array) -> Array:
    """A little blur, so that levels can be interpolated: 1/6, 2/3, 1/6 along both sides."""
    n = src.shape[0]
    across, out = np.empty_like(src), np.empty_like(src)
    for r in range(n):
        for c in range(n):
            beside = src[r, max(c - 1, 0)] + src[r, min(c + 1, n - 1)]
            across[r, c] = src[r, c] * np.float32(2 / 3) + beside * np.float32(1 / 6)
    for r in range(n):
        for c in range(n):
            beside = across[max(r - 1, 0), c] + across[min(r + 1, n - 1), c]
            out[r, c] = across[r, c] * np.float32(2 / 3) + beside * np.float32(1 / 6)
    return out


@compiled(fused=True)
def place(p: Array, r: int, c: int, n: int, margin: float) -> tuple[Scalar, Scalar]:
    """Column and row in the image of the template's pixel (r, c); (-1, -1) if either is within the margin."""
    half = n / 2.0
    x, y = (c + 0.5) / half - 1.0, (r + 0.5) / half - 1.0
    u, v = p[0] * x + p[1] * y + p[2], p[3] * x + p[4] * y + p[5]
    if max(max(abs(x), abs(y)), max(abs(u), abs(v))) > 1.0 - margin:
        return -1.0, -1.0
    return min(max((u + 1.0) * half - 0.5, 0.0), n - 1.0), min(max((v + 1.0) * half - 0.5, 0.0), n - 1.0)


@compiled(fused=True)
def level_and_slopes(image: Array, column: Scalar, row: Scalar) -> tuple[Scalar, Scalar, Scalar]:
    """The interpolated level between four pixels, and its slopes along columns and rows."""
    c, r = min(int(column), image.shape[1] - 2), min(int(row), image.shape[0] - 2)
    across, down = column - c, row - r
    a, b, d, e = image[r, c], image[r, c + 1], image[r + 1, c], image[r + 1, c + 1]
    top, bottom = a + across * (b - a), d + across * (e - d)
    return top + down * (bottom - top), (b - a) + down * ((e - d) - (b - a)), bottom - top


@compiled(fused=True)
def _solve(h: Array, g: Array) -> bool:
    """h x = g by Cholesky's factors, of the lower triangle, in place: x is left in g. False if h is singular."""
    n = g.shape[0]
    for j in range(n):
        for i in range(j, n):
            left = h[i, j]
            for k in range(j):
                left -= h[i, k] * h[j, k]
            if i == j:
                if not left > 1e-9:
                    return False
                h[j, j] = np.sqrt(left)
            else:
                h[i, j] = left / h[j, j]
    for i in range(n):
        for k in range(i):
            g[i] -= h[i, k] * g[k]
        g[i] /= h[i, i]
    for i in range(n - 1, -1, -1):
        for k in range(i + 1, n):
            g[i] -= h[k, i] * g[k]
        g[i] /= h[i, i]
    return True


@compiled(fused=True)
def _gather(template: Array, image: Array, p: Array, margin: float, scale: Scalar, h: Array, g: Array) -> Scalar:
    """Fill the normal equations of a step; the mean absolute miss, or -1 where the two hardly overlap."""
    n, count, missed = template.shape[0], 0, 0.0
    j = np.empty(8)
    h[:], g[:] = 0.0, 0.0
    for r in range(n):
        y = (r + 0.5) * 2.0 / n - 1.0
        for c in range(n):
            column, row = place(p, r, c, n, margin)
            if column < 0.0:
                continue
            x = (c + 0.5) * 2.0 / n - 1.0
            level, across, down = level_and_slopes(image, column, row)
            expected = template[r, c]
            miss = level - p[6] * expected - p[7]
            weight = 1.0 / (1.0 + miss * miss / scale) ** 2
            if max(level, expected) > _WHITE:
                weight *= 0.1
            missed += min(abs(miss), _LARGEST_MISS)
            count += 1
            across, down = across * n / 2.0, down * n / 2.0
            j[0], j[1], j[2] = across * x, across * y, across
            j[3], j[4], j[5] = down * x, down * y, down
            j[6], j[7] = -expected, -1.0
            for i in range(8):
                weighted = weight * j[i]
                g[i] -= weighted * miss
                for k in range(i + 1):
                    h[i, k] += weighted * j[k]
    return missed / count if count >= _LEAST_OVERLAP * n * n else -1.0


@compiled(fused=True)
def register(template: Array, image: Array, p: Array, rounds: int, margin: float) -> bool:
    """Improve `p` in place, on photos (n, n) float32; False if that fails. What disagrees widely counts for little."""
    n = template.shape[0]
    h, g = np.empty((8, 8)), np.empty(8)
    scale = 1e9
    for _ in range(rounds):
        missed = _gather(template, image, p, margin, scale, h, g)
        if missed < 0.0:
            return False
        scale = (2.5 * (1.5 * missed + 2.0)) ** 2
        for i in range(6):
            h[i, i] = h[i, i] * 1.001 + n * n
        h[6, 6], h[7, 7] = h[6, 6] * 1.0001, h[7, 7] * 1.0001
        if not _solve(h, g):
            return False
        p += g
        if not np.isfinite(p.sum()):
            return False
        if np.abs(g[:6]).max() * n / 2.0 < 0.03:
            break
    return True
