"""The shortcut check: can the class, or the split, be told from what has nothing to do with faces?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from orchestrator.audit.features import DOCS, SETS, contrast_words, feature_table
from orchestrator.audit.guessing import Guess, Halves, guess, halve
from orchestrator.report.detection import ALL_CLASSES, ALL_SPLITS
from orchestrator.statistics.paired import holm

ALPHA = 0.05
MIN_SKILL = 0.2
"""A fifth of the way from chance to always right: of two groups, a balanced accuracy of 60 %."""
MIN_PHOTOGRAPHS = 10
"""A class or split of fewer is left out of the check."""
MAX_ROWS = 4000
"""Of more photos as many are drawn, the same ones each time, as even a share of each class as there is."""
ALL_FEATURES = "all"
Row = dict[str, Any]


@dataclass(frozen=True)
class _Asked:
    """One question: the drawn photos, which group each belongs to, and how they are halved."""

    photos: pd.DataFrame
    table: pd.DataFrame
    names: list[str]
    target: np.ndarray
    halves: Halves


def shortcut_rows(photos: pd.DataFrame, group: np.ndarray, splits: Sequence[str]) -> list[Row]:
    """Rows of `audit_shortcuts`, by question, set of features and what was asked. The same photos give the same rows.

    `photos`: readable photos, columns of AuditRows.photos; `group`: their photographs. `splits`: one where there is
    nothing to tell apart.
    """
    rows = _rows_of("class", ALL_CLASSES, photos, group)
    return rows + (_rows_of("split", ALL_SPLITS, photos, group) if len(splits) > 1 else [])


def left_out(photos: pd.DataFrame, group: np.ndarray, column: str) -> list[str]:
    """Classes or splits of too few photographs to be examined."""
    counts = _one_a_photograph(photos, group, column)[column].value_counts()
    return sorted((str(name) for name, count in counts.items() if count < MIN_PHOTOGRAPHS), key=str.casefold)


def _rows_of(question: str, everything: str, photos: pd.DataFrame, group: np.ndarray) -> list[Row]:
    asked = _ask({"class": "label"}.get(question, question), photos, group)
    if asked is None:
        return []
    rows = []
    for set_name, features in SETS.items():
        tests = {(everything, ALL_FEATURES): _guess(asked, features)}
        tests |= {(everything, name): _guess(asked, (name,)) for name in features}
        if len(asked.names) > 2:
            tests |= {(name, ALL_FEATURES): _guess(asked, features, name) for name in asked.names}
        corrected = holm([test.p_value for test in tests.values()])
        for ((target, used), test), p_value in zip(tests.items(), corrected, strict=True):
            told = p_value < ALPHA and test.skill >= MIN_SKILL
            rows.append(
                {
                    "question": question,
                    "features": set_name,
                    "target": target,
                    "used": used,
                    "photos": len(asked.target),
                    "balanced_accuracy": test.balanced_accuracy,
                    "chance": test.chance,
                    "p_value": p_value,
                    "told": "yes" if told else "no",
                    "flagged": "yes" if told and set_name == "file" else "no",
                    **_responsible(asked, features, target, used, told),
                }
            )
    return rows


def _responsible(asked: _Asked, features: Sequence[str], target: str, used: str, told: bool) -> Row:
    """Which single feature tells a group best, and how it differs there; of all groups together no difference."""
    if not told:
        return {"feature": "", "contrast": ""}
    one = target if target in asked.names else asked.names[0] if len(asked.names) == 2 else None
    tried = features if used == ALL_FEATURES else (used,)
    best = max(tried, key=lambda name: _guess(asked, (name,), one).balanced_accuracy)
    if one is None:
        return {"feature": DOCS[best].name, "contrast": ""}
    inside = asked.target == asked.names.index(one)
    words = contrast_words(best, asked.photos, asked.table, inside)
    return {"feature": DOCS[best].name, "contrast": words if target == one else f"“{one}”: {words}"}


def _guess(asked: _Asked, features: Sequence[str], name: str | None = None) -> Guess:
    target = asked.target if name is None else (asked.target == asked.names.index(name)).astype(np.int64)
    return guess(asked.table[list(features)].to_numpy(), target, asked.halves)


def _ask(column: str, photos: pd.DataFrame, group: np.ndarray) -> _Asked | None:
    """None where fewer than two groups have enough photographs."""
    rows = _one_a_photograph(photos, group, column)
    counts = rows[column].value_counts()
    enough = (str(name) for name, count in counts.items() if count >= MIN_PHOTOGRAPHS)
    names = sorted(enough, key=lambda name: (name.casefold(), name))
    if len(names) < 2:
        return None
    rows = _drawn(rows[rows[column].isin(names)], column)
    target = rows[column].map({name: place for place, name in enumerate(names)}).to_numpy(np.int64)
    rows = rows.reset_index(drop=True)
    return _Asked(rows, feature_table(rows), names, target, halve(target, rows["photograph"].to_numpy()))


def _one_a_photograph(photos: pd.DataFrame, group: np.ndarray, column: str) -> pd.DataFrame:
    """One photo of each photograph and class (or split): copies would count one accident several times."""
    return photos.assign(photograph=group).drop_duplicates(["photograph", column])


def _drawn(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    if len(rows) <= MAX_ROWS:
        return rows
    places = np.random.default_rng(0).permutation(len(rows))
    rank = rows.iloc[places].groupby(column).cumcount()  # the first of each group in turn, until there are enough
    return rows.loc[rank.sort_values(kind="stable").index[:MAX_ROWS]].sort_index()
