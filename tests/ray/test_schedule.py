"""Tune and Train: each cell once, failures contained, one worker and two alike, and what the Optuna study says."""

from collections.abc import Iterator
from dataclasses import replace

import optuna
import pytest
import ray
from optuna.storages import RDBStorage
from optuna.trial import TrialState

from datasets.folder import Folder
from orchestrator.ledger import Ledger
from orchestrator.schedule import run_trials, start_recorder
from search_spaces.conditions import PROPOSED
from search_spaces.grid import study_name, sync_study
from tests.unit.roles import paper_roles
from trainables.condition import Condition
from trainables.job import Cell
from trainables.layout import WorkerLayout

pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("ignore")]  # Ray Tune's own deprecations

PROVENANCE = {"spec_hash": "s", "data_fingerprint": "d", "image_size": 32, "weights": "random"}


@pytest.fixture(scope="module")
def local_ray(own_ray_folder) -> Iterator[None]:
    variables = {"RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.2"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        ray.init(
            address="local", num_cpus=2, num_gpus=1, include_dashboard=False, logging_level="ERROR", log_to_driver=False
        )
        yield
        ray.shutdown()


class Listener:
    def __init__(self) -> None:
        self.epochs: list[tuple[Cell, int]] = []
        self.done: dict[Cell, float] = {}
        self.failed: list[Cell] = []

    def trial_started(self, cell: Cell) -> None:
        pass

    def epoch_done(self, cell: Cell, epoch: int, accuracy: float) -> None:
        self.epochs.append((cell, epoch))

    def trial_done(self, cell: Cell, accuracy: float) -> None:
        self.done[cell] = accuracy

    def trial_failed(self, cell: Cell) -> None:
        self.failed.append(cell)

    def stalled(self, message: str) -> None:
        raise AssertionError(message)


@pytest.fixture
def schedule(local_ray, tmp_path, tiny_arrays):
    """Runs jobs in `tmp_path`; (listener, failures, ledger, storage)."""

    def run(jobs, todo=None, *, layout: WorkerLayout | None = None, concurrent: int = 2):
        by_cell = {job.cell: job for job in jobs}
        listener, folder = Listener(), Folder.at(tmp_path)
        storage = RDBStorage(f"sqlite:///{tmp_path}/optuna.db")
        ledger = Ledger(folder)
        finished = {cell: ledger.read(job.key) for cell, job in by_cell.items() if ledger.has(job.key)}
        sync_study(storage, list(by_cell), finished)
        failures = run_trials(
            by_cell,
            list(by_cell) if todo is None else todo,
            arrays=tiny_arrays,
            roles={cell.part: paper_roles(tiny_arrays) for cell in by_cell},
            imagenet=None,
            layout=layout or WorkerLayout(),
            concurrent=concurrent,
            recorder=start_recorder(folder, PROVENANCE),
            storage=storage,
            listener=listener,
        )
        return listener, failures, ledger, storage

    return run


@pytest.fixture
def jobs(tiny_job):
    base = [("baseline_cnn", Condition()), ("proposed", PROPOSED)]
    return [
        replace(tiny_job(condition, seed=seed), key=f"{name}-{seed}", name=name)
        for seed in (0, 1)
        for name, condition in base
    ]


def test_each_cell_runs_once_and_stands_in_ledger_and_study(schedule, jobs):
    listener, failures, ledger, storage = schedule(jobs)
    assert (failures, listener.failed) == ([], [])
    assert sorted(record["key"] for record in ledger.read_all()) == sorted(job.key for job in jobs)
    assert len(listener.epochs) == len(set(listener.epochs)) == sum(job.train.epochs for job in jobs)
    cells = [job.cell for job in jobs]
    trials = optuna.load_study(storage=storage, study_name=study_name(cells)).trials
    params = [Cell.of(trial.params) for trial in trials]
    assert sorted(params) == sorted(cells)
    assert all(trial.state is TrialState.COMPLETE for trial in trials)
    keys = {job.cell: job.key for job in jobs}
    assert all(trial.user_attrs == {"key": keys[cell]} for trial, cell in zip(trials, params, strict=True))
    for trial, cell in zip(trials, params, strict=True):
        record = ledger.read(f"{cell.condition}-{cell.seed}")
        assert trial.value == record["metrics"]["accuracy"] == listener.done[cell]
        assert [*trial.intermediate_values.values()] == [epoch["val_accuracy"] for epoch in record["epochs"]]


def test_best_seed_of_a_condition_becomes_its_model(schedule, jobs, tmp_path):
    import json

    from safetensors.torch import load_file

    _, _, ledger, _ = schedule(jobs)
    records = [record for record in ledger.read_all() if record["condition"] == "proposed"]
    best = max(records, key=lambda record: (record["metrics"]["accuracy"], -record["seed"]))
    config = json.loads((tmp_path / "models" / "proposed" / "config.json").read_text())
    assert (config["seed"], config["classes"]) == (best["seed"], ["anger", "joy"])
    assert "classifier.weight" in load_file(tmp_path / "models" / "proposed" / "model.safetensors")


def test_study_goes_on_from_the_ledger_without_repeating_a_cell(schedule, jobs):
    _, _, _, storage = schedule(jobs, todo=[jobs[0].cell])
    listener, _, _, storage = schedule(jobs, todo=[job.cell for job in jobs[1:]])
    trials = optuna.load_study(storage=storage, study_name=study_name([job.cell for job in jobs])).trials
    assert sorted(trial.state.name for trial in trials) == ["COMPLETE"] * 4
    assert jobs[0].cell not in listener.done


def test_failing_trial_costs_no_other_trial_its_result(schedule, jobs):
    broken = replace(jobs[0], model=jobs[0].model.model_copy(update={"backbone": "no_such_net"}))  # past all checks
    listener, failures, ledger, storage = schedule([broken, *jobs[1:]])
    assert [failure.cell for failure in failures] == listener.failed == [broken.cell]
    assert "no_such_net" in failures[0].reason
    assert len(ledger.keys()) == 3
    study = optuna.load_study(storage=storage, study_name=study_name([job.cell for job in jobs]))
    assert sorted(trial.state.name for trial in study.trials) == ["COMPLETE"] * 3 + ["FAIL"]


def test_trials_share_a_logical_gpu(schedule, jobs):
    _, failures, ledger, _ = schedule(jobs[:2], layout=WorkerLayout(gpus_per_worker=0.5))
    assert failures == []
    assert {record["device"] for record in ledger.read_all()} == {"cpu"}  # Ray counts a GPU; torch sees none


def test_two_workers_give_the_numbers_of_one(schedule, jobs, tmp_path):
    one = replace(jobs[1], train=jobs[1].train.model_copy(update={"batch_size": 10, "finetune_lr": 1e-5}))
    two = replace(one, key="two-workers", seed=one.seed)
    schedule([one], concurrent=1)
    _, failures, ledger, _ = schedule([two], layout=WorkerLayout(workers=2), concurrent=1)
    assert failures == []
    alone, together = ledger.read(one.key), ledger.read(two.key)
    assert (alone["workers"], together["workers"]) == (1, 2)
    losses = [[epoch["train_loss"] for epoch in record["epochs"]] for record in (alone, together)]
    assert losses[1] == pytest.approx(losses[0], abs=1e-3)
