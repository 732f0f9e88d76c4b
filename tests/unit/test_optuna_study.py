"""The Optuna storage of a run folder, as optuna-dashboard opens it."""

import optuna
import pytest
from optuna.storages import RDBStorage
from optuna.trial import TrialState

from search_spaces.grid import grid_search, study_name, sync_study
from tests.unit.tracking_fixtures import full_record
from trainables.job import Cell

CELLS = [Cell(condition, "paper", seed, 0) for condition in ("proposed", "eca_mtcnn") for seed in (0, 1)]
KEYS = {cell: f"key-{cell.condition}-{cell.seed}" for cell in CELLS}


@pytest.fixture
def address(tmp_path) -> str:
    return f"sqlite:///{tmp_path}/optuna.db"


def load(address: str) -> optuna.Study:
    """From a storage of its own, as another program would."""
    return optuna.load_study(storage=RDBStorage(address), study_name=study_name(CELLS))


def test_the_study_of_a_finished_run_says_what_the_ledger_says(address):
    records = {cell: full_record(cell.condition, cell.seed, key=KEYS[cell]) for cell in CELLS}
    sync_study(RDBStorage(address), CELLS, records)
    study = load(address)
    assert [trial.state for trial in study.trials] == [TrialState.COMPLETE] * 4
    assert sorted(Cell.of(trial.params) for trial in study.trials) == sorted(CELLS)
    assert {trial.value for trial in study.trials} == {0.7}
    assert study.trials[0].intermediate_values == {1: 0.3, 2: 0.5, 3: 0.7}
    assert {trial.user_attrs["key"] for trial in study.trials} == set(KEYS.values())
    assert "accuracy" in study.user_attrs["value"]
    assert study.best_trial.params["condition"] in ("proposed", "eca_mtcnn")


def test_a_trial_names_its_record_from_the_moment_it_waits(address):
    storage = RDBStorage(address)
    sync_study(storage, CELLS, {})
    search = grid_search(storage, KEYS, CELLS[1:])
    assert Cell.of(search.suggest("first")) == CELLS[1]
    trials = {Cell.of(trial.system_attrs["fixed_params"]): trial for trial in load(address).trials}
    assert {cell: trial.user_attrs for cell, trial in trials.items()} == {c: {"key": KEYS[c]} for c in CELLS[1:]}
    assert trials[CELLS[1]].state is TrialState.RUNNING


def test_a_cell_that_waits_already_is_not_handed_out_twice(address):
    storage = RDBStorage(address)
    sync_study(storage, CELLS, {})
    for _ in range(2):
        grid_search(storage, KEYS, CELLS)
    assert len(load(address).trials) == 4
