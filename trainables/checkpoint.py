"""A trial's progress as bytes, so that an interrupted trial goes on at the epoch where it stopped."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from trainables.job import EpochRecord, TrialState


class Checkpointer:
    """Keeps the last epoch in a place given by two functions, at most every `every_s` seconds.

    No generator state is kept: all draws depend on seed and epoch alone (see `seeding`).
    """

    def __init__(
        self, load: Callable[[], bytes | None], save: Callable[[bytes], None], *, every_s: float = 30.0
    ) -> None:
        self._load, self._save, self._every_s = load, save, every_s
        self._saved_at = time.monotonic()

    def save(self, state: TrialState, model: nn.Module, optimizer: Optimizer) -> None:
        """Keep this epoch, unless the last one was kept a moment ago."""
        if time.monotonic() - self._saved_at < self._every_s:
            return
        fields = {name: getattr(state, name) for name in TrialState.__dataclass_fields__ if name != "epochs"}
        buffer = io.BytesIO()
        torch.save(
            {
                "state": fields,
                "epochs": [asdict(record) for record in state.epochs],
                "model": model.state_dict(),
                "optimizer": optimizer.state_dict(),
            },
            buffer,
        )
        self._saved_at = time.monotonic()
        with contextlib.suppress(Exception):  # storage that fails now costs a later resume some epochs, not the trial
            self._save(buffer.getvalue())

    def load(self) -> tuple[TrialState, dict[str, Any], dict[str, Any]] | None:
        """State, model and optimiser tensors of the epoch last kept; None where there is none."""
        content = self._load()
        if content is None:
            return None
        stored = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        state = TrialState(epochs=[EpochRecord(**record) for record in stored["epochs"]], **stored["state"])
        state.interruptions += 1
        return state, stored["model"], stored["optimizer"]


def no_checkpoints() -> Checkpointer:
    """Keeps nothing."""
    return Checkpointer(lambda: None, lambda content: None, every_s=float("inf"))
