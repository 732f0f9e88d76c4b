"""Are the verdicts right as often as they say? Studies with a known truth, through the code that the report uses.

    python benchmarks/verdict_calibration.py [--quick] [--studies N] [--out FILE.json]

Four questions, each answered over several designs and several ways in which answers vary:

- null: four conditions are as good as the proposed one. How often is a claim of the four called supported? Two nulls:
  the conditions differ in nothing but chance; and each has photos that suit it, though none is better over all photos.
- power: one of the four is worse by just what `facet plan` calls detectable, the others are not. How often is that
  claim called supported?
- equality: two conditions differ by just the margin of an `equivalent` claim, or are the same. How often is it called
  supported? At the margin, also where one side is better on those photos under every seed, the hardest case.
- coverage: how often do the 95 % intervals hold the truth: over other seeds and photographs (two-way), over other
  seeds on the same photos (BCa), over other photos for one run (Wilson)?

Nothing is shared between the random numbers here and those by which the plan finds what is detectable. Prints a line a
setting, then one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from orchestrator.hypotheses.answers import PairedAnswers
from orchestrator.hypotheses.decide import ALPHA, rule
from orchestrator.hypotheses.evidence import weigh
from orchestrator.hypotheses.model import Equivalent, load_hypotheses
from orchestrator.report.intervals import seed_interval, wilson_interval
from orchestrator.statistics.design import AnswerSpread, draw_scores, right_of
from orchestrator.statistics.detectable import smallest_gain
from orchestrator.statistics.needed import POWER
from orchestrator.statistics.scores import Answers, Metric, score_spread

FAMILY = 4
Designs = tuple[tuple[int, int], ...]
ACCURACY = Metric("accuracy")
CLAIM = load_hypotheses(None).hypotheses[0].test
SPREADS = {
    "as the plan assumes": AnswerSpread(),
    "seeds vary much": AnswerSpread(seed=0.03),
    "seeds vary little": AnswerSpread(photo=0.8, photo_condition=0.05, seed=0.001),
    "hard": AnswerSpread(accuracy=0.45, photo=0.5, photo_condition=0.15),
}
SAME = {
    name: AnswerSpread(one.accuracy, one.photo + one.photo_condition, 0.0, one.seed) for name, one in SPREADS.items()
}
DESIGNS = ((6, 72), (10, 72), (6, 400), (10, 400))
QUICK_DESIGNS = ((6, 72), (10, 400))


@dataclass
class Tally:
    """How often something held."""

    held: int = 0
    all: int = 0

    def add(self, held: int, of: int = 1) -> None:
        """`held` of `of` more."""
        self.held, self.all = self.held + held, self.all + of

    @property
    def share(self) -> float:
        """Of all."""
        return self.held / self.all if self.all else float("nan")

    def __str__(self) -> str:
        found = wilson_interval(self.held, self.all)
        return f"{found.mean:.3f} ({found.low:.3f} to {found.high:.3f})"


def answers_of(right_SP: np.ndarray) -> Answers:
    """Right and wrong as answers of two classes."""
    num = right_SP.shape[1]
    return Answers(np.ones(num, int), right_SP.astype(int), np.arange(num), ("wrong", "right"))


def verdicts_of(right_KSP: np.ndarray) -> list[str]:
    """The proposed condition (first) against each of the others, as four hypotheses of one family."""
    seeds = tuple(range(right_KSP.shape[1]))
    conditions = [answers_of(right_SP) for right_SP in right_KSP]
    evidence = [weigh(PairedAnswers(conditions[0], other, seeds, ()), ACCURACY) for other in conditions[1:]]
    return [ruling.verdict for ruling in rule([CLAIM] * len(evidence), evidence)]


def studies(spread: AnswerSpread, gains: tuple[float, ...], design: tuple[int, int], num: int, seed: int):
    """`num` studies, one at a time: (K, S, P) bool."""
    rng = np.random.default_rng([seed, *design])
    for _ in range(num):
        yield right_of(draw_scores(spread, len(gains), *design, rng), spread.accuracy, gains)[0]


def null(num: int, designs: Designs) -> tuple[float, float]:
    """(worst share of claims called supported, worst share of studies with any); over settings."""
    worst_claim = worst_family = 0.0
    for kind, spreads in (("conditions identical", SAME), ("equal over all photos", SPREADS)):
        for name, spread in spreads.items():
            claims, families = Tally(), Tally()
            for design in designs:
                for right in studies(spread, (0.0,) * (FAMILY + 1), design, num, seed=1):
                    called = verdicts_of(right).count("supported")
                    claims.add(called, FAMILY)
                    families.add(called > 0)
            print(f"null, {kind}, {name}: claims supported {claims}; studies with one {families}", flush=True)
            worst_claim, worst_family = max(worst_claim, claims.share), max(worst_family, families.share)
    return worst_claim, worst_family


def power(num: int, designs: Designs) -> tuple[float, float]:
    """(lowest, mean) share of planted gains of detectable size that were called supported; over settings."""
    shares = []
    for name, spread in SPREADS.items():
        for seeds, photos in designs:
            found = smallest_gain(spread, seeds, photos, family=FAMILY, alpha=ALPHA, power=POWER)
            tally = Tally()
            for right in studies(
                spread, (found.gain, 0.0, found.gain, found.gain, found.gain), (seeds, photos), num, 2
            ):
                tally.add(verdicts_of(right)[0] == "supported")
            shares.append(tally.share)
            design = f"{seeds} seeds, {photos} photos"
            print(f"power, {name}, {design}: {found.gain * 100:.1f} points detectable; supported {tally}", flush=True)
    return min(shares), float(np.mean(shares))


def equality(num: int, designs: Designs) -> tuple[float, float]:
    """(worst share called supported at the edge of the margin, share where there is no difference); over settings.

    Margins of ten points on 72 photos, four on 400.
    """
    worst, same = 0.0, Tally()
    for seeds, photos in designs:
        test = Equivalent(condition="proposed", than="minus_crop", within=0.1 if photos < 200 else 0.04)
        for name, spread in SPREADS.items():
            tally = Tally()
            for right in studies(spread, (test.within or 0.0, 0.0), (seeds, photos), num, seed=6):
                tally.add(rule([test], [weigh(paired(right), ACCURACY)])[0].verdict == "supported")
            worst = max(worst, tally.share)
            print(f"equality, {name}, {seeds} seeds, {photos} photos, at the margin: {tally}", flush=True)
        hardest = Tally()
        rng = np.random.default_rng([7, seeds, photos])
        for better in rng.binomial(photos, test.within or 0.0, num):
            right = np.ones((2, seeds, photos), bool)
            right[1, :, :better] = False
            hardest.add(rule([test], [weigh(paired(right), ACCURACY)])[0].verdict == "supported")
        worst = max(worst, hardest.share)
        print(f"equality, one-sided under all seeds, {seeds} seeds, {photos} photos: {hardest}", flush=True)
        for right in studies(SAME["seeds vary little"], (0.0, 0.0), (seeds, photos), num, seed=8):
            same.add(rule([test], [weigh(paired(right), ACCURACY)])[0].verdict == "supported")
    print(f"equality, where there is no difference: {same}", flush=True)
    return worst, same.share


def coverage(num: int, designs: Designs) -> dict[str, list[float]]:
    """By interval, one share a setting of how often it held the truth."""
    shares: dict[str, list[float]] = {
        "two-way, difference": [],
        "two-way, accuracy": [],
        "BCa over seeds": [],
        "Wilson": [],
    }
    for name, spread in SPREADS.items():
        for design in designs:
            tallies = {kind: Tally() for kind in shares}
            for right in studies(spread, (0.06, 0.0), design, num, seed=3):
                low, high = weigh(paired(right), ACCURACY).bounds
                tallies["two-way, difference"].add(low <= 0.06 <= high)
                low, high = score_spread(answers_of(right[1]), ACCURACY).bounds()
                tallies["two-way, accuracy"].add(low <= spread.accuracy <= high)
            for right in studies(replace(spread, seed=0.0), (0.0,), (1, design[1]), num, seed=5):
                one = wilson_interval(int(right[0, 0].sum()), design[1])
                tallies["Wilson"].add(one.low <= spread.accuracy <= one.high)
            for held in over_seeds_alone(spread, design, num):
                tallies["BCa over seeds"].add(held)
            for kind, tally in tallies.items():
                shares[kind].append(tally.share)
                print(f"coverage, {name}, {design[0]} seeds, {design[1]} photos, {kind}: {tally}", flush=True)
    return shares


def paired(right_KSP: np.ndarray) -> PairedAnswers:
    """The first two conditions."""
    return PairedAnswers(answers_of(right_KSP[0]), answers_of(right_KSP[1]), tuple(range(right_KSP.shape[1])), ())


def over_seeds_alone(spread: AnswerSpread, design: tuple[int, int], num: int):
    """Whether the interval over a few seeds holds the mean of very many on the same photos: one set of photos, many
    draws of seeds."""
    seeds, photos = design
    pool = 40 * seeds
    for batch in range(max(1, num // 40)):
        rng = np.random.default_rng([4, batch, *design])
        right = right_of(draw_scores(spread, 1, pool * 10, photos, rng), spread.accuracy, (0.0,))[0, 0]
        accuracy = right.mean(axis=1)
        truth = accuracy.mean()
        for start in range(0, pool, seeds):
            found = seed_interval(accuracy[start : start + seeds].tolist())
            yield found.low <= truth <= found.high


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer studies, under a minute")
    parser.add_argument("--studies", type=int, help="studies a setting")
    parser.add_argument("--out", type=Path, help="also write the JSON to this file")
    options = parser.parse_args()
    num, started = options.studies or (20 if options.quick else 400), time.monotonic()
    designs = QUICK_DESIGNS if options.quick else DESIGNS
    claim_rate, family_rate = null(num, designs)
    lowest_power, mean_power = power(num, designs)
    edge_rate, equal_rate = equality(2 * num, designs)
    shares = coverage(3 * num, designs)
    two_way = shares["two-way, difference"]
    result = {
        "false_positive_rate": round(claim_rate, 4),
        "false_positive_rate_of_families": round(family_rate, 4),
        "power": round(mean_power, 4),
        "power_lowest_setting": round(lowest_power, 4),
        "equality_at_the_margin": round(edge_rate, 4),
        "equality_where_equal": round(equal_rate, 4),
        "interval_coverage": round(float(np.mean(two_way)), 4),
        "interval_coverage_range": [round(min(two_way), 4), round(max(two_way), 4)],
        "coverage_by_interval": {kind: round(float(np.mean(values)), 4) for kind, values in shares.items()},
        "studies_a_setting": num,
        "seconds": round(time.monotonic() - started, 1),
    }
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
