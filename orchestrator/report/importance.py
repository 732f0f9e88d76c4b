"""How far each field of a definition, and the seed, tells the accuracy of trials apart: Optuna's importances.

Sources: fANOVA, F. Hutter, H. Hoos and K. Leyton-Brown (2014), proceedings.mlr.press/v32/hutter14; PED-ANOVA,
S. Watanabe, A. Bansal and F. Hutter (2023), arXiv:2304.10255.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.importance import FanovaImportanceEvaluator, PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import create_trial

from orchestrator.report.designs import FACTORS, common_accuracy
from orchestrator.report.results import Group, Results
from orchestrator.report.staging_pairs import definition_of

SEED = "seed"
NAMES = {factor.field: factor.name for factor in FACTORS} | {
    "loss": "training loss",
    "landmarks": "facial landmarks",
    SEED: "seed (chance)",
}
NUM_TREES = 32
TOP_SHARE = 0.25
"""PED-ANOVA asks what sets the best quarter of the trials apart."""
FEWEST_TRIALS = 8
"""Below, the best quarter is a single trial."""
Params = dict[str, Any]


def importance_rows(results: Results) -> list[dict[str, Any]]:
    """One row a varied parameter and protocol, the most important first; none where accuracies do not differ."""
    rows = []
    for protocol in results.protocols:
        params, accuracies = _trials([group for group in results.groups if group.protocol == protocol])
        rows += _rows(protocol, params, accuracies)
    return rows


def _trials(groups: Sequence[Group]) -> tuple[list[Params], list[float]]:
    """What each finished trial varied, and its accuracy on the photos of the classes that all conditions know."""
    seeds = sorted({seed for group in groups for seed in group.seeds})
    params, accuracies = [], []
    for group, by_seed in zip(groups, common_accuracy(groups), strict=True):
        for seed, accuracy in by_seed.items():
            # The place of the seed: as one of many unordered choices it takes fANOVA minutes.
            params.append(definition_of(group) | {SEED: seeds.index(seed)})
            accuracies.append(accuracy)
    varied = [name for name in params[0] if len({of_trial[name] for of_trial in params}) > 1]
    return [{name: of_trial[name] for name in varied} for of_trial in params], accuracies


def _rows(protocol: str, params: Sequence[Params], accuracies: Sequence[float]) -> list[dict[str, Any]]:
    if len(accuracies) < FEWEST_TRIALS or len(set(accuracies)) == 1 or not params[0]:
        return []
    study = _study(params, accuracies)
    fanova = get_param_importances(study, evaluator=FanovaImportanceEvaluator(n_trees=NUM_TREES, seed=0))
    ped_anova = dict[str, float]()
    if _has_a_best_quarter(accuracies):
        evaluator = PedAnovaImportanceEvaluator(target_quantile=TOP_SHARE)
        ped_anova = get_param_importances(study, evaluator=evaluator)
    return [
        {
            "protocol": protocol,
            "parameter": NAMES.get(name, name),
            "importance_fanova": float(share),
            "importance_ped_anova": float(ped_anova.get(name, math.nan)),
            "trials": len(accuracies),
        }
        for name, share in sorted(fanova.items(), key=lambda item: (-item[1], item[0]))
    ]


def _study(params: Sequence[Params], accuracies: Sequence[float]) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    space = {name: _distribution([of_trial[name] for of_trial in params]) for name in params[0]}
    study = optuna.create_study(direction="maximize")
    study.add_trials(
        create_trial(value=accuracy, params=of_trial, distributions=space)
        for of_trial, accuracy in zip(params, accuracies, strict=True)
    )
    return study


def _distribution(values: Sequence[Any]) -> BaseDistribution:
    if isinstance(values[0], int) and not isinstance(values[0], bool):
        return IntDistribution(min(values), max(values))
    return CategoricalDistribution(sorted(set(values)))


def _has_a_best_quarter(accuracies: Sequence[float]) -> bool:
    """Whether the best quarter, with all that equal its last, is not everything."""
    cutoff = sorted(accuracies, reverse=True)[math.ceil(TOP_SHARE * len(accuracies)) - 1]
    return cutoff > min(accuracies)
