"""Which photo plays which role in a trial."""

from __future__ import annotations

import numpy as np

from datasets.errors import UserError
from datasets.folds import Groups, choose_select, deal_folds, gather, lacks_class, orders
from datasets.left_out import STAYS, independent_groups, left_out
from datasets.photo_table import PROTOCOLS, REPORT, SELECT, TRAIN, UNUSED, PhotoTable


def assign_roles(
    photos: PhotoTable, protocol: str, *, seed: int, fold: int = 0, num_folds: int = 5, select_frac: float = 0.2
) -> np.ndarray:
    """(N,) int8: the role of each photo, whatever the order of the photos. docs/protocols.md has the rules.

    `paper` uses none of the settings, `clean` the seed and `select_frac` (where the source has no val split),
    `grouped_kfold` all. Every class has photos in each role where `check_protocol` passes.

    Raises UserError for a setting out of range.
    """
    check_settings(protocol, fold=fold, num_folds=num_folds, select_frac=select_frac)
    roles = np.full(len(photos), UNUSED, np.int8)
    order, table = photos.sorted()
    if protocol == "paper":
        roles[order] = _by_split(table, select=UNUSED)
    elif protocol == "clean":
        roles[order] = _clean(table, seed, select_frac)
    else:
        roles[order] = _grouped_kfold(table, seed, fold, num_folds, select_frac)
    return roles


def check_settings(protocol: str, *, fold: int, num_folds: int, select_frac: float) -> None:
    """Raise UserError for a setting out of range."""
    if protocol not in PROTOCOLS:
        raise UserError(f"`protocol` {protocol!r} is not one of {', '.join(PROTOCOLS)}.")
    if protocol == "paper":
        return
    if not 0 < select_frac < 1:
        raise UserError(f"`select_frac` {select_frac} is not between 0 and 1. Take a share such as 0.2.")
    if protocol == "grouped_kfold":
        if num_folds < 2:
            raise UserError(f"`num_folds` {num_folds} is less than 2: one fold is reported on. Raise --folds.")
        if not 0 <= fold < num_folds:
            raise UserError(f"`fold` {fold} is not between 0 and {num_folds - 1}; `num_folds` is {num_folds}.")


def groups_to_deal(photos: PhotoTable, protocol: str) -> tuple[np.ndarray, np.ndarray, Groups]:
    """What the seed deals out, of photos in the order of their paths: their rows, the group of each, and the groups.

    `clean`: what stays in train. `grouped_kfold`: all that stays.
    """
    stays = left_out(photos, protocol) == STAYS
    rows = np.flatnonzero(stays & (photos.split == "train") if protocol == "clean" else stays)
    group = independent_groups(photos)[rows]
    index, groups = gather(group, photos.path[rows], photos.label[rows], len(photos.classes))
    return rows, index, groups


def choose_select_of(groups: Groups, select_frac: float, seed: int | None) -> tuple[np.ndarray, int | None]:
    """(G,) bool, the SELECT groups; and a class that one side lacks, None where neither does."""
    first: tuple[np.ndarray, int | None] | None = None
    for key in orders(seed):
        select = choose_select(groups, select_frac, f"{key}/select")
        lacking = lacks_class(groups, select.astype(np.int64), 2)
        first = first or (select, lacking)
        if lacking is None:
            return select, None
        if not groups.mixed:
            break  # another order would leave out as much
    assert first is not None
    return first


def plan_folds(
    groups: Groups, num_folds: int, select_frac: float, seed: int | None
) -> tuple[np.ndarray, str, int | None]:
    """(G,) int64, the fold of each group; the draw it comes from; and a class that some part lacks, or None."""
    first: tuple[np.ndarray, str, int | None] | None = None
    for key in orders(seed):
        fold_of = deal_folds(groups, num_folds, f"{key}/folds")
        lacking = _lacking_in_plan(groups, fold_of, num_folds, select_frac, key)
        first = first or (fold_of, key, lacking)
        if lacking is None:
            return fold_of, key, None
        if not groups.mixed:
            break
    assert first is not None
    return first


def _lacking_in_plan(groups: Groups, fold_of: np.ndarray, num_folds: int, select_frac: float, key: str) -> int | None:
    lacking = lacks_class(groups, fold_of, num_folds)
    for fold in range(num_folds if groups.mixed else 0):  # groups of one class each are parted wherever there are two
        if lacking is None:
            rest = groups.take(fold_of != fold)
            lacking = lacks_class(rest, select_outside(rest, select_frac, key, fold).astype(np.int64), 2)
    return lacking


def select_outside(rest: Groups, select_frac: float, key: str, fold: int) -> np.ndarray:
    """(R,) bool: the SELECT groups among those outside `fold`."""
    return choose_select(rest, select_frac, f"{key}/select/{fold}")


def _by_split(photos: PhotoTable, *, select: int) -> np.ndarray:
    roles = np.full(len(photos), UNUSED, np.int8)
    for split, role in (("train", TRAIN), ("val", select), ("test", REPORT)):
        roles[photos.split == split] = role
    return roles


def _clean(photos: PhotoTable, seed: int, select_frac: float) -> np.ndarray:
    roles = _by_split(photos, select=SELECT)
    roles[left_out(photos, "clean") != STAYS] = UNUSED
    if not (photos.split == "val").any():
        rows, group, groups = groups_to_deal(photos, "clean")
        select, _ = choose_select_of(groups, select_frac, seed)
        roles[rows[select[group]]] = SELECT
    return roles


def _grouped_kfold(photos: PhotoTable, seed: int, fold: int, num_folds: int, select_frac: float) -> np.ndarray:
    roles = np.full(len(photos), UNUSED, np.int8)
    rows, group, groups = groups_to_deal(photos, "grouped_kfold")
    fold_of, key, _ = plan_folds(groups, num_folds, select_frac, seed)
    role = np.where(fold_of == fold, REPORT, TRAIN)
    outside = np.flatnonzero(fold_of != fold)
    role[outside[select_outside(groups.take(outside), select_frac, key, fold)]] = SELECT
    roles[rows] = role[group]
    return roles
