"""Compiled loops of the first stage: 3x3 convolutions of few channels over rows of pixels.

General convolution code is built for hundreds of channels; P-Net has 3 to 32, and the detector spends most of its time
in it. The loops below run along rows, which the compiler turns into vector instructions, and take several output
channels at a time, so that each loaded pixel is used many times.

Between the layers, rows lie interleaved: (C, 4, N) holds row y of a picture of width W in [:, y % 4, y // 4 * W:].
Four rows are made at a time, each from the same place of neighbouring groups of four, so that narrow pictures too run
through the loops as long rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from datasets.mtcnn.arrays import Array, Scalar
from datasets.mtcnn.compiled import compiled

SPAN = 256
"""Columns worked on at a time: what is read again and again then stays in the first-level cache. 16 divides it."""

# Vertical Winograd F(4, 3) (Lavin and Gray, 2016, arXiv 1509.09308): four rows of a three-tap filter from six products
# instead of twelve.
_G = np.array(
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ]
)


class Conv(NamedTuple):
    """A 3x3 convolution with PReLU, as `conv` wants it."""

    u: Array  # (6, O, C, 3): the filter, transformed along its rows
    b: Array  # (O,)
    slope: Array  # (O,)

    @classmethod
    def from_state(cls, state: Mapping[str, Array], number: int) -> Conv:
        """Layer `number` of one of the reference's `state_dict`."""
        weight = state[f"conv{number}.weight"].astype(np.float64)
        transformed = np.ascontiguousarray(np.einsum("ty,ocyx->tocx", _G, weight), np.float32)
        return cls(transformed, state[f"conv{number}.bias"], state[f"prelu{number}.weight"])


@compiled(fused=True)
def _two_rows(src: Array, y: int, w: Array, o: int, top: Array, bottom: Array, n: int) -> None:
    """Rows y and y + 1 of output channels o and o + 1, added to `top` and `bottom`, (2, n) each.

    Three short chains of sums for each value, as the brackets say: one of nine would wait for itself.
    """
    top0, top1, bottom0, bottom1 = top[0], top[1], bottom[0], bottom[1]
    last = min(y + 3, src.shape[1] - 1)
    for c in range(src.shape[0]):
        r0, r1, r2, r3 = src[c, y], src[c, y + 1], src[c, y + 2], src[c, last]
        a, b = w[o, c], w[o + 1, c]
        a00, a01, a02, a10, a11, a12 = a[0, 0], a[0, 1], a[0, 2], a[1, 0], a[1, 1], a[1, 2]
        a20, a21, a22 = a[2, 0], a[2, 1], a[2, 2]
        b00, b01, b02, b10, b11, b12 = b[0, 0], b[0, 1], b[0, 2], b[1, 0], b[1, 1], b[1, 2]
        b20, b21, b22 = b[2, 0], b[2, 1], b[2, 2]
        for x in range(n):
            p0, p1, p2 = r0[x], r0[x + 1], r0[x + 2]
            q0, q1, q2 = r1[x], r1[x + 1], r1[x + 2]
            s0, s1, s2 = r2[x], r2[x + 1], r2[x + 2]
            t0, t1, t2 = r3[x], r3[x + 1], r3[x + 2]
            top0[x] = (
                (top0[x] + a00 * p0 + a10 * q0 + a20 * s0)
                + (a01 * p1 + a11 * q1 + a21 * s1)
                + (a02 * p2 + a12 * q2 + a22 * s2)
            )
            top1[x] = (
                (top1[x] + b00 * p0 + b10 * q0 + b20 * s0)
                + (b01 * p1 + b11 * q1 + b21 * s1)
                + (b02 * p2 + b12 * q2 + b22 * s2)
            )
            bottom0[x] = (
                (bottom0[x] + a00 * q0 + a10 * s0 + a20 * t0)
                + (a01 * q1 + a11 * s1 + a21 * t1)
                + (a02 * q2 + a12 * s2 + a22 * t2)
            )
            bottom1[x] = (
                (bottom1[x] + b00 * q0 + b10 * s0 + b20 * t0)
                + (b01 * q1 + b11 * s1 + b21 * t1)
                + (b02 * q2 + b12 * s2 + b22 * t2)
            )


@compiled(fused=True)
def prelu(value: Scalar, slope: Scalar) -> Scalar:
    """`value` where positive, else `slope` of it."""
    zero = np.float32(0.0)
    return max(value, zero) + slope * min(value, zero)


@compiled(fused=True)
def _pool_row(top: Array, bottom: Array, slope: Scalar, n: int, out: Array) -> None:
    """PReLU and 2x2 maximum of two rows of n values; an odd last column stands alone (ceil mode)."""
    for x in range(n // 2):
        above = max(prelu(top[2 * x], slope), prelu(top[2 * x + 1], slope))
        below = max(prelu(bottom[2 * x], slope), prelu(bottom[2 * x + 1], slope))
        out[x] = max(above, below)
    if n % 2:
        out[n // 2] = max(prelu(top[n - 1], slope), prelu(bottom[n - 1], slope))


@compiled(fused=True)
def conv_pool(src: Array, height: int, num_columns: int, w: Array, b: Array, slope: Array, out: Array) -> None:
    """3x3 convolution, PReLU, 2x2 maximum in ceil mode: (C, H, W) to interleaved rows (O, 4, >= tiles * W'). O is even.

    There are ceil((H - 2) / 2) rows of W' = ceil((W - 2) / 2) columns, for H = `height` and W = `num_columns`; `src`
    has room for more rows and columns (`padded`), which mean nothing.
    """
    num_rows, n = height - 2, num_columns - 2
    width, steps = (n + 1) // 2, src.shape[2] - 2
    top, bottom = np.empty((2, steps), np.float32), np.empty((2, steps), np.float32)
    for row in range((num_rows + 1) // 2):
        y, at = 2 * row, row // 4 * width
        for o in range(0, out.shape[0], 2):
            for k in range(2):
                top[k, :] = b[o + k]
                bottom[k, :] = b[o + k]
            _two_rows(src, y, w, o, top, bottom, steps)
            for k in range(2):
                line = out[o + k, row % 4, at : at + width]
                _pool_row(top[k], bottom[k] if y + 1 < num_rows else top[k], slope[o + k], n, line)


@compiled()
def padded(num_columns: int) -> int:
    """Room for a row of that many columns, so that a convolution's row is a whole number of vectors."""
    return (num_columns - 2 + 15) // 16 * 16 + 2


@compiled(fused=True)
def _transform(src: Array, start: int, n: int, width: int, v: Array) -> None:
    """Six neighbouring rows to the six that are multiplied: columns `start` to `start + n` of src, to v (6, C, n)."""
    four, five, two = np.float32(4.0), np.float32(5.0), np.float32(2.0)
    for c in range(src.shape[0]):
        r0, r1, r2, r3 = src[c, 0, start:], src[c, 1, start:], src[c, 2, start:], src[c, 3, start:]
        r4, r5 = src[c, 0, start + width :], src[c, 1, start + width :]
        v0, v1, v2, v3, v4, v5 = v[0, c], v[1, c], v[2, c], v[3, c], v[4, c], v[5, c]
        for x in range(n):
            a, b, d, e, f, g = r0[x], r1[x], r2[x], r3[x], r4[x], r5[x]
            v0[x] = four * a - five * d + f
            v1[x] = f + e - four * (b + d)
            v2[x] = f - e + four * (b - d)
            v3[x] = f - d + two * (e - b)
            v4[x] = f - d - two * (e - b)
            v5[x] = four * b - five * e + g


@compiled(fused=True)
def _four_sums(v: Array, u: Array, o: int, n: int, m: Array) -> None:
    """Channels o to o + 3 of one transformed row: v (C, n + 2), u (O, C, 3) to m (4, n).

    One source channel at a time: the processor overlaps four short chains of sums better than one long one.
    """
    m0, m1, m2, m3 = m[0], m[1], m[2], m[3]
    m[:, :n] = np.float32(0.0)
    for c in range(v.shape[0]):
        p = v[c]
        a0, a1, a2 = u[o, c, 0], u[o, c, 1], u[o, c, 2]
        b0, b1, b2 = u[o + 1, c, 0], u[o + 1, c, 1], u[o + 1, c, 2]
        d0, d1, d2 = u[o + 2, c, 0], u[o + 2, c, 1], u[o + 2, c, 2]
        e0, e1, e2 = u[o + 3, c, 0], u[o + 3, c, 1], u[o + 3, c, 2]
        for x in range(n):
            p0, p1, p2 = p[x], p[x + 1], p[x + 2]
            m0[x] += a0 * p0 + a1 * p1 + a2 * p2
            m1[x] += b0 * p0 + b1 * p1 + b2 * p2
            m2[x] += d0 * p0 + d1 * p1 + d2 * p2
            m3[x] += e0 * p0 + e1 * p1 + e2 * p2


@compiled(fused=True)
def _back(m: Array, k: int, layer: Conv, o: int, n: int, row0: Array, row1: Array, row2: Array, row3: Array) -> None:
    """The transform undone for channel k of m (6, 4, n): four rows of output channel o, with bias and PReLU."""
    m0, m1, m2, m3, m4, m5 = m[0, k], m[1, k], m[2, k], m[3, k], m[4, k], m[5, k]
    b, slope = layer.b[o], layer.slope[o]
    two, four, eight = np.float32(2.0), np.float32(4.0), np.float32(8.0)
    for x in range(n):
        plus, minus = m1[x] + m2[x], m1[x] - m2[x]
        far_plus, far_minus = m3[x] + m4[x], m3[x] - m4[x]
        row0[x] = prelu(m0[x] + plus + far_plus + b, slope)
        row1[x] = prelu(minus + two * far_minus + b, slope)
        row2[x] = prelu(plus + four * far_plus + b, slope)
        row3[x] = prelu(minus + eight * far_minus + m5[x] + b, slope)


@compiled(fused=True)
def _add_share(row: Array, share: Scalar, n: int, sums: Array) -> None:
    """`share` of row (n,) added to sums (n,)."""
    for x in range(n):
        sums[x] += share * row[x]


@compiled(fused=True)
def conv(src: Array, width: int, num_tiles: int, layer: Conv, out: Array) -> None:
    """3x3 convolution and PReLU: interleaved rows (C, 4, N) to (O, 4, N). 4 divides O.

    `num_tiles` groups of four output rows are made from one group more. Rows keep their `width`: the last two columns
    of each mean nothing.
    """
    v = np.empty((6, src.shape[0], SPAN + 2), np.float32)
    m = np.empty((6, 4, SPAN), np.float32)
    for start in range(0, num_tiles * width, SPAN):
        n = min(SPAN, (num_tiles * width - start + 15) // 16 * 16)
        _transform(src, start, n + 2, width, v)
        for o in range(0, layer.u.shape[1], 4):
            for t in range(6):
                _four_sums(v[t], layer.u[t], o, n, m[t])
            for k in range(4):
                of_k = out[o + k]
                of_k0, of_k1, of_k2, of_k3 = of_k[0, start:], of_k[1, start:], of_k[2, start:], of_k[3, start:]
                _back(m, k, layer, o + k, n, of_k0, of_k1, of_k2, of_k3)


@compiled(fused=True)
def conv_dot(src: Array, width: int, num_tiles: int, layer: Conv, head: Array, bias: Scalar, out: Array) -> None:
    """As `conv`, with the O channels summed at once by the weights `head` (O,), plus `bias`: to (4, N)."""
    v = np.empty((6, src.shape[0], SPAN + 2), np.float32)
    m = np.empty((6, 4, SPAN), np.float32)
    rows = np.empty((4, SPAN), np.float32)
    for start in range(0, num_tiles * width, SPAN):
        n = min(SPAN, (num_tiles * width - start + 15) // 16 * 16)
        _transform(src, start, n + 2, width, v)
        sums0, sums1, sums2, sums3 = out[0, start:], out[1, start:], out[2, start:], out[3, start:]
        for x in range(n):
            sums0[x] = sums1[x] = sums2[x] = sums3[x] = bias
        for o in range(0, layer.u.shape[1], 4):
            for t in range(6):
                _four_sums(v[t], layer.u[t], o, n, m[t])
            for k in range(4):
                _back(m, k, layer, o + k, n, rows[0], rows[1], rows[2], rows[3])
                _add_share(rows[0], head[o + k], n, sums0)
                _add_share(rows[1], head[o + k], n, sums1)
                _add_share(rows[2], head[o + k], n, sums2)
                _add_share(rows[3], head[o + k], n, sums3)
