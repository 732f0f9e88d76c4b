"""What the plan says of the hypotheses: which can be tested, and the smallest gain that the design would show."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from datasets.errors import UserError
from datasets.folder import Folder
from datasets.protocols import REPORT, assign_roles
from orchestrator.division import photo_table
from orchestrator.hypotheses.decide import ALPHA, MIN_SEEDS
from orchestrator.hypotheses.draws import read_draws
from orchestrator.hypotheses.fit_spread import fit_spread
from orchestrator.hypotheses.model import Hypotheses, load_hypotheses
from orchestrator.ledger import Ledger
from orchestrator.report.results import make_results
from orchestrator.report.wording import counted, listing
from orchestrator.statistics.design import AnswerSpread
from orchestrator.statistics.detectable import smallest_gain
from orchestrator.statistics.needed import POWER
from orchestrator.study import Study


@dataclass(frozen=True)
class Assumed:
    """How much answers will vary, and where that is known from."""

    spread: AnswerSpread
    source: str


def assume(
    accuracy: float | None, deviation: float | None, from_run: str | None, hypotheses: Hypotheses
) -> dict[str, Assumed]:
    """By protocol (`` for all others): what is stated, else what an earlier run shows, else facet's own assumption.

    accuracy: of the weaker condition. deviation: standard deviation of a condition's accuracy over seeds on endless
    photos. Raises UserError for values that no accuracy has, or a folder that holds no trial of two seeds.
    """
    found = {"": Assumed(AnswerSpread(), "facet's own assumption; state --spread, or name a --from-run")}
    if from_run is not None:
        found = _of_run(from_run, hypotheses)
    if accuracy is None and deviation is None:
        return found
    return {name: Assumed(_stated(one.spread, accuracy, deviation), "as stated") for name, one in found.items()}


def _stated(spread: AnswerSpread, accuracy: float | None, deviation: float | None) -> AnswerSpread:
    if accuracy is not None:
        if not 0 < accuracy < 1:
            raise UserError(f"`--expected-accuracy` lies between 0 and 1, got {accuracy:g}. Write 0.7 for 70 %.")
        spread = replace(spread, accuracy=accuracy)
    if deviation is not None:
        most = 0.45 * float(stats.norm.pdf(stats.norm.ppf(spread.accuracy)))
        if not 0 <= deviation <= most:
            raise UserError(
                f"`--spread` is a standard deviation of accuracies around {spread.accuracy:g}, from 0 to {most:.3f}, "
                f"got {deviation:g}. Write 0.02 for two points."
            )
        seed = (deviation / float(stats.norm.pdf(stats.norm.ppf(spread.accuracy)))) ** 2
        scale = min(1.0, (0.98 - seed) / max(spread.photo + spread.photo_condition, 1e-9))
        spread = replace(spread, seed=seed, photo=spread.photo * scale, photo_condition=spread.photo_condition * scale)
    return spread


def _of_run(location: str, hypotheses: Hypotheses) -> dict[str, Assumed]:
    folder = Folder.at(location)
    ledger = Ledger(folder)
    records = ledger.read_all()
    if not records:
        raise UserError(f"`--from-run` {location} holds no finished trial. Give the folder that `facet run` named.")
    results = make_results(records, ledger.read_predictions(records))
    draws = read_draws(folder)
    found = {name: fit_spread(results, hypotheses, name, draws) for name in results.protocols}
    known = {
        name: Assumed(spread, f"from the run {location.rstrip('/').rpartition('/')[2]}")
        for name, spread in found.items()
        if spread
    }
    if not known:
        raise UserError(
            f"`--from-run` {location} has no two conditions of a hypothesis with two seeds in common, which tell how "
            "much answers vary. State --spread instead."
        )
    return known | {"": next(iter(known.values()))}


def power_lines(study: Study, assumed: dict[str, Assumed]) -> dict[str, str]:
    """Lines for `facet plan`."""
    hypotheses = load_hypotheses(study.spec.hypotheses)
    lines = {"Hypotheses": _describe(hypotheses, study)}
    num_seeds = study.spec.seeds
    if num_seeds < MIN_SEEDS:
        lines["Smallest gain shown"] = (
            f"none: {counted(num_seeds, 'seed')} decide nothing, whatever the difference; at least {MIN_SEEDS} do "
            "(--seeds 6)"
        )
        return lines
    for protocol in study.protocols:
        one = assumed.get(protocol, assumed[""])
        lines[f"Smallest gain shown ({protocol})"] = _gain_line(study, protocol, one, len(hypotheses.hypotheses))
    return lines


def _gain_line(study: Study, protocol: str, assumed: Assumed, family: int) -> str:
    num_photos, spread = num_reported(study, protocol), assumed.spread
    found = smallest_gain(spread, study.spec.seeds, num_photos, family=family, alpha=ALPHA, power=POWER)
    of_what = (
        f"over {spread.accuracy * 100:.0f} % with {study.spec.seeds} seeds on {num_photos} photos, if accuracy varies "
        f"by {spread.seed_deviation * 100:.1f} points over seeds ({assumed.source})"
    )
    if math.isnan(found.gain):
        return f"none {of_what}"
    photos = round(found.gain * num_photos, 1)
    return f"{found.gain * 100:.1f} points ({photos:g} photos), in four of five studies, {of_what}"


def _describe(hypotheses: Hypotheses, study: Study) -> str:
    trained = {job.name for job in study.jobs.values()}
    names = listing([one.name for one in hypotheses.hypotheses])
    where = study.spec.hypotheses or "the paper's four"
    lacking = {
        one.name: [name for name in (one.test.condition, one.test.than) if name not in trained]
        for one in hypotheses.hypotheses
    }
    missing = [
        f"{name} cannot be tested without {listing(conditions)}" for name, conditions in lacking.items() if conditions
    ]
    return f"{names} ({where}, {hypotheses.sha256[:16]})" + "".join(f"; {text}" for text in missing)


def num_reported(study: Study, protocol: str) -> int:
    """Photos a seed that `protocol` reports, of all classes but the rare one, should none be a copy of another."""
    rows = np.flatnonzero(~study.patched.dropped)
    photos = photo_table(study, rows, rows)
    folds = study.spec.folds if protocol == "grouped_kfold" else 1
    common = np.array([photos.classes[label] != study.rare_class for label in photos.label.tolist()], bool)
    total = 0
    for fold in range(folds):
        roles = assign_roles(
            photos, protocol, seed=0, fold=fold, num_folds=study.spec.folds, select_frac=study.spec.select_frac
        )
        total += int(((roles == REPORT) & common).sum())
    return total
