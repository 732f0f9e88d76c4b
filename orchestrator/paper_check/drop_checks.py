"""Checks of drops: are they whole numbers of photos, and the differences of their rows?"""

from __future__ import annotations

import math
from fractions import Fraction

from orchestrator.paper_check.drop_rounding import rounded_before
from orchestrator.paper_check.finding import Lacking, Outcome, inconsistent, weak
from orchestrator.paper_check.reported import Reported
from orchestrator.paper_check.whole_numbers import numbers_within
from orchestrator.paper_check.words import points, share
from orchestrator.printed import Printed
from orchestrator.report.wording import counted, listing

NEEDS = "`drops`, and `counts` or the `photos` of the row they are of"


def drop_photos(reported: Reported) -> Outcome:
    """Is each drop a whole number of photos: all in points, or all as shares of the full model's accuracy?"""
    table, total = reported.drops, photos_of_drops(reported)
    if table is None or not total:
        return Lacking(NEEDS)
    odd = {name: drop for name, drop in table.rows.items() if not _whole(drop, total)}
    odd_shares = {name: drop for name, drop in table.rows.items() if not _whole_share(drop, reported, total)}
    if not odd or not odd_shares:
        return []
    full = _accuracies(reported, table.of)
    unexplained = [name for name, drop in odd.items() if not rounded_before(drop, full, total)]
    shares_explained = all(rounded_before(drop, full, total, as_share=True) for drop in odd_shares.values())
    impossible = [] if shares_explained else unexplained
    shown = [
        f"{points(drop)} (“{name}”) are {drop * total:.2f} photos, "
        + listing([f"{right} being {100 * right / total:.2f} points" for right in _beside(drop, total)])
        for name, drop in odd.items()
    ]
    sentence = (
        f"Two accuracies over the same {counted(total, 'photo')} differ by a whole number of them, yet "
        f"{'; '.join(shown)}. Nor do {listing([f'{float(100 * drop):.1f} %' for drop in odd_shares.values()])} of "
        f"what “{table.of}” has right make whole photos.{_elsewhere(reported, odd)}"
        f"{_rounded_before(odd, unexplained)}{' It would explain all drops as shares.' if shares_explained else ''}"
    )
    in_photos = {name: round(drop * total, 4) for name, drop in odd.items()}
    numbers = {"photos": total, "drops_in_photos": in_photos, "impossible": impossible}
    title = f"{listing([points(drop) for drop in odd.values()])} of {total} photos are no whole number"
    return [(inconsistent if impossible else weak)("drop_photos", title, sentence, numbers)]


def drop_rows(reported: Reported) -> Outcome:
    """Is each drop the difference of the two rows, where the row without the component is reported too?"""
    table = reported.drops
    both = {} if table is None else {name: drop for name, drop in table.rows.items() if name in reported.rows}
    if table is None or not both:
        return Lacking("`drops` whose names are rows of `rows`")
    full, found = reported.rows[table.of].accuracy, []
    for name, drop in both.items():
        other = reported.rows[name].accuracy
        if _overlap(drop, full.low - other.high, full.high - other.low) or _overlap_as_share(drop, full, other):
            continue
        sentence = (
            f"“{table.of}” has {share(full)} and “{name}” {share(other)}: a drop of {points(full - other)}. "
            f"{points(drop)} are reported."
        )
        numbers = {"row": name, "drop": float(drop), "drop_of_rows": full - other}
        title = f"The drop of “{name}” is not the difference of the rows"
        found.append(inconsistent("drop_rows", title, sentence, numbers))
    return found


def photos_of_drops(reported: Reported) -> int:
    """Scored photos of the row that the drops are of; 0 where they are not known."""
    return reported.photos_of(reported.drops.of) if reported.drops else 0


def _whole(drop: Printed, total: int) -> bool:
    """Whether a whole number of `total` photos is that difference."""
    return math.ceil(drop.low * total) <= math.floor(drop.high * total)


def _whole_share(drop: Printed, reported: Reported, total: int) -> bool:
    """Whether it is one as a share of the photos that the full model has right."""
    accuracy = reported.rows[reported.drops.of].accuracy if reported.drops else Printed(0.0)
    return any(_whole(drop, right) for right in numbers_within(accuracy, total))


def _accuracies(reported: Reported, name: str) -> list[Printed]:
    """The accuracy of a row, as each table prints it."""
    speed = reported.convergence.rows.get(name) if reported.convergence else None
    again = [speed.accuracy] if speed and speed.accuracy is not None else []
    return [reported.rows[name].accuracy, *again]


def _beside(drop: Printed, total: int) -> list[int]:
    photos = drop * total
    return sorted({math.floor(photos), math.ceil(photos)})


def _elsewhere(reported: Reported, odd: dict[str, Printed]) -> str:
    """Two rows on different photos whose difference is such a drop, as a sentence."""
    assert reported.drops is not None
    full, total = reported.drops.of, photos_of_drops(reported)
    for drop in odd.values():
        for name, row in reported.rows.items():
            photos = reported.photos_of(name)
            for first in numbers_within(reported.rows[full].accuracy, total):
                known = numbers_within(row.accuracy, photos) if photos and photos != total else range(0)
                least = math.ceil((Fraction(first, total) - drop.high) * photos)
                most = math.floor((Fraction(first, total) - drop.low) * photos)
                for second in range(max(least, known.start), min(most + 1, known.stop)):
                    return (
                        f" {points(drop)} are the difference between “{full}” ({first} of {total}) and “{name}” "
                        f"({second} of {photos}), which are scored on other photos."
                    )
    return ""


def _rounded_before(odd: dict[str, Printed], impossible: list[str]) -> str:
    explained = [points(drop) for name, drop in odd.items() if name not in impossible]
    left = [points(drop) for name, drop in odd.items() if name in impossible]
    words = " Accuracies that were rounded before they were subtracted would explain "
    if explained and left:
        return f"{words}{listing(explained)}, but not {listing(left)}."
    return f"{words}{listing(explained)}." if explained else " Nor does rounding before the subtraction explain it."


def _overlap_as_share(drop: Printed, full: Printed, other: Printed) -> bool:
    """Whether the drop may be a share of the full model's accuracy."""
    return full.low > 0 and _overlap(drop, 1 - other.high / full.low, 1 - other.low / full.high)


def _overlap(drop: Printed, low: Fraction, high: Fraction) -> bool:
    return drop.low <= high and low <= drop.high
