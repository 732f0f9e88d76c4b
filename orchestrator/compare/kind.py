"""What kind of comparison two runs allow, in one sentence, and what to keep in mind, in a few more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from orchestrator.compare.conditions import APART, LEAST_SHARED, NOT_COMPARED
from orchestrator.compare.runs import Run
from orchestrator.compare.settings import CROPS, DATA, DIVISION, GRID, MACHINE, MODEL, PATCH, RECIPE, Setting
from orchestrator.compare.shared import reported
from orchestrator.hypotheses.decide import MIN_SEEDS
from orchestrator.report.results import Group, protocol_rank
from orchestrator.report.wording import counted, listing

_NAMED = {
    (MODEL, "backbone"): "another backbone",
    (MODEL, "weights"): "other starting weights",
    (CROPS, "image_size"): "another image size",
    (PATCH, "changes"): "another label patch",
    (DATA, "rare_class"): "another class left out",
}
_BY_PART = {
    CROPS: "other crop settings",
    MODEL: "other settings of the network",
    RECIPE: "another recipe",
    DIVISION: "another division of the photos",
}
_SOFTWARE = ("facet-ablation", "torch", "torchvision", "timm", "facenet-pytorch", "numpy")
"""Those that can change a result."""


def kind_of(runs: tuple[Run, Run], settings: Sequence[Setting], same: AbstractSet[str] | None) -> str:
    """`The same photos, another backbone (tf_efficientnet_lite0 in A, efficientnet_b0 in B).`"""
    photos, changes = _photos(runs, same), what_differs(settings)
    if changes:
        return f"{photos}, {listing(changes)}."
    if photos != "The same photos":
        return f"{photos}, the same recipe."
    if runs[0].seeds != runs[1].seeds:
        return f"The same study, other seeds ({_seeds(runs[0])} in A, {_seeds(runs[1])} in B)."
    other = [one.field for one in settings if one.differs and one.part == MACHINE and one.field in _SOFTWARE]
    if other:
        return f"The same study, other versions ({', '.join(other)})."
    if any(one.differs for one in settings if one.field == "device"):
        return "The same study, another device."
    grids = any(one.differs for one in settings if one.part == GRID)
    return "The same study, another grid." if grids else "The same study twice."


def what_differs(settings: Sequence[Setting]) -> list[str]:
    """What decides results and is not the same, most telling first; the photos themselves apart."""
    differing = {(one.part, one.field): one for one in settings if one.differs}
    named = [f"{text} ({_in_both(differing[key])})" for key, text in _NAMED.items() if key in differing]
    hidden = {*_NAMED, (MODEL, "weights from")}
    for part, text in _BY_PART.items():
        fields = [field for where, field in differing if where == part and (where, field) not in hidden]
        named += [f"{text} ({', '.join(fields)})"] if fields else []
    return named


def notes_of(
    runs: tuple[Run, Run], settings: Sequence[Setting], rows: Sequence[Mapping[str, Any]], same: AbstractSet[str] | None
) -> list[str]:
    """What a reader must know before believing a difference."""
    return [*_of_design(runs, settings, rows, same), *_of_gaps(runs, rows)]


def generated_photos(runs: tuple[Run, Run]) -> str:
    """`The photos of A are generated.`; empty where those of neither are."""
    generated = [side for side, run in zip("AB", runs, strict=True) if run.plan["generated"]]
    return f"The photos of {listing(generated)} are generated." if generated else ""


def _of_design(
    runs: tuple[Run, Run], settings: Sequence[Setting], rows: Sequence[Mapping[str, Any]], same: AbstractSet[str] | None
) -> Iterator[str]:
    changes = what_differs(settings) + ([] if _photos(runs, same) == "The same photos" else ["the photos"])
    if len(changes) > 1:
        yield f"{len(changes)} things differ at once: no difference in scores can be laid to one of them."
    if any(row["basis"] == APART for row in rows):
        yield (
            "Rows that are not paired compare means over other photos, or over seeds that the runs do not share: their "
            "errors add up, and photos that are easier in one run look like a better method."
        )
    again = len({record["key"] for record in runs[0].records} & {record["key"] for record in runs[1].records})
    if again and runs[0].records == runs[1].records:
        yield "Both hold the very same finished trials: every difference is 0."
    elif again:
        yield (
            f"{counted(again, 'trial')} of A are in B too (same photos, settings and seed): whatever they differ by "
            "comes from machines and versions, and is no finding."
        )
    if same is None and any(row["basis"] != APART for row in rows):
        yield "A run has no photos.csv: photos of one path and class are taken to be the same photo."
    compared = [row for row in rows if row["basis"] != NOT_COMPARED]
    most = max((min(row["seeds_a"], row["seeds_b"]) for row in compared), default=MIN_SEEDS)
    if most < MIN_SEEDS:
        held = [max(len(group.seeds) for group in run.results.groups) for run in runs]
        yield (
            f"At most {counted(most, 'seed')} of a condition can be compared (A has {held[0]}, B has {held[1]}): every "
            f"verdict is undecided. {MIN_SEEDS} are needed in both."
        )
    devices = next((one for one in settings if one.field == "device"), None)
    if devices and devices.differs:
        yield f"Times were taken on other devices ({_in_both(devices)}) and say nothing of the method."


def _of_gaps(runs: tuple[Run, Run], rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for side, run in zip("AB", runs, strict=True):
        if len(run.records) < run.num_planned:
            done = f"{len(run.records)} of {run.num_planned} trials"
            yield f"{side} is not finished: {done}. Its numbers are provisional."
        if run.results.num_waiting:
            waiting = counted(run.results.num_waiting, "trial")
            yield f"{side}: {waiting} of seeds of which other folds are not finished are left out."
        if run.registered.note:
            yield f"{side}: {run.registered.note}"
    cells = [{(group.condition, group.protocol) for group in run.results.groups} for run in runs]
    for side, lone in zip("AB", (cells[0] - cells[1], cells[1] - cells[0]), strict=True):
        if lone:
            yield f"In {side} alone: {_cells(lone)}."
    for masked in sorted({row["masked"] for row in rows if row["masked"]}):
        yield f"Classes that one run alone knows are masked, and their photos left out: {masked}."
    if any(row["basis"] == NOT_COMPARED for row in rows):
        yield "Conditions are not compared where the runs share fewer than two classes."


def _cells(cells: AbstractSet[tuple[str, str]]) -> str:
    """`eca and proposed (paper), eca (clean)`."""
    protocols = sorted({protocol for _, protocol in cells}, key=protocol_rank)
    named = {name: listing(sorted(one for one, protocol in cells if protocol == name)) for name in protocols}
    return "; ".join(f"{conditions} ({name})" for name, conditions in named.items())


def _photos(runs: tuple[Run, Run], same: AbstractSet[str] | None) -> str:
    if _tables_equal(runs, same):
        return "The same photos"
    mine, theirs = (reported(_common(run, other)) for run, other in (runs, runs[::-1]))
    both = {path for path in mine.keys() & theirs.keys() if same is None or path in same}
    if len(both) == len(mine) == len(theirs):
        return "The same reported photos, other training photos" if same is not None else "The same reported photos"
    if both and len(both) >= LEAST_SHARED * min(len(mine), len(theirs)):
        return f"Partly the same photos ({len(both)} reported in both, {len(mine)} in A, {len(theirs)} in B)"
    return "Other photos"


def _tables_equal(runs: tuple[Run, Run], same: AbstractSet[str] | None) -> bool:
    if runs[0].plan["crop_fingerprint"] == runs[1].plan["crop_fingerprint"]:
        return True
    first, second = (run.photos for run in runs)
    if first is None or second is None or same is None or len(first) != len(second) or len(same) != len(first):
        return False
    columns = ["path", "label", "split"]
    tables = [table[columns].sort_values("path").to_numpy().tolist() for table in (first, second)]
    return tables[0] == tables[1]


def _common(run: Run, other: Run) -> list[Group]:
    """Of the protocols that both have; all where they have none in common."""
    groups = run.results.groups
    return [group for group in groups if group.protocol in other.results.protocols] or list(groups)


def _in_both(setting: Setting) -> str:
    return f"{setting.a or 'none'} in A, {setting.b or 'none'} in B"


def _seeds(run: Run) -> str:
    return f"{run.seeds[0]} to {run.seeds[-1]}" if len(run.seeds) > 2 else listing([str(seed) for seed in run.seeds])
