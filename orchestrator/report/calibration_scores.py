"""How far confidence is from accuracy: scores of probabilities. N photos, K classes.

Sources: C. Guo et al. (2017), On calibration of modern neural networks, arXiv:1706.04599 (expected calibration error,
15 bins of equal width); J. Nixon et al. (2019), Measuring calibration in deep learning, arXiv:1904.01685 (bins of equal
mass); G. W. Brier (1950), doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2 (summed over classes, so from 0 to 2);
J. Bröcker and L. A. Smith (2007), doi:10.1175/WAF993.1 (what a calibrated model would show on as few photos).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

NUM_BINS = 15
"""Bins of equal width, and the most of equal mass."""
MIN_PER_BIN = 15
"""Photos of a bin of equal mass, at the least: of fewer photos there are fewer bins."""
NUM_DRAWS = 100
"""Draws of right and wrong answers for `error_if_calibrated`."""


def probabilities(logits_NK: np.ndarray) -> np.ndarray:
    """(N, K): softmax of each row."""
    raised_NK = np.exp(logits_NK - logits_NK.max(axis=1, keepdims=True))
    return raised_NK / raised_NK.sum(axis=1, keepdims=True)


def negative_log_likelihood(logits_NK: np.ndarray, true_N: np.ndarray) -> float:
    """Mean of -log of the true class's probability, in nats; from the logits, so that it is never infinite."""
    shifted_NK = logits_NK - logits_NK.max(axis=1, keepdims=True)
    own_N = np.take_along_axis(shifted_NK, true_N[:, None], axis=1)[:, 0]
    return float((np.log(np.exp(shifted_NK).sum(axis=1)) - own_N).mean())


def brier_score(probabilities_NK: np.ndarray, true_N: np.ndarray) -> float:
    """Mean over photos of the squared distance between the probabilities and the truth: 0 to 2, both for any K."""
    own_N = np.take_along_axis(probabilities_NK, true_N[:, None], axis=1)[:, 0]
    return float(((probabilities_NK**2).sum(axis=1) - 2 * own_N + 1).mean())


def equal_width_bins(confidence_N: np.ndarray, num_bins: int = NUM_BINS) -> np.ndarray:
    """(N,): the bin of each confidence. A confidence on an edge is in the bin below, as in Guo et al."""
    return np.searchsorted(np.linspace(0.0, 1.0, num_bins + 1)[1:-1], confidence_N)


def num_mass_bins(num_photos: int) -> int:
    """How many bins of equal mass so many photos are sorted into."""
    return min(NUM_BINS, max(1, num_photos // MIN_PER_BIN))


def equal_mass_bins(confidence_N: np.ndarray, num_bins: int) -> np.ndarray:
    """(N,): the bin of each confidence, every bin with the same number of photos or one more.

    Equal confidences go to bins in the order that they stand in.
    """
    bin_N = np.empty(len(confidence_N), np.int64)
    bin_N[np.argsort(confidence_N, kind="stable")] = np.arange(len(confidence_N)) * num_bins // len(confidence_N)
    return bin_N


def calibration_error(confidence_N: np.ndarray, right_N: np.ndarray, bin_N: np.ndarray) -> float:
    """Expected calibration error: over bins, the mean distance of accuracy and confidence, weighted by photos."""
    return float(np.abs(np.bincount(bin_N, weights=right_N - confidence_N)).sum() / len(bin_N))


def error_if_calibrated(confidence_N: np.ndarray, bin_N: np.ndarray) -> float:
    """What `calibration_error` would be on average if every confidence were true: what so few photos alone make of it.

    Right and wrong are drawn NUM_DRAWS times from the confidences, always the same draws for as many photos.
    """
    order_N = np.argsort(bin_N, kind="stable")
    sorted_N = confidence_N[order_N].astype(np.float32)
    excess_DN = (_draws(len(sorted_N)) < sorted_N).astype(np.float32) - sorted_N
    starts_B = np.flatnonzero(np.diff(bin_N[order_N], prepend=-1))
    return float(np.abs(np.add.reduceat(excess_DN, starts_B, axis=1)).sum() / excess_DN.size)


@lru_cache(maxsize=8)
def _draws(num_photos: int) -> np.ndarray:
    """(NUM_DRAWS, N) uniform numbers."""
    return np.random.default_rng(0).random((NUM_DRAWS, num_photos), dtype=np.float32)
