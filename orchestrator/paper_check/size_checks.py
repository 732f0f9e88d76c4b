"""Checks of sizes: are drops, and differences of rows, more than so few photos give by chance?"""

from __future__ import annotations

import math
from bisect import bisect_left
from fractions import Fraction

from orchestrator.paper_check.chance import SIGNIFICANT, least_net_difference, mcnemar_p
from orchestrator.paper_check.drop_checks import NEEDS, photos_of_drops
from orchestrator.paper_check.finding import Finding, Lacking, Outcome, weak
from orchestrator.paper_check.reported import Reported
from orchestrator.paper_check.words import points, share
from orchestrator.printed import Printed
from orchestrator.report.wording import counted, listing


def drops(reported: Reported) -> Outcome:
    """Is each drop as large as a test on so many photos needs at the least?"""
    table, total = reported.drops, photos_of_drops(reported)
    if table is None or not total:
        return Lacking(NEEDS)
    least = least_net_difference()
    small = {name: drop for name, drop in table.rows.items() if _most_photos(drop, total) < least}
    if not small:
        return []
    shown = [f"{points(drop)} (“{name}”) are {abs(drop) * total:.1f} photos" for name, drop in small.items()]
    sentence = (
        f"With {counted(total, 'photo')} an exact McNemar test can be significant only from a net difference of "
        f"{least} photos on, {points(least / total)}, and only if no photo changes the other way. "
        f"{_capital(listing(shown))}: too few, whichever photos they are.{_larger(table.rows, small, total)}"
    )
    numbers = {"photos": total, "least_photos": least, "drops": {name: float(drop) for name, drop in small.items()}}
    title = f"Drops of {listing([points(drop) for drop in small.values()])} are below what {total} photos can show"
    return [weak("drops", title, sentence, numbers)]


def differences(reported: Reported) -> Outcome:
    """Which rows lie closer to the best row on the same photos than a test on so many photos needs?"""
    groups: dict[tuple[int, tuple[str, ...]], list[str]] = {}
    for name, row in reported.rows.items():
        if reported.photos_of(name):
            groups.setdefault((reported.photos_of(name), tuple(sorted(row.without))), []).append(name)
    compared = {key: names for key, names in groups.items() if len(names) > 1}
    if not compared:
        return Lacking("two rows of `rows` on the same photos, and `counts` or their `photos`")
    return [finding for (total, _), names in compared.items() for finding in _close(reported, names, total)]


def _close(reported: Reported, names: list[str], total: int) -> list[Finding]:
    accuracies, least = {name: reported.rows[name].accuracy for name in names}, least_net_difference()
    best = max(names, key=lambda name: accuracies[name])
    most = {name: (accuracies[best].high - accuracies[name].low) * total for name in names if name != best}
    close = [name for name, photos in most.items() if math.floor(photos) < least]
    if not close:
        return []
    shown = [f"“{name}” {share(accuracies[name])} ({accuracies[name] * total:.0f})" for name in close]
    sentence = (
        f"“{best}” has {share(accuracies[best])} of {counted(total, 'photo')} ({accuracies[best] * total:.0f} right), "
        f"{listing(shown)}. A lead of less than {least} photos cannot be significant (exact McNemar test, p below "
        "0.05), so their order is not shown."
    )
    numbers = {"best": best, "rows": close, "photos": total, "least_photos": least}
    title = f"{counted(len(close), 'row')} too close to “{best}” to be told from it"
    return [weak("differences", title, sentence, numbers)]


def _larger(rows: dict[str, Printed], small: dict[str, Printed], total: int) -> str:
    """For the least drop that is large enough: how many photos may change the other way."""
    others = [drop for name, drop in rows.items() if name not in small]
    if not others:
        return ""
    drop = min(others, key=abs)
    net = round(abs(drop) * total)
    losses = range((total - net) // 2)  # a photo that changes the other way asks for one more that does not
    lost = bisect_left(losses, True, key=lambda count: mcnemar_p(net + count + 1, count + 1) >= SIGNIFICANT)  # p grows
    if lost == len(losses) or mcnemar_p(net, 0) >= SIGNIFICANT:
        return ""
    return (
        f" Even {points(drop)} ({net} photos) are enough only if no more than {lost} changed the other way "
        f"({net + lost} against {lost}: p {mcnemar_p(net + lost, lost):.3f}; {net + lost + 1} against {lost + 1}: "
        f"p {mcnemar_p(net + lost + 1, lost + 1):.3f})."
    )


def _most_photos(drop: Printed, total: int) -> int:
    """The most photos that the drop may be, in the study's favour."""
    size = abs(Fraction(drop.exact))
    return max(math.ceil(size * total), math.floor((size + drop.reach) * total))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
