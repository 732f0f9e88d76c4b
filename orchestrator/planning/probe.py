"""A few real training steps on random photos, in a process of their own: what they take, and what the process needs.

`python -m orchestrator.planning.probe` reads a ProbeRequest, a line of JSON, from its input; warms up and writes a
Need; waits for another line, so that several processes can be timed at once, as trials run; and writes Timings.
"""

from __future__ import annotations

import dataclasses
import resource
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

import numpy as np
import torch

from datasets.protocols import TRAIN
from datasets.store import PhotoArrays
from orchestrator.planning.measured import Need, ProbeRequest, StepTimes, Timings
from trainables.batches import EVAL_ROWS, eval_batches, train_batches, view_of
from trainables.condition import Attention, Condition
from trainables.loop import predict, train_one_epoch
from trainables.losses import build_loss
from trainables.model import build_model
from trainables.recipe import Stage
from trainables.team import Team
from trainables.train import compute_seconds, enter_stage
from trainables.worker import make_deterministic  # brings Ray's libraries, which take memory in a trial too

MOST_STEPS, BUDGET_S, SLOW_S = 8, 0.7, 2.0
"""A step is repeated until BUDGET_S have passed or MOST_STEPS are done, unless its warm-up took SLOW_S."""
_Kind = tuple[Attention, Stage | None]
_Seconds = tuple[float, float]
"""By the clock, and of the processor."""


def warm_up(request: ProbeRequest) -> tuple[Need, dict[_Kind, _Seconds]]:
    """One step of each kind, by which memory is taken and libraries prepare: the memory, and what each step took."""
    took = {kind: _timed(step, request) for kind, _, step in _steps(request)}
    return _need(request), took


def measure(request: ProbeRequest, warm_s: dict[_Kind, _Seconds]) -> Timings:
    """Times of each kind of step. `warm_s` are those of `warm_up`, which stand where a step is slow."""
    steps = []
    for kind, rows, step in _steps(request):
        slow = warm_s[kind][0] > SLOW_S
        wall_s, compute_s = zip(*([warm_s[kind]] if slow else _repeated(step, request)), strict=True)
        steps.append(StepTimes(attention=kind[0], stage=kind[1], rows=rows, wall_s=wall_s, compute_s=compute_s))
    return Timings(need=_need(request), steps=tuple(steps))


def serve(lines: IO[str], answers: IO[str]) -> None:
    """Answer one request, as the module says."""
    request = ProbeRequest.model_validate_json(lines.readline())
    make_deterministic(request.threads)
    with ThreadPoolExecutor(1) as thread:  # a trial trains in a thread too, and its memory is kept for it
        need, warm_s = thread.submit(warm_up, request).result()
        print(need.model_dump_json(), file=answers, flush=True)
        if lines.readline():
            print(thread.submit(measure, request, warm_s).result().model_dump_json(), file=answers, flush=True)


def _steps(request: ProbeRequest) -> Iterator[tuple[_Kind, int, Callable[[], object]]]:
    """Every kind of step: its name, its rows, and a call that does it once. One model is held at a time."""
    team, eval_rows = Team(device=torch.device(request.device)), min(request.eval_rows, EVAL_ROWS)
    for attention in dict.fromkeys(attention for attention, _ in request.variants):
        condition = Condition(attention=attention)
        train_view, eval_view = (
            view_of(_random_photos(request, rows), np.full(rows, TRAIN, np.int8), condition, "")
            for rows in (request.batch_rows, eval_rows)
        )
        model = build_model(condition, request.model, num_classes=request.num_classes, seed=0, imagenet=None)
        model = model.to(team.device).to(memory_format=torch.channels_last)
        labels = torch.from_numpy(train_view.label_of_N)
        loss_fn = build_loss("cross_entropy", request.train, train_labels=labels, num_classes=request.num_classes)
        for stage in (stage for kind, stage in request.variants if kind == attention):
            shared, optimizer = enter_stage(model, stage, request.train, team)

            def step(shared=shared, optimizer=optimizer, view=train_view, loss_fn=loss_fn) -> object:  # type: ignore[no-untyped-def]
                batches = train_batches(view, request.train, seed=0, epoch=0, team=team)
                return train_one_epoch(shared, batches, optimizer, loss_fn=loss_fn, team=team)

            yield (attention, stage), request.batch_rows, step

        def answer(model=model, view=eval_view) -> object:  # type: ignore[no-untyped-def]
            return predict(model, eval_batches(view, view.rows_train, team), team=team)

        yield (attention, None), eval_rows, answer


def _repeated(step: Callable[[], object], request: ProbeRequest) -> list[_Seconds]:
    times: list[_Seconds] = []
    while len(times) < MOST_STEPS and sum(wall_s for wall_s, _ in times) < BUDGET_S:
        times.append(_timed(step, request))
    return times


def _timed(step: Callable[[], object], request: ProbeRequest) -> _Seconds:
    started = time.perf_counter()
    with compute_seconds(torch.device(request.device)) as compute_s:
        step()
    return time.perf_counter() - started, compute_s[0]


def _random_photos(request: ProbeRequest, rows: int) -> PhotoArrays:
    rng, side = np.random.default_rng(0), request.image_size
    pixels = rng.integers(0, 256, (rows, side, side, 3), dtype=np.uint8)
    return PhotoArrays(
        face_u8=pixels,
        frame_u8=pixels,
        landmarks=rng.random((rows, 5, 2), dtype=np.float32),
        found=np.ones(rows, bool),
        label=np.arange(rows) % request.num_classes,
        split=np.full(rows, "train"),
        path=np.full(rows, ""),
        classes=tuple(map(str, range(request.num_classes))),
    )


def _need(request: ProbeRequest) -> Need:
    resident = dataclasses.asdict(peak_memory())
    if not request.device.startswith("cuda"):
        return Need(**resident)
    _, total = torch.cuda.mem_get_info(request.device)
    return Need(**resident, gpu=torch.cuda.max_memory_reserved(request.device), gpu_total=total)


@dataclasses.dataclass(frozen=True, slots=True)
class Resident:
    """Memory of this process at its highest, in bytes: its own, and program files."""

    own: int
    shared: int


def peak_memory(status: Path = Path("/proc/self/status")) -> Resident:
    """From Linux's account of this process; elsewhere from getrusage, which tells no shared memory apart.

    Not from getrusage on Linux: a process inherits there the highest value of the one that started it.
    """
    if status.exists():
        lines = (line.split() for line in status.read_text(encoding="ascii").splitlines())
        sizes = {words[0].rstrip(":"): int(words[1]) * 1024 for words in lines if words[-1] == "kB"}
        shared = sizes.get("RssFile", 0)
        return Resident(sizes["VmHWM"] - shared, shared)
    unit = 1 if sys.platform == "darwin" else 1024
    return Resident(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit, 0)


if __name__ == "__main__":
    serve(sys.stdin, sys.stdout)
