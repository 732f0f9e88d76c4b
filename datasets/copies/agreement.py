"""How far two photos agree where they agree least, once one is laid over the other. Loops over pixels, compiled."""

from __future__ import annotations

import numpy as np

from datasets.copies.alignment import level_and_slopes, place
from datasets.mtcnn.arrays import Array, Scalar
from datasets.mtcnn.compiled import compiled

MARGIN = 0.09
"""Of half a side, in either photo: what is nearer to the frame is not judged. Borders and turned corners are there."""
WINDOW = 7
"""Pixels of 48: a seventh of a side."""
QUANTILE = 0.995
"""Of windows: a few that agree less are a speck, not another picture."""
_NOISE = 12.0
"""Squared grey levels of difference that JPEG and resizing make, in a window without content."""
_CONTRAST_SHARE = 0.03
"""The same as a share of the photo's own variance."""
_BINS = 16
_LEAST_IN_BIN = 12.0
_FARTHEST = 1e9
_LARGEST_MISS = 60.0


@compiled(fused=True)
def laid_over(image: Array, p: Array, out: Array, mask: Array) -> int:
    """The image as the template sees it, and a mask of the pixels that both show; their number."""
    n, count = image.shape[0], 0
    for r in range(n):
        for c in range(n):
            column, row = place(p, r, c, n, MARGIN)
            mask[r, c] = column >= 0.0
            out[r, c] = 0.0
            if mask[r, c]:
                out[r, c] = level_and_slopes(image, column, row)[0]
                count += 1
    return count


@compiled(fused=True)
def _curve(a: Array, b: Array, mask: Array, guess: Array, spread: Scalar, xs: Array, ys: Array) -> int:
    """Knots of the curve from a's levels to b's: weighted means in bins of a's levels; their number."""
    sums = np.zeros((_BINS, 3))
    for r in range(a.shape[0]):
        for c in range(a.shape[1]):
            if mask[r, c]:
                miss = b[r, c] - guess[r, c]
                weight = 1.0 / (1.0 + miss * miss / spread) ** 2
                k = int(a[r, c] / 256.0 * _BINS)
                sums[k, 0] += weight * a[r, c]
                sums[k, 1] += weight * b[r, c]
                sums[k, 2] += weight
    num, x, y, weight = 0, 0.0, 0.0, 0.0
    for k in range(_BINS):
        x, y, weight = x + sums[k, 0], y + sums[k, 1], weight + sums[k, 2]
        if weight >= _LEAST_IN_BIN:
            xs[num], ys[num] = x / weight, y / weight
            num, x, y, weight = num + 1, 0.0, 0.0, 0.0
    return num


@compiled(fused=True)
def retoned(a: Array, b: Array, mask: Array, out: Array) -> Scalar:
    """a with b's levels, by the curve that fits best: brightness, contrast, gamma, clipping. The mean absolute miss."""
    xs, ys = np.empty(_BINS), np.empty(_BINS)
    out[:] = 0.0
    spread, mean = _FARTHEST * 1e3, _FARTHEST
    for _ in range(3):
        num = _curve(a, b, mask, out, spread, xs, ys)
        if num < 2:
            return _FARTHEST
        missed, count = 0.0, 0
        for r in range(a.shape[0]):
            for c in range(a.shape[1]):
                if mask[r, c]:
                    k = 0
                    while k < num - 2 and a[r, c] > xs[k + 1]:
                        k += 1
                    share = min(max((a[r, c] - xs[k]) / (xs[k + 1] - xs[k]), -0.5), 1.5)
                    out[r, c] = ys[k] + share * (ys[k + 1] - ys[k])
                    missed += min(abs(b[r, c] - out[r, c]), _LARGEST_MISS)
                    count += 1
        mean = missed / count
        spread = (3.0 * mean + 2.0) ** 2
    return mean


@compiled(fused=True)
def spread_of(a: Array, mask: Array) -> Scalar:
    """Variance within the mask."""
    total, squares, count = 0.0, 0.0, 0
    for r in range(a.shape[0]):
        for c in range(a.shape[1]):
            if mask[r, c]:
                total += a[r, c]
                squares += a[r, c] * a[r, c]
                count += 1
    return squares / count - (total / count) ** 2


@compiled(fused=True)
def _add_row(a: Array, b: Array, mask: Array, r: int, sign: float, sums: Array) -> None:
    """Add a row of pixels to sums by column (n, 6): number, a, b, a squared, b squared, (a - b) squared."""
    for c in range(a.shape[1]):
        if mask[r, c]:
            x, y = float(a[r, c]), float(b[r, c])
            sums[c, 0] += sign
            sums[c, 1] += sign * x
            sums[c, 2] += sign * y
            sums[c, 3] += sign * x * x
            sums[c, 4] += sign * y * y
            sums[c, 5] += sign * (x - y) * (x - y)


@compiled(fused=True)
def _keep_worst(worst: Array, ratio: Scalar) -> None:
    """Insert into values that fall from left to right; the least drops out."""
    at = len(worst)
    while at > 0 and worst[at - 1] < ratio:
        at -= 1
    if at < len(worst):
        worst[at + 1 :] = worst[at:-1].copy()
        worst[at] = ratio


@compiled(fused=True)
def disagreement(a: Array, b: Array, mask: Array) -> Scalar:
    """The energy of a - b to the energy of what a and b show, in the windows where it is greatest; 0 if a is b."""
    n, num = a.shape[0], 0
    floor = _NOISE + _CONTRAST_SHARE * spread_of(b, mask)
    worst = np.full(int((1.0 - QUANTILE) * n * n) + 2, -1.0)
    columns, total = np.zeros((n, 6)), np.zeros(6)
    for r in range(n):
        _add_row(a, b, mask, r, 1.0, columns)
        if r >= WINDOW:
            _add_row(a, b, mask, r - WINDOW, -1.0, columns)
        total[:] = 0.0
        for c in range(n):
            for k in range(6):
                total[k] += columns[c, k] - (columns[c - WINDOW, k] if c >= WINDOW else 0.0)
            count = total[0]
            if r >= WINDOW - 1 and c >= WINDOW - 1 and count >= 0.7 * WINDOW * WINDOW:
                content = (total[3] - total[1] ** 2 / count + total[4] - total[2] ** 2 / count) / count
                _keep_worst(worst, total[5] / count / (content + floor))
                num += 1
    return worst[int((1.0 - QUANTILE) * num)] if num > 0 else _FARTHEST
