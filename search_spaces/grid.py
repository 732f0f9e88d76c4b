"""The grid of conditions, protocols and seeds as an Optuna study that Ray Tune works off, each cell exactly once.

Cells are enumerated, never sampled: they are enqueued in the study, and the searcher asks for just as many.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.storages import BaseStorage
from optuna.trial import TrialState, create_trial
from ray.tune.result import TRAINING_ITERATION
from ray.tune.search.optuna import OptunaSearch

from datasets.fingerprint import fingerprint
from trainables.job import Cell
from trainables.layout import METRIC

_ABOUT = {
    "value": "accuracy on the reported photos, of the chosen epoch",
    "intermediate values": "accuracy by epoch on the photos that the epoch is chosen on",
    "key": "names the trial's record in the run folder: ledger/<key>.json",
}
"""What optuna-dashboard shows of the study."""


def study_name(cells: Sequence[Cell]) -> str:
    """One study a grid: Optuna allows no other choices for a parameter once a study has some."""
    return f"ablation-{fingerprint([list(cell) for cell in cells], length=8)}"


def sync_study(storage: BaseStorage, cells: Sequence[Cell], finished: Mapping[Cell, Mapping[str, Any]]) -> optuna.Study:
    """Make the study say what the ledger says: finished cells are there once, complete; only others wait, none runs.

    `finished` maps cells to ledger records. Trials that an earlier call left running are marked failed.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        storage=storage, study_name=study_name(cells), direction="maximize", load_if_exists=True
    )
    for name, text in _ABOUT.items():
        study.set_user_attr(name, text)
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)
    for cell, trial in _waiting(study).items():
        if cell in finished:
            storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)
    complete = {Cell.of(trial.params) for trial in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))}
    for cell in cells:
        if cell in finished and cell not in complete:
            study.add_trial(_finished_trial(cell, cells, finished[cell]))
    return study


class _EpochSearch(OptunaSearch):
    """Numbers intermediate values by the trial's epochs; Tune's own count starts anew when a trial resumes."""

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        super().on_trial_result(trial_id, {**result, TRAINING_ITERATION: result["epoch"] + 1})


def grid_search(storage: BaseStorage, keys: Mapping[Cell, str], todo: Sequence[Cell]) -> OptunaSearch:
    """A searcher that hands out `todo`, and stores each trial's epochs and result in the study.

    keys: of all cells of the grid, their trials in the ledger, which the study's trials name as well. Cells that still
    wait in the study from an interrupted call are handed out first, as Optuna does.
    """
    logging.getLogger("ray.tune.search.optuna").setLevel(logging.ERROR)
    cells = list(keys)
    study = optuna.load_study(storage=storage, study_name=study_name(cells))
    waiting = _waiting(study)
    for cell in todo:
        if cell not in waiting:  # here, not by `points_to_evaluate`: that knows no attributes, and later is too late
            study.enqueue_trial(cell._asdict(), user_attrs={"key": keys[cell]})
    return _EpochSearch(
        space=_space(cells),
        metric=METRIC,
        mode="max",
        storage=storage,
        study_name=study_name(cells),
    )


def _waiting(study: optuna.Study) -> dict[Cell, optuna.trial.FrozenTrial]:
    waiting = study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
    return {Cell.of(trial.system_attrs["fixed_params"]): trial for trial in waiting}


def _space(cells: Sequence[Cell]) -> dict[str, BaseDistribution]:
    columns = zip(Cell._fields, zip(*cells, strict=True), strict=True)
    return {name: CategoricalDistribution(list(dict.fromkeys(column))) for name, column in columns}


def _finished_trial(cell: Cell, cells: Sequence[Cell], record: Mapping[str, Any]) -> optuna.trial.FrozenTrial:
    return create_trial(
        state=TrialState.COMPLETE,
        value=record["metrics"]["accuracy"],
        params=cell._asdict(),
        distributions=_space(cells),
        intermediate_values={epoch["epoch"] + 1: epoch["val_accuracy"] for epoch in record["epochs"]},
        user_attrs={"key": record["key"]},
    )
