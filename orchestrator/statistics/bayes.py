"""The Bayesian signed-rank test with a region of practical equivalence (ROPE).

Source: A. Benavoli et al. (2017), Time for a change, JMLR 18, https://jmlr.org/papers/v18/16-305.html.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

NUM_DRAWS = 20_000
PRIOR_STRENGTH = 0.5
"""Weight of the one pseudo-difference of 0, in observations."""


class Posterior(NamedTuple):
    """Probabilities, together 1, that the first is worse, practically equal, or better."""

    worse: float
    rope: float
    better: float


def signed_rank(differences: Sequence[float], rope: float) -> Posterior:
    """Where the median of the paired differences lies: below -`rope`, within, or above. Always the same draws.

    NaN where there is no difference to go by.
    """
    if not len(differences):
        return Posterior(float("nan"), float("nan"), float("nan"))
    values_N = np.concatenate([[0.0], np.asarray(differences, float)])
    walsh_NN = (values_N[:, None] + values_N) / 2
    near = 1e-9  # a difference of one photo is one photo, whatever the rounding
    worse_NN, better_NN = walsh_NN < -rope - near, walsh_NN > rope + near
    alpha = np.ones(len(values_N))
    alpha[0] = PRIOR_STRENGTH
    weights_DN = np.random.default_rng(0).dirichlet(alpha, NUM_DRAWS)
    worse_D = np.einsum("di,ij,dj->d", weights_DN, worse_NN, weights_DN, optimize=True)
    better_D = np.einsum("di,ij,dj->d", weights_DN, better_NN, weights_DN, optimize=True)
    shares_D3 = np.stack([worse_D, 1 - worse_D - better_D, better_D], axis=1)
    best_D3 = np.isclose(shares_D3, shares_D3.max(axis=1, keepdims=True))
    return Posterior(*(float(share) for share in (best_D3 / best_D3.sum(axis=1, keepdims=True)).mean(axis=0)))
