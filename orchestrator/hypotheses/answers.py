"""Two conditions' answers to the same photos under the same seeds, as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from orchestrator.report.results import Group
from orchestrator.statistics.scores import Answers, Metric


class PairedAnswers(NamedTuple):
    """`masked`: classes that only one condition knows, which neither may answer here and no photo here has."""

    first: Answers
    second: Answers
    seeds: tuple[int, ...]
    masked: tuple[str, ...]

    def knows(self, metric: Metric) -> bool:
        """Whether both conditions know the class of the metric, if it is of one."""
        return metric.label is None or metric.label in self.first.classes


def paired_answers(first: Group, second: Group, draw_of: Mapping[str, str]) -> PairedAnswers | None:
    """On the photos that both report under every shared seed, of classes that both know. None without a seed or photo.

    draw_of: by photo, a name that photos which are one draw share (copies, one person); others stand for themselves.
    """
    seeds = tuple(sorted(set(first.seeds) & set(second.seeds)))
    classes = tuple(name for name in first.classes if name in second.classes)
    if not seeds or not classes:
        return None
    tables = [[_table(group, seed, classes) for seed in seeds] for group in (first, second)]
    photos = reduce(pd.Index.intersection, (rows.index for of_group in tables for rows in of_group)).sort_values()
    if not len(photos):
        return None
    cluster_P = clusters(photos, draw_of)
    both = [_stack([rows.loc[photos] for rows in of_group], cluster_P, classes) for of_group in tables]
    masked = tuple(name for name in (*first.classes, *second.classes) if name not in classes)
    return PairedAnswers(both[0], both[1], seeds, masked)


def own_answers(group: Group, draw_of: Mapping[str, str]) -> Answers:
    """All that one condition reports, seed by seed, on the photos that every seed reports."""
    classes = tuple(group.classes)
    tables = [_table(group, seed, classes) for seed in group.seeds]
    photos = reduce(pd.Index.intersection, (rows.index for rows in tables)).sort_values()
    return _stack([rows.loc[photos] for rows in tables], clusters(photos, draw_of), classes)


def clusters(photos: pd.Index, draw_of: Mapping[str, str]) -> np.ndarray:
    """(P,) int from 0, equal for photos that are one draw."""
    names = [draw_of.get(photo, photo) for photo in photos]
    return np.unique(np.array(names, dtype=object), return_inverse=True)[1]


_TABLES: WeakKeyDictionary[Group, dict[tuple[int, tuple[str, ...]], pd.DataFrame]] = WeakKeyDictionary()


def _table(group: Group, seed: int, classes: tuple[str, ...]) -> pd.DataFrame:
    """By photo, the index of its class and of the answer among `classes`. A report asks for each many times."""
    known = _TABLES.setdefault(group, {})
    if (seed, classes) not in known:
        known[seed, classes] = _answered(group, seed, classes)
    return known[seed, classes]


def _answered(group: Group, seed: int, classes: Sequence[str]) -> pd.DataFrame:
    rows = group.predictions[group.seeds.index(seed)]
    rows = rows[rows["true_label"].isin(classes)]
    index_of = {name: index for index, name in enumerate(classes)}
    if set(group.classes) == set(classes):
        answer = rows["predicted_label"].map(index_of).to_numpy(int)
    else:
        columns = [group.classes.index(name) for name in classes]
        answer = np.stack(rows["logits"].to_list())[:, columns].argmax(axis=1) if len(rows) else np.empty(0, int)
    truth = rows["true_label"].map(index_of).to_numpy(int)
    return pd.DataFrame({"truth": truth, "answer": answer}, index=pd.Index(rows["photo"]))


def _stack(tables: Sequence[pd.DataFrame], cluster_P: np.ndarray, classes: tuple[str, ...]) -> Answers:
    answer_SP = np.stack([rows["answer"].to_numpy() for rows in tables])
    return Answers(tables[0]["truth"].to_numpy(), answer_SP, cluster_P, classes)
