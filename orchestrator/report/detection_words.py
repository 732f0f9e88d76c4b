"""What the counts of found faces say, in sentences and in a few lines for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from orchestrator.report.detection import class_tests, split_tests, status_counts
from orchestrator.report.group_tests import GroupTest
from orchestrator.report.intervals import wilson_interval
from orchestrator.report.wording import counted, listing, p_value, percent, percent_interval

ALPHA = 0.05
MIN_GAP = 0.01
"""Of 800,000 photos a tenth of a point is beyond chance, and biases nothing: below one point a gap is not named."""
BIAS = " Crops are then not missing at random: comparisons with full frames are biased."
MOST_LINES = 24
"""Longer, a terminal's table is left out."""


def counts_line(photos: pd.DataFrame) -> str:
    """`821: 807 with a face, 14 without, 0 unreadable, 0 too large, 0 failed`."""
    counts = status_counts(photos)
    return (
        f"{len(photos)}: {counts['found']} with a face, {counts['no_face']} without, {counts['unreadable']} "
        f"unreadable, {counts['too_large']} too large, {counts['failed']} failed"
    )


def findings(photos: pd.DataFrame) -> list[str]:
    """Whether detection differs by class and by split, a sentence each; one sentence where all or no face is found."""
    found = status_counts(photos)["found"]
    if found == 0:
        return ["No face was found in any photo."]
    if found == len(photos):
        return ["A face was found in every photo."]
    by_class, by_split = class_tests(photos), split_tests(photos)
    sentences = [_sentence("class", "classes", by_class)] if by_class else []
    return sentences + ([_sentence("split", "splits", by_split)] if by_split else [])


def share_line(photos: pd.DataFrame) -> str:
    """`807 of 821 photos have a face: 98.3 % (97.2 to 99.0)`."""
    share = wilson_interval(status_counts(photos)["found"], len(photos))
    text = percent_interval(share.mean, share.low, share.high)
    return f"{status_counts(photos)['found']} of {counted(len(photos), 'photo')} have a face: {text}"


def warnings(photos: pd.DataFrame) -> list[str]:
    """A sentence where photos of a class lack a face clearly more often than the others: that biases a study."""
    tests = class_tests(photos)
    return [_sentence("class", "classes", tests)] if _clear(tests, lower=True) else []


def terminal_table(table: pd.DataFrame, width: int) -> list[str]:
    """A line a class, a split and all photos, of at most `width` characters; nothing where they do not fit."""
    total = table.iloc[-1]
    whole = table[(table["split"] == total["split"]) | (table["class"] == total["class"])]
    rows = [("", "photos", "with a face", "share (95 % interval)", "without", "other")]
    for row in whole.to_dict("records"):
        name = row["split"] if row["class"] == total["class"] else row["class"]
        name = "all photos" if len(rows) == len(whole) else name
        share = percent_interval(row["share_mean"], row["share_low"], row["share_high"])
        other = row["unreadable"] + row["too_large"] + row["failed"]
        rows.append((name, str(row["photos"]), str(row["found"]), share, str(row["no_face"]), str(other)))
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = [_aligned(row, widths) for row in rows]
    return lines if len(rows) <= MOST_LINES and max(map(len, lines)) <= width else []


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    numbers = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
    return "  ".join([row[0].ljust(widths[0]), *numbers])


def _sentence(kind: str, kinds: str, tests: Sequence[GroupTest]) -> str:
    method = "Fisher's exact test" + (f", Holm-corrected over {len(tests)} {kinds}" if len(tests) > 2 else "")
    lower, higher = _clear(tests, lower=True), _clear(tests, lower=False)
    for way, named in (("less", lower), ("more", higher)):
        if named:
            told = listing([_numbers(test) for test in named])
            bias = BIAS if (kind, way) == ("class", "less") else ""
            return f"Faces are found {way} often in {kind} {told}; {method}.{bias}"
    return (
        f"No {kind} differs clearly from the others in its share of photos with a face ({method}: none with p below "
        f"{ALPHA:g} and a gap of one point or more)."
    )


def _clear(tests: Sequence[GroupTest], *, lower: bool) -> list[GroupTest]:
    sign = -1 if lower else 1
    return [test for test in tests if test.p_value < ALPHA and sign * test.gap >= MIN_GAP]


def _numbers(test: GroupTest) -> str:
    p_text = p_value(test.p_value)
    p_text = p_text if p_text.startswith("<") else f"= {p_text}"
    rest = f"{percent(test.other_found / test.other_photos)} of all other photos"
    return (
        f"“{test.name}” ({test.found} of {counted(test.photos, 'photo')}, {percent(test.found / test.photos)}, "
        f"against {rest}, p {p_text})"
    )
