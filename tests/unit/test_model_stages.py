"""What each stage trains, seen after a real epoch of it."""

import pytest
import torch

from tests.unit.roles import paper_roles
from trainables.condition import Condition
from trainables.job import TrialJob
from trainables.model import build_model
from trainables.team import Team
from trainables.train import run_training

CONSTANTS = {"mean", "std"}
ECA_STAGED = Condition(attention="eca", staged=True)
RATES = {"head_lr": 0.01, "finetune_lr": 0.0001, "end_to_end_lr": 0.003}


class Watcher:
    """In place of a Checkpointer: keeps what the model and the optimiser were after each epoch."""

    def __init__(self) -> None:
        self.tensors: list[dict[str, torch.Tensor]] = []
        self.optimizers: list[torch.optim.Optimizer] = []
        self.steps: list[set[int]] = []

    def load(self) -> None:
        return None

    def save(self, state, model, optimizer) -> None:
        self.tensors.append({name: tensor.clone() for name, tensor in model.state_dict().items()})
        self.optimizers.append(optimizer)
        self.steps.append({int(moments["step"]) for moments in optimizer.state.values()})


def watched(job: TrialJob, arrays) -> Watcher:
    """The tensors at the start and after each of two epochs."""
    watcher = Watcher()
    run_training(job, arrays, paper_roles(arrays), None, team=Team(), checkpointer=watcher, report=lambda record: None)
    start = build_model(job.condition, job.model, num_classes=3, seed=job.seed, imagenet=None)
    watcher.tensors.insert(0, start.state_dict())
    return watcher


@pytest.fixture(scope="module")
def staged(tiny_arrays, tiny_job) -> Watcher:
    return watched(tiny_job(ECA_STAGED, **RATES), tiny_arrays)


@pytest.fixture(scope="module")
def end_to_end(tiny_arrays, tiny_job) -> Watcher:
    return watched(tiny_job(ECA_STAGED.replace(staged=False), **RATES), tiny_arrays)


def changed(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> set[str]:
    assert before.keys() == after.keys()
    return {name for name in before if not torch.equal(before[name], after[name])}


def test_stage_head_changes_the_classifier_alone_and_finetune_everything(staged):
    start, head, finetuned = staged.tensors
    assert changed(start, head) == {"classifier.weight", "classifier.bias"}
    assert changed(head, finetuned) == set(start) - CONSTANTS


def test_stage_head_trains_the_landmark_network_with_the_classifier(tiny_arrays, tiny_job):
    start, head, _ = watched(tiny_job(Condition(landmarks=True, staged=True)), tiny_arrays).tensors
    assert changed(start, head) == {name for name in start if name.startswith(("classifier.", "landmark_net."))}


def test_stage_head_trains_the_attention_where_asked(tiny_arrays, tiny_job):
    start, head, _ = watched(tiny_job(ECA_STAGED, head_trains_attention=True), tiny_arrays).tensors
    assert changed(start, head) == {"classifier.weight", "classifier.bias", "attention.conv.weight"}


def test_end_to_end_changes_everything_from_the_first_epoch(end_to_end):
    start, first, _ = end_to_end.tensors
    assert changed(start, first) == set(start) - CONSTANTS


def test_each_stage_has_a_new_optimiser_with_its_learning_rate(staged):
    head, finetune = staged.optimizers
    assert head is not finetune
    assert [optimizer.param_groups[0]["lr"] for optimizer in (head, finetune)] == [0.01, 0.0001]
    assert staged.steps == [{2}, {2}]  # two batches an epoch, counted anew


def test_end_to_end_keeps_its_optimiser(end_to_end):
    first, second = end_to_end.optimizers
    assert first is second
    assert (first.param_groups[0]["lr"], end_to_end.steps) == (0.003, [{2}, {4}])


def test_frozen_backbone_gets_no_gradient(tiny_job):
    job = tiny_job(ECA_STAGED)
    model = build_model(job.condition, job.model, num_classes=3, seed=0, imagenet=None)
    model.set_stage("head")
    model.train()(torch.rand(2, 3, 32, 32)).sum().backward()
    assert {name for name, p in model.named_parameters() if p.grad is not None} == {
        "classifier.weight",
        "classifier.bias",
    }


def test_stages_are_spent_as_the_recipe_says(tiny_job):
    cfg = tiny_job(epochs=4, head_epochs=1).train
    assert [cfg.stage_of(epoch, staged=True) for epoch in range(4)] == ["head"] + ["finetune"] * 3
    assert {cfg.stage_of(epoch, staged=False) for epoch in range(4)} == {"end_to_end"}


def test_recipe_without_an_epoch_of_finetuning_is_refused(tiny_job):
    with pytest.raises(ValueError, match=r"`head_epochs` must be smaller than `epochs`, got 3 and 3"):
        tiny_job(epochs=3, head_epochs=3)
