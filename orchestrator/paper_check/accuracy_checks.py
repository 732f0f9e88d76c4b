"""Checks of each accuracy by itself: whole photos, chance, and the majority class."""

from __future__ import annotations

import math
from fractions import Fraction

from orchestrator.paper_check.chance import so_few_right, wilson
from orchestrator.paper_check.finding import Finding, Lacking, Outcome, inconsistent, weak
from orchestrator.paper_check.reported import Reported
from orchestrator.paper_check.whole_numbers import neighbours, numbers_within
from orchestrator.paper_check.words import share
from orchestrator.printed import Printed
from orchestrator.report.wording import counted, listing, p_value, percent


def whole_photos(reported: Reported) -> Outcome:
    """Is each accuracy k / n for a whole number k of its n photos (the GRIM test)?"""
    known = {name: reported.photos_of(name) for name in reported.rows}
    if not any(known.values()):
        return Lacking("`rows`, and `counts` or the `photos` of a row")
    found = []
    for name, total in known.items():
        row = reported.rows[name]
        if not total or numbers_within(row.accuracy, total):
            continue
        near = [f"{right} of {total} is {100 * right / total:.2f} %" for right in neighbours(row.accuracy, total)]
        other = _of_other_photos(row.accuracy, known)
        marked = " The study marks the number as approximate." if row.approximate else ""
        sentence = (
            f"The accuracy {share(row.accuracy)} of “{name}” is no whole number of {counted(total, 'photo')}: "
            f"{listing(near)}.{other}{marked}"
        )
        nearest = neighbours(row.accuracy, total)
        numbers = {"row": name, "accuracy": float(row.accuracy), "photos": total, "nearest": nearest}
        title = f"“{name}”: {share(row.accuracy)} of {counted(total, 'photo')} is no whole number"
        found.append((weak if row.approximate else inconsistent)("whole_photos", title, sentence, numbers))
    return found


def _of_other_photos(accuracy: Printed, known: dict[str, int]) -> str:
    """The photos of another row of which the accuracy would be a whole number, as a sentence."""
    for name, total in known.items():
        for right in numbers_within(accuracy, total) if total else ():
            return f" Of the {total} photos of “{name}” it would be one, {right}, {100 * right / total:.2f} %."
    return ""


def baselines(reported: Reported) -> Outcome:
    """Is each accuracy above guessing, and clearly above always answering the commonest class?"""
    counts = {name: reported.counts_of(name) for name in reported.rows}
    if not any(counts.values()):
        return Lacking("`rows`, and `counts` of the photos that they are scored on")
    found: list[Finding] = []
    level: dict[tuple[tuple[str, int], ...], dict[str, str]] = {}
    for name, by_class in counts.items():
        if not by_class:
            continue
        accuracy, total, most = reported.rows[name].accuracy, sum(by_class.values()), max(by_class.values())
        right = min(total, math.floor(accuracy.high * total))  # the most that was rounded to this: in the row's favour
        low, high = wilson(right, total)
        if accuracy.high < Fraction(1, len(by_class)) or high < most / total:
            found.append(_below(name, accuracy, by_class, right))
        elif low <= most / total:
            shown = f"“{name}” {share(accuracy)} ({percent(low)} to {percent(high)})"
            level.setdefault(tuple(by_class.items()), {})[name] = shown
    return found + [_level(rows, dict(by_class)) for by_class, rows in level.items()]


def _below(name: str, accuracy: Printed, counts: dict[str, int], right: int) -> Finding:
    total, most, chance = sum(counts.values()), max(counts.values()), 1 / len(counts)
    probability, below_chance = so_few_right(right, total, chance), accuracy.high < Fraction(1, len(counts))
    guessing = f"guessing among {len(counts)} classes has {percent(chance)} on average"
    meaning = (
        f", and a guesser has {right} right or fewer with probability {p_value(probability)}. That is what a training "
        "that failed or mixed-up labels give, no baseline: what is measured against it measures that."
        if below_chance
        else ". A gain over it need not be a gain over answering without looking."
    )
    sentence = (
        f"“{name}” has {share(accuracy)}. Always answering {_commonest(counts)} has {most} of {total}, "
        f"{percent(most / total)}; {guessing}{meaning}"
    )
    numbers = {
        "row": name,
        "accuracy": float(accuracy),
        "majority": most / total,
        "chance": chance,
        "probability_of_guesser": probability,
    }
    title = f"“{name}” is below {'chance and ' if below_chance else ''}always answering {_commonest(counts)}"
    return weak("baselines", title, sentence, numbers)


def _level(rows: dict[str, str], counts: dict[str, int]) -> Finding:
    total, most, label = sum(counts.values()), max(counts.values()), _commonest(counts)
    sentence = (
        f"Always answering {label} has {most} of {counted(total, 'photo')}, {percent(most / total)}. That lies inside "
        f"the 95 % Wilson interval of {listing(list(rows.values()))}, so these numbers do not show a model that has "
        "learned more than which class is commonest."
    )
    numbers = {"rows": list(rows), "majority": most / total}
    title = f"{counted(len(rows), 'row')} not clearly above always answering {label}"
    return weak("baselines", title, sentence, numbers)


def _commonest(counts: dict[str, int]) -> str:
    return max(counts, key=lambda label: counts[label])
