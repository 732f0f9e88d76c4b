"""What the plan says of the hypotheses: which can be tested, and the smallest gain that the design would show."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

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
from orchestrator.report.results import Results, make_results
from orchestrator.report.wording import counted, listing
from orchestrator.statistics.design import AnswerSpread
from orchestrator.statistics.detectable import Detectable, smallest_gain
from orchestrator.statistics.needed import POWER
from orchestrator.study import Study

OWN_ASSUMPTION = "facet's own assumption; state --spread, or name a --from-run"
FEW_TO_LEARN_FROM = 6
"""Seeds below which a spread over seeds is hardly an estimate."""


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
    found = {"": Assumed(AnswerSpread(), OWN_ASSUMPTION)}
    if from_run is not None:
        found = _of_run(from_run, hypotheses)
    if accuracy is None and deviation is None:
        return found
    stated = listing([name for name, value in (("accuracy", accuracy), ("spread", deviation)) if value is not None])
    return {
        name: Assumed(
            _stated(one.spread, accuracy, deviation), f"{stated} as stated; the rest: {one.source.partition(';')[0]}"
        )
        for name, one in found.items()
    }


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
        name: Assumed(spread, f"from the run {location.rstrip('/').rpartition('/')[2]}{_caution(results, name)}")
        for name, spread in found.items()
        if spread
    }
    if not known:
        raise UserError(
            f"`--from-run` {location} has no two conditions of a hypothesis with two seeds in common, which tell how "
            "much answers vary. State --spread instead."
        )
    return known | {"": next(iter(known.values()))}


def _caution(results: Results, protocol: str) -> str:
    seeds = max((len(group.seeds) for group in results.groups if group.protocol == protocol), default=0)
    return f", of {seeds} seeds: hardly an estimate" if seeds < FEW_TO_LEARN_FROM else ""


@dataclass(frozen=True)
class Prospect:
    """What the design would show under one protocol. found: None where no number of photos would do (few seeds)."""

    found: Detectable | None
    num_seeds: int
    num_photos: int
    assumed: Assumed

    def line(self) -> str:
        """In words."""
        if self.found is None:
            seeds = counted(self.num_seeds, "seed")
            return (
                f"none: {seeds} decide nothing, whatever the difference; at least {MIN_SEEDS} do (--seeds {MIN_SEEDS})"
            )
        spread, gain = self.assumed.spread, self.found.gain
        where = (
            f"over {spread.accuracy * 100:.0f} %, with {self.num_seeds} seeds on {self.num_photos} photos, if accuracy "
            f"varies by {spread.seed_deviation * 100:.1f} points over seeds ({self.assumed.source})"
        )
        if math.isnan(gain):
            return f"nothing short of perfection would be, {where}"
        return f"{gain * 100:.1f} points ({gain * self.num_photos:.1f} photos), in four of five studies, {where}"

    def document(self) -> dict[str, Any]:
        """As plain JSON; gain and power are null where nothing would be shown."""
        spread, found = self.assumed.spread, self.found
        known = found is not None and not math.isnan(found.gain)
        return {
            "gain": found.gain if known and found else None,
            "power": found.power if known and found else None,
            "seeds": self.num_seeds,
            "photos": self.num_photos,
            "accuracy": spread.accuracy,
            "seed_deviation": spread.seed_deviation,
            "source": self.assumed.source,
        }


def prospects(study: Study, hypotheses: Hypotheses, assumed: Mapping[str, Assumed]) -> dict[str, Prospect]:
    """By protocol, the smallest gain that would be called supported in four of five studies."""
    family, num_seeds, found = len(hypotheses.hypotheses), study.spec.seeds, {}
    for protocol in study.protocols:
        one, num_photos = assumed.get(protocol, assumed[""]), num_reported(study, protocol)
        gain = None
        if num_seeds >= MIN_SEEDS and num_photos > 1:
            gain = smallest_gain(one.spread, num_seeds, num_photos, family=family, alpha=ALPHA, power=POWER)
        found[protocol] = Prospect(gain, num_seeds, num_photos, one)
    return found


def power_lines(study: Study, hypotheses: Hypotheses, found: Mapping[str, Prospect]) -> dict[str, str]:
    """Lines for `facet plan`."""
    lines = {"Hypotheses": _describe(hypotheses, study)}
    told = {f"Smallest gain shown ({protocol})": one.line() for protocol, one in found.items()}
    if len(set(told.values())) == 1:
        told = {"Smallest gain shown": next(iter(told.values()))}
    return lines | told


def _describe(hypotheses: Hypotheses, study: Study) -> str:
    trained = {job.name for job in study.jobs.values()}
    names = listing([one.name for one in hypotheses.hypotheses])
    where = (
        "the paper's four"
        if hypotheses.sha256 == load_hypotheses(None).sha256
        else study.spec.hypotheses or "registered"
    )
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
