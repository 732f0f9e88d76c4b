"""What a probe is asked, and what it answers, as plain values that pass between two processes."""

from __future__ import annotations

from datasets.config import Config
from trainables.condition import Attention
from trainables.recipe import ModelConfig, Stage, TrainConfig


class ProbeRequest(Config):
    """What to try: each variant is an attention in a stage. Rows are those of one worker."""

    image_size: int
    num_classes: int
    batch_rows: int
    """Photos of a step."""
    eval_rows: int
    """Photos to answer in evaluation; of many, a part is tried."""
    variants: tuple[tuple[Attention, Stage], ...]
    model: ModelConfig
    train: TrainConfig
    threads: int = 1
    device: str = "cpu"


class Need(Config):
    """Memory of one process at its highest, in bytes."""

    own: int
    """Memory that no other process shares."""
    shared: int = 0
    """Program files, of which a machine holds one copy; 0 where the system does not tell them apart."""
    gpu: int | None = None
    """What the process held on the GPU, beside what the driver takes; None where it used none."""
    gpu_total: int | None = None
    """What that GPU has."""


class StepTimes(Config):
    """Seconds of each step of one kind, by the clock and of the processor."""

    attention: Attention
    stage: Stage | None
    """None: evaluation."""
    rows: int
    wall_s: tuple[float, ...]
    compute_s: tuple[float, ...]


class Timings(Config):
    """What one process measured."""

    need: Need
    steps: tuple[StepTimes, ...]
