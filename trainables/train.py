"""Training of one condition under one seed, staged or end-to-end. Knows torch, not Ray."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from datasets.store import PhotoArrays
from trainables.batches import View, eval_batches, train_batches, view_of
from trainables.checkpoint import Checkpointer
from trainables.job import EpochRecord, TrialJob, TrialOutcome, TrialState
from trainables.loop import evaluate, predict, train_one_epoch
from trainables.losses import build_loss
from trainables.metrics import macro_f1
from trainables.model import EmotionNet, build_model
from trainables.recipe import Stage
from trainables.team import Team

Report = Callable[[EpochRecord], None]
FORMAT = 1
"""Raised when the same job would give other numbers: it is part of every trial's key."""


def run_training(
    job: TrialJob,
    arrays: PhotoArrays,
    imagenet: Mapping[str, Tensor] | None,
    *,
    team: Team,
    checkpointer: Checkpointer,
    report: Report,
) -> TrialOutcome:
    """Train one trial from its last checkpoint, or from the start, to its last epoch.

    The same job gives the same numbers on the same machine, bit for bit on a CPU, with or without interruptions.
    Raises ValueError where a split is empty.
    """
    run = _Run(
        job, view_of(arrays, job.condition, job.rare_class, drop_faceless=job.train.no_face == "drop"), imagenet, team
    )
    run.resume(checkpointer)
    while len(run.state.epochs) < job.train.epochs:
        report(run.one_epoch())
        if team.rank == 0:
            checkpointer.save(run.state, run.model, run.optimizer)
    return run.outcome()


class _Run:
    """A trial in progress."""

    def __init__(self, job: TrialJob, view: View, imagenet: Mapping[str, Tensor] | None, team: Team) -> None:
        self.job, self.view, self.team = job, view, team
        for name, rows in (("train", view.rows_train), ("test", view.rows_eval)):
            if len(rows) == 0:
                raise ValueError(f"The {name} split holds no photo that could be read, of the classes of `{job.name}`.")
        self.state = TrialState()
        model = build_model(
            job.condition, job.model, num_classes=len(view.classes), seed=job.seed, imagenet=imagenet
        )  # channels-last is a third faster on CPUs
        self.model: EmotionNet = model.to(team.device).to(memory_format=torch.channels_last)
        train_labels = torch.from_numpy(view.label_of_N[view.rows_train])
        loss_fn = build_loss(job.condition.loss, job.train, train_labels=train_labels, num_classes=len(view.classes))
        self.loss_fn = loss_fn.to(team.device)
        self.label_E = torch.from_numpy(view.label_of_N[view.rows_eval])
        self._enter(self._stage())

    def resume(self, checkpointer: Checkpointer) -> None:
        """Go on where a checkpoint stands, if there is one."""
        kept = checkpointer.load()
        if kept is None or len(kept[0].epochs) == 0:
            return
        self.state, model, optimizer = kept
        self._enter(self._stage_at(len(self.state.epochs) - 1))
        self.model.load_state_dict(model)
        self.optimizer.load_state_dict(optimizer)

    def one_epoch(self) -> EpochRecord:
        """Train and evaluate once; note whether it is the best so far."""
        epoch, started = len(self.state.epochs), time.perf_counter()
        if self._stage() != self.stage:
            self._enter(self._stage())
        batches = train_batches(self.view, self.job.train, seed=self.job.seed, epoch=epoch, team=self.team)
        with _compute_seconds(self.team.device) as compute_s:
            trained = train_one_epoch(self.shared, batches, self.optimizer, loss_fn=self.loss_fn, team=self.team)
        logits_EK = predict(self.model, eval_batches(self.view, self.team), team=self.team)
        reported = evaluate(logits_EK, self.label_E)
        record = EpochRecord(
            epoch=epoch,
            stage=self.stage,
            learning_rate=self.job.train.learning_rate(self.stage),
            train_loss=trained.loss,
            train_accuracy=trained.accuracy,
            val_loss=reported.loss,
            val_accuracy=reported.accuracy,
            val_macro_f1=macro_f1(logits_EK, self.label_E),
            wall_s=time.perf_counter() - started,
            compute_s=compute_s[0],
        )
        self._note(record, logits_EK)
        return record

    def outcome(self) -> TrialOutcome:
        """The finished trial."""
        arrays, rows = self.view.arrays, self.view.rows_eval
        return TrialOutcome(
            state=self.state,
            classes=self.view.classes,
            eval_paths=tuple(arrays.path[rows].tolist()),
            eval_labels=tuple(self.view.classes[index] for index in self.label_E.tolist()),
            eval_found=tuple(arrays.found[rows].tolist()),
            num_train=len(self.view.rows_train),
            num_parameters=sum(parameter.numel() for parameter in self.model.parameters()),
        )

    def _stage_at(self, epoch: int) -> Stage:
        return self.job.train.stage_of(epoch, staged=self.job.condition.staged)

    def _stage(self) -> Stage:
        return self._stage_at(len(self.state.epochs))

    def _enter(self, stage: Stage) -> None:
        """Freeze and thaw for `stage`, with a new optimiser: Adam's moments belong to the stage before."""
        cfg = self.job.train
        self.stage: Stage = stage
        self.model.set_stage(stage, head_trains_attention=cfg.head_trains_attention)
        self.shared: nn.Module = self.team.share(self.model)
        trained = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        self.optimizer = torch.optim.Adam(trained, lr=cfg.learning_rate(stage), weight_decay=cfg.weight_decay)

    def _note(self, record: EpochRecord, logits_EK: Tensor) -> None:
        self.state.epochs.append(record)
        if self.state.best_epoch < 0 or record.val_accuracy > self.state.best.val_accuracy:
            self.state.best_epoch = record.epoch
            self.state.best_logits_EK = logits_EK
            weights = self.model.state_dict()
            self.state.best_weights = {name: tensor.detach().cpu().clone() for name, tensor in weights.items()}


@contextmanager
def _compute_seconds(device: torch.device) -> Iterator[list[float]]:
    """Put into a list of one the seconds that the block computes: of its thread on a CPU, of the device on a GPU."""
    seconds = [0.0]
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        started = time.perf_counter()
        yield seconds
        torch.cuda.synchronize(device)
        seconds[0] = time.perf_counter() - started
    else:
        started = time.thread_time()
        yield seconds
        seconds[0] = time.thread_time() - started
