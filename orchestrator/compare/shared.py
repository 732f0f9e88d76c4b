"""Which photos, classes and draws two runs have in common. A run folder holds no photo and no hash of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from itertools import chain

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from orchestrator.compare.runs import Run
from orchestrator.detection.photos import BOX
from orchestrator.report.results import Group

NEAR_PX = 2.0
"""A box found on a GPU and one found on a CPU differ by less."""
_SEARCH = ("min_face_size", "face_search", "face_choice", "try_rotations", "rotation_threshold")


def same_photos(first: Run, second: Run) -> frozenset[str] | None:
    """Paths under which both runs have the same photo; None where all equal paths are to be taken for equal photos.

    The same: of one size in pixels and, where both searched faces in the same way, with a face at the same place.
    """
    if first.photos is None or second.photos is None:
        return None
    if first.plan["crop_fingerprint"] == second.plan["crop_fingerprint"]:
        return frozenset(first.photos["path"])
    both = first.photos.merge(second.photos, on="path", suffixes=("_a", "_b"))
    alike = _equal(both, ("width", "height"), 0.0)
    if all(first.study["CropConfig"].get(name) == second.study["CropConfig"].get(name) for name in _SEARCH):
        alike &= _equal(both, BOX, NEAR_PX)
    return frozenset(both["path"][alike])


def common_classes(first: Group, second: Group) -> list[tuple[str, str]]:
    """The classes that both know, as each spells them (letter case aside), in the order of the first."""
    theirs = {name.casefold(): name for name in second.classes}
    return [(name, theirs[name.casefold()]) for name in first.classes if name.casefold() in theirs]


def reported(groups: Sequence[Group]) -> dict[str, str]:
    """The class, in lower case, of every photo that any of the groups reports, by path."""
    rows = pd.concat([rows[["photo", "true_label"]] for group in groups for rows in group.predictions])
    return dict(zip(rows["photo"], rows["true_label"].str.casefold(), strict=True))


def common_photos(first: Group, second: Group, same: AbstractSet[str] | None) -> set[str]:
    """Photos that both report with the same class."""
    mine, theirs = reported([first]), reported([second])
    return {path for path in mine if mine[path] == theirs.get(path) and (same is None or path in same)}


def on_common(group: Group, names: Mapping[str, str], photos: AbstractSet[str] | None = None) -> Group:
    """The group on photos of the classes of `names` alone, and of `photos` if given; other outputs are masked.

    names: from the group's own spelling to the one in which classes are compared, in order.
    """
    columns = [group.classes.index(name) for name in names]
    predictions = tuple(_kept(rows, names, columns, photos) for rows in group.predictions)
    records = tuple(record | {"classes": list(names.values())} for record in group.records)
    return replace(group, records=records, predictions=predictions)


def on_seeds(group: Group, seeds: AbstractSet[int]) -> Group:
    """The group under those seeds alone."""
    places = [place for place, seed in enumerate(group.seeds) if seed in seeds]
    return replace(
        group,
        records=tuple(group.records[place] for place in places),
        predictions=tuple(group.predictions[place] for place in places),
    )


def joined_draws(first: Mapping[str, str], second: Mapping[str, str]) -> dict[str, str]:
    """Photos that are one draw in either run, directly or by way of others, named by the first of them."""
    if first == second:
        return dict(first)
    links = [*first.items(), *second.items()]
    photos = sorted(set(chain.from_iterable(links)))
    place = {photo: index for index, photo in enumerate(photos)}
    rows, columns = zip(*((place[photo], place[name]) for photo, name in links), strict=True)
    graph = coo_array((np.ones(len(links)), (rows, columns)), shape=(len(photos), len(photos)))
    _, component = connected_components(graph, directed=False)
    _, head = np.unique(component, return_index=True)
    return {photo: photos[head[component[index]]] for index, photo in enumerate(photos)}


def _kept(
    rows: pd.DataFrame, names: Mapping[str, str], columns: Sequence[int], photos: AbstractSet[str] | None
) -> pd.DataFrame:
    kept = rows[rows["true_label"].isin(list(names))]
    kept = kept if photos is None else kept[kept["photo"].isin(photos)]
    logits = np.stack(kept["logits"].to_list())[:, columns] if len(kept) else np.empty((0, len(columns)))
    answer = np.array(list(names.values()), dtype=object)[logits.argmax(axis=1)]
    return kept.assign(true_label=kept["true_label"].map(dict(names)), predicted_label=answer, logits=list(logits))


def _equal(both: pd.DataFrame, names: Sequence[str], within: float) -> pd.Series:
    """(N,) bool: whether the columns of both sides agree, unknown ones with unknown ones."""
    a, b = (both[[f"{name}_{side}" for name in names]].to_numpy(float, na_value=np.nan) for side in "ab")
    return pd.Series(np.isclose(a, b, rtol=0, atol=within, equal_nan=True).all(axis=1), index=both.index)
