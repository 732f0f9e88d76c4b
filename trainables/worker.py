"""Ray's side of a trial: a Tune trainable that runs Ray Train inside, one reported epoch a step.

A trial of one worker trains in the trial's own process (Ray Train's local mode), so that no process starts for it; more
workers train by DDP from the same function. Actors are reused from trial to trial.
"""

from __future__ import annotations

import gc
import queue
from collections.abc import Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np
import ray
import torch
from ray import tune
from ray.train import FailureConfig, RunConfig, ScalingConfig, get_context
from ray.train.torch import TorchConfig, TorchTrainer, get_device
from ray.util.queue import Empty as RayQueueEmpty
from ray.util.queue import Queue as RayQueue

from datasets.store import PhotoArrays
from trainables.checkpoint import Checkpointer
from trainables.job import Cell, EpochRecord, Part, TrialJob
from trainables.layout import METRIC, WorkerLayout
from trainables.team import Team
from trainables.train import run_training

_POLL_S = 1.0


class Recorder(Protocol):
    """The actor that keeps what trials produce, next to the run folder."""

    load_checkpoint: Any
    save_checkpoint: Any
    finish: Any


class AblationTrial(tune.Trainable):
    """One cell of the grid. The result of each step holds METRIC; the last one also `done`."""

    def setup(  # type: ignore[override]  # the rest comes from tune.with_parameters
        self,
        config: dict[str, Any],
        *,
        arrays: PhotoArrays,
        imagenet: dict[str, np.ndarray] | None,
        roles: Mapping[Part, np.ndarray],
        jobs: Mapping[Cell, TrialJob],
        layout: WorkerLayout,
        recorder: Recorder,
        scratch: str,
    ) -> None:
        """Keep what is shared. Nothing starts yet: Tune may run this trial on another actor after all."""
        self._shared: dict[str, Any] = {
            "arrays": arrays,
            "roles": roles,
            "imagenet": imagenet,
            "layout": layout,
            "recorder": recorder,
            "scratch": scratch,
        }
        self._jobs = jobs
        self._training: _Training | None = None
        # One thread for all trials of this actor: with one each, the allocator keeps every dead thread's memory.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="train")

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Take the next trial on in this process."""
        self._training = None
        self.config = new_config
        return True

    def cleanup(self) -> None:
        """Let the thread go."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def step(self) -> dict[str, Any]:
        """Wait for the next epoch. Raises what the training raised."""
        if self._training is None:
            job = self._jobs[Cell.of(self.config)]
            self._training = _Training(job, self._thread, **self._shared)
        return self._training.next_result()


class _Training:
    """A trial's training in the actor's one training thread, and the queue of what it reports."""

    def __init__(
        self,
        job: TrialJob,
        thread: Executor,
        *,
        layout: WorkerLayout,
        scratch: str,
        roles: Mapping[Part, np.ndarray],
        **shared: Any,
    ) -> None:
        self._job, self._layout, self._scratch = job, layout, scratch
        shared |= {"role_N": roles[job.cell.part]}
        self._reports: Any = RayQueue(actor_options={"num_cpus": 0}) if layout.workers > 1 else queue.Queue()
        self._config = {"job": job, "layout": layout, "reports": self._reports, **shared}
        self._accuracy = thread.submit(self._run)

    def next_result(self) -> dict[str, Any]:
        """The next epoch, or the end. Raises what the training raised."""
        while True:
            ended = self._accuracy.done()  # asked first: what was reported before the end is in the queue by then
            try:
                record: EpochRecord = self._reports.get(timeout=0.01 if ended else _POLL_S)
                return {METRIC: record.val_accuracy, "epoch": record.epoch, "wall_s": record.wall_s}
            except (queue.Empty, RayQueueEmpty):
                if ended:
                    return self._end()

    def _end(self) -> dict[str, Any]:
        if isinstance(self._reports, RayQueue):
            self._reports.shutdown()
        return {METRIC: self._accuracy.result(), "done": True}

    def _run(self) -> float:
        try:
            return self._trainer().fit().return_value
        finally:
            self._config = {}
            gc.collect()  # a model and its optimiser refer to each other; the next trial needs their memory

    def _trainer(self) -> Any:
        new_trainer: Any = TorchTrainer  # type checkers see the signatures of Ray Train's first version
        new_failure_config: Any = FailureConfig
        layout = self._layout
        if layout.workers == 1:
            return new_trainer(
                train_worker, train_loop_config=self._config, scaling_config=ScalingConfig(num_workers=0)
            )
        config = {
            **self._config,
            "arrays": ray.put(self._config["arrays"]),
            "imagenet": ray.put(self._config["imagenet"]),
        }
        resources = {"CPU": layout.cpus_per_worker, "GPU": layout.gpus_per_worker}
        return new_trainer(
            train_worker,
            train_loop_config=config,
            torch_config=TorchConfig(backend="nccl" if layout.gpus_real else "gloo"),
            scaling_config=ScalingConfig(
                num_workers=layout.workers, use_gpu=layout.gpus_per_worker > 0, resources_per_worker=resources
            ),
            run_config=RunConfig(
                name=f"{self._job.key}-{id(self)}",  # a used name would silently resume the finished run of that name
                storage_path=self._scratch,
                failure_config=new_failure_config(max_failures=0, controller_failure_limit=2),  # or it retries for ever
            ),
        )


def train_worker(config: dict[str, Any]) -> float:
    """What every Ray Train worker runs; the trial's accuracy on the reported photos.

    Only rank 0 reports epochs, keeps checkpoints and hands the outcome to the recorder.
    """
    job, layout, recorder = config["job"], config["layout"], config["recorder"]
    make_deterministic(layout.cpus_per_worker)
    team = _team(layout)
    arrays, imagenet = (
        ray.get(x) if isinstance(x, ray.ObjectRef) else x for x in (config["arrays"], config["imagenet"])
    )
    outcome = run_training(
        job,
        arrays,
        config["role_N"],
        None if imagenet is None else {name: torch.tensor(tensor) for name, tensor in imagenet.items()},
        team=team,
        checkpointer=Checkpointer(
            load=lambda: ray.get(recorder.load_checkpoint.remote(job.key)),
            save=lambda content: ray.get(recorder.save_checkpoint.remote(job.key, content)),
        ),
        report=config["reports"].put if team.rank == 0 else lambda record: None,
    )
    if team.rank == 0:
        ray.get(recorder.finish.remote(job, outcome, device_name(team.device), team.size))
    return outcome.accuracy


def device_name(device: torch.device) -> str:
    """The GPU's name, or `cpu`."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def _team(layout: WorkerLayout) -> Team:
    on_gpu = layout.gpus_per_worker > 0 and torch.cuda.is_available()  # Ray's GPUs may be logical
    device = get_device() if on_gpu else torch.device("cpu")
    if layout.workers == 1:
        return Team(device=device)
    context = get_context()
    return Team(rank=context.get_world_rank(), size=context.get_world_size(), device=device)


def make_deterministic(num_threads: int) -> None:
    """The same numbers on the same machine: a fixed number of threads, no autotuned or reduced-precision kernels."""
    torch.set_num_threads(num_threads)
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
