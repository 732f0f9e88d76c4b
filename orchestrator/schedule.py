"""Ray Tune works off the grid: every cell once, as many at a time as the plan allows."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import ray
from optuna.storages import BaseStorage
from ray import tune
from ray.tune import CheckpointConfig, FailureConfig, RunConfig, TuneConfig
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from datasets.folder import Folder
from datasets.store import PhotoArrays
from orchestrator.recorder import RunRecorder
from search_spaces.grid import grid_search
from trainables.job import Cell, Part, TrialJob
from trainables.layout import METRIC, WorkerLayout
from trainables.worker import AblationTrial

STALLED_AFTER_S = 60.0
MAX_RETRIES = 3
"""How often a trial starts again, from its checkpoint: a machine may be taken away more than once."""


class TrialListener(Protocol):
    """Who wants to know how trials fare."""

    def trial_started(self, cell: Cell) -> None:
        """A trial has its place and begins."""

    def epoch_done(self, cell: Cell, epoch: int, wall_s: float) -> None:
        """A trial reported an epoch, counted from 0, that took `wall_s` to train and evaluate."""

    def trial_done(self, cell: Cell, accuracy: float) -> None:
        """A trial is in the ledger."""

    def trial_failed(self, cell: Cell) -> None:
        """A trial failed for good."""

    def stalled(self, message: str) -> None:
        """Nothing runs, for the reason given."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A trial that failed for good, and the last line of why."""

    cell: Cell
    reason: str


def start_recorder(run_folder: Folder, provenance: dict[str, Any]) -> Any:
    """The recorder as an actor on this machine, which holds the run folder."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    return (
        ray.remote(RunRecorder)
        .options(num_cpus=0, scheduling_strategy=here, max_restarts=-1, max_task_retries=3)
        .remote(run_folder, provenance)
    )


def run_trials(
    jobs: Mapping[Cell, TrialJob],
    todo: Sequence[Cell],
    *,
    arrays: PhotoArrays,
    roles: Mapping[Part, np.ndarray],
    imagenet: dict[str, np.ndarray] | None,
    layout: WorkerLayout,
    concurrent: int,
    recorder: Any,
    storage: BaseStorage,
    listener: TrialListener,
) -> list[Failure]:
    """Train the cells of `todo`; the trials that failed for good. Finished trials are in the ledger whatever happens.

    Needs a running Ray with room for `concurrent` trials of `layout` (see `placement.place`).
    """
    scratch, relay = tempfile.mkdtemp(prefix="facet-tune-"), _Relay(listener)
    trainable = tune.with_parameters(
        AblationTrial,
        arrays=arrays,
        roles=roles,
        imagenet=imagenet,
        jobs=dict(jobs),
        layout=layout,
        recorder=recorder,
        scratch=scratch,
    )
    tuner = tune.Tuner(
        tune.with_resources(trainable, layout.trial_resources()),
        tune_config=TuneConfig(
            search_alg=grid_search(storage, {cell: job.key for cell, job in jobs.items()}, todo),
            num_samples=len(todo),
            max_concurrent_trials=concurrent,
            reuse_actors=True,
        ),
        run_config=RunConfig(
            name="grid",
            storage_path=scratch,
            verbose=0,
            callbacks=[relay],
            failure_config=FailureConfig(max_failures=MAX_RETRIES),
            checkpoint_config=CheckpointConfig(checkpoint_at_end=False),
        ),
    )
    try:
        tuner.fit()
        return relay.failures
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


class _Relay(tune.Callback):
    """Tells the listener what Tune tells us. Tune pickles its callbacks; a listener may hold a terminal."""

    def __init__(self, listener: TrialListener) -> None:
        self._listener = listener
        self.failures: list[Failure] = []
        self._idle_since: float | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def on_step_begin(self, iteration: int, trials: list[Any], **info: Any) -> None:
        """Watch for trials that wait although nothing runs."""
        if any(trial.status == "RUNNING" for trial in trials) or not trials:
            self._idle_since = None
            return
        now = time.monotonic()
        self._idle_since = self._idle_since or now
        if now - self._idle_since > STALLED_AFTER_S:
            self._idle_since = now
            self._listener.stalled(_what_is_missing(trials))

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """The trial has its resources."""
        self._listener.trial_started(Cell.of(trial.config))

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """An epoch, or the end of a trial."""
        if "epoch" in result and not result.get("done"):
            self._listener.epoch_done(Cell.of(trial.config), result["epoch"], result["wall_s"])

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """The trial's record is in the ledger."""
        self._listener.trial_done(Cell.of(trial.config), trial.last_result[METRIC])

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """The trial failed for good."""
        self.failures.append(Failure(Cell.of(trial.config), _reason(trial)))
        self._listener.trial_failed(Cell.of(trial.config))


def _what_is_missing(trials: Sequence[Any]) -> str:
    wanted = trials[-1].placement_group_factory.required_resources
    return why_waiting(wanted, ray.available_resources(), ray.cluster_resources())


def why_waiting(wanted: Mapping[str, float], free: Mapping[str, float], present: Mapping[str, float]) -> str:
    """Why no trial runs, of resources by Ray's names: what there is is taken, or a machine has yet to join."""
    needed = {name: amount for name, amount in wanted.items() if amount}
    needs = " and ".join(_amount(amount, name) for name, amount in needed.items())
    has = " and ".join(f"{free.get(name, 0.0):g} of {_amount(present.get(name, 0.0), name)}" for name in needed)
    waits = (
        "Waiting until enough is free, or a trial that has its place has started, which is slow on a busy machine."
        if all(present.get(name, 0.0) >= amount for name, amount in needed.items())
        else "Waiting for a machine to join."
    )
    return f"No trial has run for {STALLED_AFTER_S:g} s. One needs {needs}; free: {has}. {waits}"


def _amount(amount: float, name: str) -> str:
    noun = {"CPU": "core"}.get(name, name)
    return f"{amount:g} {noun}{'' if amount == 1 else 's'}"


def _reason(trial: Any) -> str:
    """The last line of the trial's traceback."""
    path = Path(trial.error_file) if trial.error_file else None
    text = path.read_text(errors="replace") if path and path.exists() else ""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "no reason given")
