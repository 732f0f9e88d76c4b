"""Checks of how the numbers came about: the choice of the epoch, the photos of each row, the seeds."""

from __future__ import annotations

from orchestrator.paper_check.chance import ENOUGH_SEEDS, best_of_epochs, epoch_spread, smallest_p
from orchestrator.paper_check.finding import Lacking, Outcome, weak
from orchestrator.paper_check.reported import Reported
from orchestrator.paper_check.words import points, share, span
from orchestrator.report.wording import counted, listing, percent


def epoch_choice(reported: Reported) -> Outcome:
    """Was the epoch chosen on photos other than those that are reported?"""
    if reported.selected_on is None or not reported.rows:
        return Lacking("`selected_on` (reported, held_out or unknown), and `rows`")
    if reported.selected_on == "held_out" or reported.epochs == 1:
        return []
    best = max(reported.rows, key=lambda name: reported.rows[name].accuracy)
    if reported.selected_on == "unknown":
        title, start = "It is not said on which photos the epoch was chosen", "If it was chosen on the reported photos,"
    else:
        title, start = "The epoch was chosen on the photos that are reported", "With the best epoch of several,"
    sentence = (
        f"{start} the accuracy is that of the luckiest epoch, and stands above the model's own.{_size(reported, best)}"
    )
    numbers = {"selected_on": reported.selected_on, "row": best} | _size_numbers(reported, best)
    return [weak("epoch_choice", title, sentence, numbers)]


def _epochs(reported: Reported, name: str) -> tuple[int, str]:
    """Epochs to choose from, with the words for them; 0 where nothing is known."""
    if reported.epochs is not None:
        return reported.epochs, f"{reported.epochs} epochs"
    speed = reported.convergence.rows.get(name) if reported.convergence else None
    least = speed.epoch_to_threshold if speed and speed.epoch_to_threshold else 0
    return least, f"{least} epochs, and there were at least so many,"


def _size_numbers(reported: Reported, name: str) -> dict[str, float]:
    """How far an epoch's accuracy varies by chance, and what that adds to the best; empty where photos are unknown."""
    accuracy, total = float(reported.rows[name].accuracy), reported.photos_of(name)
    if not total:
        return {}
    numbers = {"epoch_spread": epoch_spread(accuracy, total)}
    epochs, _ = _epochs(reported, name)
    if epochs > 1:
        numbers["excess_of_independent_epochs"] = best_of_epochs(accuracy, total, epochs) - accuracy
    return numbers


def _size(reported: Reported, name: str) -> str:
    numbers, total = _size_numbers(reported, name), reported.photos_of(name)
    if not numbers:
        return ""
    spread, accuracy = numbers["epoch_spread"], reported.rows[name].accuracy
    told = (
        f" At {share(accuracy)} (“{name}”) the accuracy of one epoch over {counted(total, 'photo')} has a binomial "
        f"standard deviation of {points(spread)}, {spread * total:.1f} photos."
    )
    if "excess_of_independent_epochs" not in numbers:
        return told
    return (
        f"{told} The best of {_epochs(reported, name)[1]} would stand "
        f"{points(numbers['excess_of_independent_epochs'])} above a constant true accuracy on average if epochs were "
        "independent. Those of one training are alike, which makes it less: this is a sketch of the size, and no "
        "correction."
    )


def class_sets(reported: Reported) -> Outcome:
    """Are all rows scored on photos of the same classes?"""
    if not reported.scored_counts or len(reported.rows) < 2:
        return Lacking("two `rows`, and `counts`")
    rows = {name: frozenset(row.without) for name, row in reported.rows.items() if reported.counts_of(name)}
    if len(set(rows.values())) < 2:
        return []
    best = max(rows, key=lambda name: reported.rows[name].accuracy)
    others = [name for name in rows if rows[name] != rows[best]]
    rival = max(others, key=lambda name: reported.rows[name].accuracy)
    own, theirs = reported.counts_of(best), reported.counts_of(rival)
    change = max(own.values()) / sum(own.values()) - max(theirs.values()) / sum(theirs.values())
    sentence = (
        f"“{best}” is scored on {_photos(own, theirs)}, {listing([f'“{name}”' for name in others])} on "
        f"{_photos(theirs, own)}. Always answering the commonest class has {_majority(own)}, on the first and "
        f"{_majority(theirs)}, on the second: {points(abs(change))} {'more' if change > 0 else 'less'} without a model."
        f"{_rescored(reported, best, rival)} The difference mixes the model with the photos; only a row on the same "
        "photos could tell them apart."
    )
    numbers = {
        "row": best,
        "others": others,
        "change_of_majority": change,
        "photos": [sum(own.values()), sum(theirs.values())],
    }
    title = f"“{best}” is not scored on the same classes as {counted(len(others), 'other row')}"
    return [weak("class_sets", title, sentence, numbers)]


def _photos(counts: dict[str, int], others: dict[str, int]) -> str:
    missing = [label for label in others if label not in counts]
    without = f" (without {listing(missing)})" if missing else ""
    return f"{counted(sum(counts.values()), 'photo')}{without}"


def _majority(counts: dict[str, int]) -> str:
    most, total = max(counts.values()), sum(counts.values())
    return f"{most} of {total}, {percent(most / total)}"


def _rescored(reported: Reported, best: str, rival: str) -> str:
    """What the rival would have on the best row's photos, by counting alone, as a sentence."""
    own, theirs = reported.counts_of(best), reported.counts_of(rival)
    if not own.keys() < theirs.keys():
        return ""
    accuracy, kept = reported.rows[rival].accuracy, sum(own.values())
    right, lost = round(accuracy * sum(theirs.values())), sum(theirs.values()) - kept
    least, most = max(0, right - lost), min(right, kept)
    return (
        f" With the same answers “{rival}” ({share(accuracy)}, {right} right) would have {span(least, most)} of "
        f"{kept}, {percent(least / kept)} to {percent(most / kept)}, by how many of the {lost} left out it had right: "
        f"up to {points(most / kept - accuracy)} of the {points(reported.rows[best].accuracy - accuracy)} between them."
    )


def seeds(reported: Reported) -> Outcome:
    """Are there enough trainings of each row for a paired test over seeds to be significant?"""
    if reported.seeds is None:
        return Lacking("`seeds`")
    if reported.seeds >= ENOUGH_SEEDS:
        return []
    least = {count: smallest_p(count) for count in (reported.seeds, 3, 5, ENOUGH_SEEDS) if count >= reported.seeds}
    shown = listing([f"{p:.4g} for {counted(count, 'seed')}" for count, p in least.items()])
    alone = " One training says nothing about how far the next would differ." if reported.seeds == 1 else ""
    sentence = (
        f"Each row stands for {counted(reported.seeds, 'training')}.{alone} The smallest two-sided p that a paired "
        f"test over seeds can give (sign-flip or Wilcoxon, all differences of one sign) is 2 / 2^seeds: {shown}."
    )
    title = f"{counted(reported.seeds, 'seed')}: no paired test can be significant"
    return [weak("seeds", title, sentence, {"seeds": reported.seeds, "smallest_p": least[reported.seeds]})]
