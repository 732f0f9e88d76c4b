"""Randomness that is named, not shared: a draw depends on the seed and on what it is for, never on what came before.

So an interrupted trial goes on with the same numbers, every condition under one seed sees the same ones, and no worker
of a distributed trial needs to know what the others drew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor


def generator(seed: int, *purpose: str | int) -> torch.Generator:
    """A CPU generator for one purpose, such as `generator(3, "order", epoch)`."""
    digest = hashlib.sha256(repr((seed, *purpose)).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


@contextmanager
def global_seed(seed: int, *purpose: str | int) -> Iterator[None]:
    """Seed torch's global generator for code that knows no other (layer initialisation), then put it back."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(generator(seed, *purpose).initial_seed())
        yield


def permutation(num_rows: int, seed: int, *purpose: str | int) -> Tensor:
    """A random order of `range(num_rows)`, (num_rows,) int64."""
    return torch.randperm(num_rows, generator=generator(seed, *purpose))
