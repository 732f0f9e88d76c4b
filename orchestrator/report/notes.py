"""What a reader must know before believing a number, as sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from orchestrator.hypotheses.judge import untested
from orchestrator.report.context import ReportContext
from orchestrator.report.detection import status_counts
from orchestrator.report.detection_words import warnings
from orchestrator.report.results import Results
from orchestrator.report.skill import beats_majority
from orchestrator.report.verdicts import MIN_SEEDS
from orchestrator.report.wording import counted, listing

PROTOCOLS = {
    "paper": "the epoch is chosen on the reported photos, as in the study",
    "clean": (
        "contradictory labels and copies are left out, the epoch is chosen on a part of the training photos, and the "
        "reported photos are read once"
    ),
    "grouped_kfold": (
        "all photos in folds, copies of one photograph and photos of one person never on both sides; every photo is "
        "reported once a seed, by a model whose epoch was chosen on other photos"
    ),
}
_LOST = {
    "unreadable": "the file could not be read",
    "too_large": "too large to be decoded",
    "failed": "the search for a face failed, so they count as photos without one",
}


def make_notes(results: Results, context: ReportContext) -> list[str]:
    """The context's notes, then ours."""
    checks: tuple[Callable[[Results, ReportContext], Iterable[str]], ...] = (
        _missing_trials,
        _photos_left_out,
        _faces_lost_by_class,
        _mixtures,
        _hypotheses,
        _too_few_seeds,
        _optimism,
        _no_skill,
        _interval_meaning,
    )
    return [*context.notes, *(note for check in checks for note in check(results, context))]


def _missing_trials(results: Results, context: ReportContext) -> Iterable[str]:
    lacking = context.num_planned - len(results.records)
    if lacking > 0:
        planned = counted(context.num_planned, "planned trial")
        yield f"Not finished: {lacking} of {planned}. The numbers are provisional."
    if results.num_waiting:
        finished = counted(results.num_waiting, "finished trial")
        yield f"Not shown: {finished} of seeds whose other folds are not finished."
    uneven = sorted({len(group.seeds) for group in results.groups})
    if len(uneven) > 1:
        yield f"Conditions have between {uneven[0]} and {uneven[-1]} seeds; differences use the seeds that both have."


def _photos_left_out(results: Results, context: ReportContext) -> Iterable[str]:
    for reason, count in context.left_out.items():
        if count:
            yield f"{counted(count, 'photo')} left out: {reason.replace('_', ' ')}."
    counts = {} if context.photos is None else status_counts(context.photos)
    for status, meaning in _LOST.items():
        if counts.get(status):
            yield f"{counted(counts[status], 'photo')}: {meaning}."


def _faces_lost_by_class(results: Results, context: ReportContext) -> Iterable[str]:
    yield from [] if context.photos is None else warnings(context.photos)


def _mixtures(results: Results, context: ReportContext) -> Iterable[str]:
    records = results.records
    for what in ("device", "weights", "data_fingerprint", "workers"):
        values = distinct(record.get(what) for record in records)
        if len(values) > 1:
            yield f"Trials differ in {what.replace('_', ' ')}: {listing(values)}."
    for package in sorted({name for record in records for name in record["versions"]}):
        values = distinct(record["versions"].get(package) for record in records)
        if len(values) > 1:
            yield f"Trials ran under different versions of {package}: {listing(values)}."
    resumed = sum(record["interruptions"] > 0 for record in records)
    if resumed:
        yield f"{counted(resumed, 'trial')} went on from a checkpoint after an interruption."


def _hypotheses(results: Results, context: ReportContext) -> Iterable[str]:
    if context.registered.note:
        yield context.registered.note
    for name, why in untested(context.registered.hypotheses, results, context.draw_of).items():
        yield f"Hypothesis {name} is not tested: {why}."


def _too_few_seeds(results: Results, context: ReportContext) -> Iterable[str]:
    most = max((len(group.seeds) for group in results.groups), default=MIN_SEEDS)
    if most < MIN_SEEDS:
        yield (
            f"{counted(most, 'seed').capitalize()} a condition: no paired test can decide anything. "
            f"At least {MIN_SEEDS} are needed."
        )


def _optimism(results: Results, context: ReportContext) -> Iterable[str]:
    if "paper" in results.protocols:
        yield (
            "Protocol paper: the best epoch is chosen on the very photos that are reported, as in the study. The "
            "highest of many noisy values lies above what to expect on new photos: these accuracies are optimistic."
        )


def _no_skill(results: Results, context: ReportContext) -> Iterable[str]:
    for protocol in results.protocols:
        groups = [group for group in results.groups if group.protocol == protocol]
        names = [group.title for group in groups if not beats_majority(group, context.draw_of)]
        if names:
            yield (
                f"Protocol {protocol}: not shown to beat always answering the commonest class "
                f"({len(names)} of {counted(len(groups), 'condition')}): {listing(names)}."
            )


def _interval_meaning(results: Results, context: ReportContext) -> Iterable[str]:
    if any(len(group.seeds) > 1 for group in results.groups):
        yield (
            "An interval over seeds tells how far training varies on the same photos, not how few photos there are. "
            "For what to expect of other seeds on other photos, table 1 has a second interval. With few seeds it can "
            "be the narrower: over photos more is known, over seeds so little that t is large."
        )


def distinct(values: Iterable[object]) -> list[str]:
    """The different values, as texts, sorted."""
    return sorted({str(value) for value in values})
