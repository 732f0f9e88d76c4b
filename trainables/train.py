"""Training of one condition under one seed, staged or end-to-end. Knows torch, not Ray."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from datasets.store import PhotoArrays
from trainables.batches import View, eval_batches, train_batches, view_of
from trainables.checkpoint import Checkpointer
from trainables.job import Answers, EpochRecord, TrialJob, TrialOutcome, TrialState
from trainables.loop import evaluate, predict, train_one_epoch
from trainables.losses import build_loss
from trainables.metrics import macro_f1
from trainables.model import EmotionNet, build_model
from trainables.recipe import Stage, TrainConfig
from trainables.team import Team

Report = Callable[[EpochRecord], None]


def run_training(
    job: TrialJob,
    arrays: PhotoArrays,
    role_N: np.ndarray,
    imagenet: Mapping[str, Tensor] | None,
    *,
    team: Team,
    checkpointer: Checkpointer,
    report: Report,
) -> TrialOutcome:
    """Train one trial from its last checkpoint, or from the start, to its last epoch.

    role_N: (N,) int8, what each photo is to the job's protocol and fold. The same job gives the same numbers on the
    same machine, bit for bit on a CPU, with or without interruptions.
    Raises ValueError where a part is empty.
    """
    view = view_of(arrays, role_N, job.condition, job.rare_class, drop_faceless=job.train.no_face == "drop")
    run = _Run(job, view, imagenet, team)
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
        parts = (view.rows_train, view.rows_select, view.rows_report)
        for purpose, rows in zip(("to train on", "to choose the epoch on", "to report"), parts, strict=True):
            if len(rows) == 0:
                raise ValueError(f"Protocol {job.protocol} leaves no photo {purpose}, of the classes of `{job.name}`.")
        self.state = TrialState()
        model = build_model(
            job.condition, job.model, num_classes=len(view.classes), seed=job.seed, imagenet=imagenet
        )  # channels-last is a third faster on CPUs
        self.model: EmotionNet = model.to(team.device).to(memory_format=torch.channels_last)
        train_labels = torch.from_numpy(view.label_of_N[view.rows_train])
        loss_fn = build_loss(job.condition.loss, job.train, train_labels=train_labels, num_classes=len(view.classes))
        self.loss_fn = loss_fn.to(team.device)
        self.label_E = torch.from_numpy(view.label_of_N[view.rows_select])
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
        with compute_seconds(self.team.device) as compute_s:
            trained = train_one_epoch(self.shared, batches, self.optimizer, loss_fn=self.loss_fn, team=self.team)
        logits_EK = self._predict(self.view.rows_select)
        selected = evaluate(logits_EK, self.label_E)
        record = EpochRecord(
            epoch=epoch,
            stage=self.stage,
            learning_rate=self.job.train.learning_rate(self.stage),
            train_loss=trained.loss,
            train_accuracy=trained.accuracy,
            val_loss=selected.loss,
            val_accuracy=selected.accuracy,
            val_macro_f1=macro_f1(logits_EK, self.label_E),
            wall_s=time.perf_counter() - started,
            compute_s=compute_s[0],
        )
        self._note(record, logits_EK)
        return record

    def outcome(self) -> TrialOutcome:
        """The finished trial. The reported photos are answered here, once, unless the epoch was chosen on them."""
        view, state = self.view, self.state
        assert state.best_logits_EK is not None
        self.model.load_state_dict(state.best_weights)
        reported = state.best_logits_EK if view.selects_on_reported else self._predict(view.rows_report)
        label_E = torch.from_numpy(view.label_of_N[view.rows_report])
        scores = evaluate(reported, label_E)
        return TrialOutcome(
            state=state,
            classes=view.classes,
            reported=self._answers(view.rows_report, reported),
            excluded=self._answers(view.rows_excluded, self._predict(view.rows_excluded)),
            loss=scores.loss,
            accuracy=scores.accuracy,
            macro_f1=macro_f1(reported, label_E),
            train_counts=view.counts(view.rows_train),
            select_counts={} if view.selects_on_reported else view.counts(view.rows_select),
            num_dropped=view.num_dropped,
            num_parameters=sum(parameter.numel() for parameter in self.model.parameters()),
        )

    def _predict(self, rows: np.ndarray) -> Tensor:
        """Logits (E, K) of these photos, on every worker."""
        if len(rows) == 0:
            return torch.empty(0, len(self.view.classes))
        return predict(self.model, eval_batches(self.view, rows, self.team), team=self.team)

    def _answers(self, rows: np.ndarray, logits_EK: Tensor) -> Answers:
        arrays = self.view.arrays
        return Answers(
            paths=tuple(arrays.path[rows].tolist()),
            labels=tuple(arrays.classes[index] for index in arrays.label[rows].tolist()),
            found=tuple(arrays.found[rows].tolist()),
            logits_EK=logits_EK,
        )

    def _stage_at(self, epoch: int) -> Stage:
        return self.job.train.stage_of(epoch, staged=self.job.condition.staged)

    def _stage(self) -> Stage:
        return self._stage_at(len(self.state.epochs))

    def _enter(self, stage: Stage) -> None:
        """Freeze and thaw for `stage`, with a new optimiser: Adam's moments belong to the stage before."""
        self.stage: Stage = stage
        self.shared, self.optimizer = enter_stage(self.model, stage, self.job.train, self.team)

    def _note(self, record: EpochRecord, logits_EK: Tensor) -> None:
        self.state.epochs.append(record)
        if self.state.best_epoch < 0 or record.val_accuracy > self.state.best.val_accuracy:
            self.state.best_epoch = record.epoch
            self.state.best_logits_EK = logits_EK
            weights = self.model.state_dict()
            self.state.best_weights = {name: tensor.detach().cpu().clone() for name, tensor in weights.items()}


def enter_stage(model: EmotionNet, stage: Stage, cfg: TrainConfig, team: Team) -> tuple[nn.Module, Optimizer]:
    """Freeze and thaw `model` for `stage`; the module to call in training, and a new optimiser of what is trained."""
    model.set_stage(stage, head_trains_attention=cfg.head_trains_attention)
    shared = team.share(model)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return shared, torch.optim.Adam(trained, lr=cfg.learning_rate(stage), weight_decay=cfg.weight_decay)


@contextmanager
def compute_seconds(device: torch.device) -> Iterator[list[float]]:
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
