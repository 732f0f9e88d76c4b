"""What an audit found, in sentences. All of them are made from `audit.json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.report.audit_shortcut_words import flagged_rows, image_sentences, shortcut_sentences
from orchestrator.report.detection import ALL_CLASSES, ALL_SPLITS
from orchestrator.report.wording import counted, listing, percent

Document = Mapping[str, Any]
CLEAN = "No finding: no copies, and no subject in several splits."
MOST_NAMED = 6


def finding_sentences(document: Document) -> list[str]:
    """A sentence or two a finding, the weightiest first; CLEAN if there is none. Then what is flagged as a warning."""
    parts = (_conflicts, _leaks, _subjects, _repeated)
    found = [sentence for part in parts for sentence in part(document)] or [CLEAN]
    return [*found, *shortcut_sentences(document)]


def headline(document: Document) -> str:
    """All findings in one line: `3 photographs in several classes, 1 in several splits, ...`."""
    counts = document["counts"]
    found = [
        (counts["conflicts"]["photographs"], "photograph", "in several classes"),
        (counts["leaks"]["photographs"], "photograph", "in several splits"),
        (counts["subjects_in_several_splits"], "subject", "in several splits"),
        (counts["photos_surplus"], "surplus copy", "in all"),
    ]
    words = [f"{_counted(count, noun)} {rest}" for count, noun, rest in found if count]
    warned = len(flagged_rows(document))
    warning = f" Warning: {_counted(warned, 'shortcut')} by file metadata." if warned else ""
    return (", ".join(words) + "." if words else CLEAN) + warning


def fact_sentences(document: Document) -> list[str]:
    """What the photos allow: the majority baseline, the imbalance, and what was told but is no finding."""
    sentences = [_split_sentence(document), *_baselines(document), *image_sentences(document)]
    for question, names in document["not_examined"].items():
        if names:
            least = document["settings"]["shortcut_min_photographs"]
            sentences.append(
                f"Not checked for shortcuts, with fewer than {least} photographs: {question} {_named(names)}."
            )
    unreadable = document["data"]["photos"] - document["data"]["readable"]
    if unreadable:
        sentences.append(f"{counted(unreadable, 'photo')} could not be read and are not compared.")
    return [sentence for sentence in sentences if sentence]


def _conflicts(document: Document) -> list[str]:
    counts = document["counts"]["conflicts"]
    if not counts["photographs"]:
        return []
    pairs = sorted(document["tables"]["conflicts"], key=lambda row: -row["photographs"])
    most = f"“{pairs[0]['class_a']}” and “{pairs[0]['class_b']}” ({pairs[0]['photographs']})"
    where = f"most often in {most}" if len(pairs) > 1 else f"in {most}"
    return [
        f"Label conflicts: {_stand(counts['photographs'])} in several classes, {where}; "
        f"{counted(counts['photos'], 'photo')} in all, {_by_kind(counts)}. {_ceilings(document)}"
    ]


def _ceilings(document: Document) -> str:
    rows = [row for row in document["tables"]["ceiling"] if row["class"] == ALL_CLASSES and row["ceiling"] < 1]
    several = len(document["data"]["splits"]) > 1
    whole = [row for row in rows if not several or row["split"] != ALL_SPLITS]
    told = [
        f"{percent(row['ceiling'])}{_in_split(row['split'], several)}"
        + (f" ({percent(row['ceiling_exact'])} by exact copies alone)" if row["ceiling_exact"] > row["ceiling"] else "")
        for row in whole
    ]
    if not told:
        return "The copies contradict each other across splits, never inside one: no split has a ceiling below 100 %."
    return f"A model that gives one answer a photograph cannot be right more often than {listing(told)}."


def _leaks(document: Document) -> list[str]:
    counts, rows = document["counts"]["leaks"], document["tables"]["leaks"]
    if not counts["photographs"]:
        return []
    told = [
        f"{counted(row['photos_b'], 'photo')} of {row['split_b']} ({percent(row['share_b'])}) {_have(row['photos_b'])} "
        f"a copy in {row['split_a']}"
        for row in rows
    ]
    memory = "Accuracy on those photos shows memory of the copy as well as skill."
    return [f"Leaks: {_stand(counts['photographs'])} in several splits, {_by_kind(counts)}: {listing(told)}. {memory}"]


def _subjects(document: Document) -> list[str]:
    count, total = (document["counts"][name] for name in ("subjects_in_several_splits", "subjects"))
    if not count:
        return []
    return [
        f"Subjects: {count} of {counted(total, 'subject')} {_have(count)} photos in several splits. What is scored on "
        "them is not accuracy on people whom the model has never seen."
    ]


def _repeated(document: Document) -> list[str]:
    counts = document["counts"]
    only, surplus = counts["photographs_repeated_only"], counts["photos_surplus"]
    if not surplus:
        return []
    photos, photographs = counted(document["data"]["readable"], "photo"), counted(counts["photographs"], "photograph")
    others = " others" if counts["photographs_repeated"] > only else ""
    inside = f"; {only}{others} {'is' if only == 1 else 'are'} repeated inside one class and split" if only else ""
    return [
        f"Copies: {photos} show {photographs}, so {surplus} {'is' if surplus == 1 else 'are'} surplus{inside}. What is "
        "counted in photos counts those again, and intervals over photos come out too narrow."
    ]


def _split_sentence(document: Document) -> str:
    origin = document["data"]["splits_origin"]
    if origin == "none":
        return "The photos are not split yet, so nothing can leak yet: what is said here takes all of them together."
    if origin == "drawn":
        return "The photos have no split of their own; leaks are those of the split that facet drew for this run."
    return ""


def _baselines(document: Document) -> list[str]:
    several = len(document["data"]["splits"]) > 1
    told = [
        f"{percent(row['majority_accuracy'])}{_in_split(split, several)} (“{row['majority_class']}”)"
        for split, row in document["balance"].items()
        if not several or split != ALL_SPLITS
    ]
    ratio = max((row["imbalance_ratio"] for row in document["balance"].values()), default=1.0)
    if not told:
        return []
    return [f"Always answering the commonest class scores {listing(told)}; it is up to {ratio:.3g} times the rarest."]


def _in_split(split: str, several: bool) -> str:
    return f" in {split}" if several else ""


def _by_kind(counts: Mapping[str, int]) -> str:
    exact, near = counts["photographs_exact"], counts["photographs_near"]
    if not near:
        return "all shown by exact copies"
    return f"{exact} shown by exact copies and {near} by near-copies alone" if exact else "all by near-copies alone"


def _stand(count: int) -> str:
    return f"{counted(count, 'photograph')} stand{'s' if count == 1 else ''}"


def _have(count: int) -> str:
    return "has" if count == 1 else "have"


def _counted(count: int, noun: str) -> str:
    return f"{count} surplus copies" if noun == "surplus copy" and count != 1 else counted(count, noun)


def _named(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return listing([f"“{name}”" for name in names[:MOST_NAMED]]) + more
