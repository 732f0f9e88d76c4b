"""Whether the photos of a source suit a protocol, said before anything is trained."""

from __future__ import annotations

import numpy as np

from datasets.errors import UserError
from datasets.folds import Groups
from datasets.left_out import RULES, STAYS, left_out
from datasets.photo_table import PhotoTable
from datasets.roles import check_settings, choose_select_of, groups_to_deal, plan_folds

_WHY = {"conflict": "in conflict", "leak": "copies of reported photos", "subject": "people of reported photos"}


def check_protocol(photos: PhotoTable, protocol: str, *, num_folds: int, select_frac: float, source_name: str) -> None:
    """Raise UserError where some class would have no photo in some role, for whatever seed and fold."""
    check_settings(protocol, fold=0, num_folds=num_folds, select_frac=select_frac)
    _, table = photos.sorted()
    where = f"`--data {source_name}`, protocol `{protocol}`"
    if protocol == "grouped_kfold":
        _check_folds(table, num_folds, select_frac, where)
        return
    _check_splits(table, protocol, where)
    if protocol == "clean" and not (table.split == "val").any():
        _check_select(table, select_frac, where)


def _check_splits(photos: PhotoTable, protocol: str, where: str) -> None:
    rule = left_out(photos, protocol)
    has_val = protocol == "clean" and bool((photos.split == "val").any())
    for split in ("train", "val", "test") if has_val else ("train", "test"):
        in_split = photos.split == split
        for index, label in enumerate(photos.classes):
            of_class = in_split & (photos.label == index)
            if (of_class & (rule == STAYS)).any():
                continue
            raise UserError(
                f"{where}: class `{label}` has no photo left in the {split} split{_why(rule[of_class])}; each side "
                f"needs one of every class. Settle conflicts in label_patch.csv, remove the class, or leave out "
                f"`{protocol}`."
            )


def _why(rule: np.ndarray) -> str:
    """Such as ` (of 3: 2 in conflict, 1 copies of reported photos)`; nothing where there was none to begin with."""
    counts = [(_WHY.get(name, name), int((rule == code).sum())) for code, name in RULES.items()]
    told = ", ".join(f"{count} {why}" for why, count in counts if count)
    return f" (of {len(rule)}: {told})" if told else ""


def _check_select(photos: PhotoTable, select_frac: float, where: str) -> None:
    _, _, groups = groups_to_deal(photos, "clean")
    index = _too_few(groups, 2)
    if index is not None:
        raise UserError(
            f"{where}: class `{photos.classes[index]}` has {_independent(groups, index)} left in the train split; "
            "it needs at least 2, one to train on and one to choose the epoch on. Add photos, give a val split, "
            "remove the class, or leave out `clean`."
        )
    _, lacking = choose_select_of(groups, select_frac, None)
    if lacking is not None:
        raise UserError(
            f"{where}: no way was found to part the subjects so that class `{photos.classes[lacking]}` has photos both "
            "to train on and to choose the epoch on. Give a val split, remove the class, or leave out `clean`."
        )


def _check_folds(photos: PhotoTable, num_folds: int, select_frac: float, where: str) -> None:
    _, _, groups = groups_to_deal(photos, "grouped_kfold")
    needed = max(num_folds, 4 if num_folds == 2 else 0)
    index = _too_few(groups, needed)
    if index is not None:
        why = "one a fold" if num_folds > 2 else "two a fold, to train on one and choose the epoch on the other"
        way_out = "Lower --folds, remove the class," if num_folds > 2 else "Add photos, remove the class,"
        raise UserError(
            f"{where}: class `{photos.classes[index]}` has {_independent(groups, index)} left; `num_folds` {num_folds} "
            f"needs at least {needed}, {why}. {way_out} or leave out `grouped_kfold`."
        )
    _, _, lacking = plan_folds(groups, num_folds, select_frac, None)
    if lacking is not None:
        raise UserError(
            f"{where}: no way was found to part the subjects so that class `{photos.classes[lacking]}` has photos in "
            f"each of `num_folds` {num_folds} folds and, outside it, both to train on and to choose the epoch on. "
            "Lower --folds, remove the class, or leave out `grouped_kfold`."
        )


def _too_few(groups: Groups, needed: int) -> int | None:
    """The class with the fewest groups, if they are fewer than needed."""
    num = (groups.counts > 0).sum(axis=0)
    return int(num.argmin()) if len(num) and num.min() < needed else None


def _independent(groups: Groups, index: int) -> str:
    """Such as `3 photographs`, or `12 photographs of 3 independent subjects`."""
    num_groups, num_photos = int((groups.counts[:, index] > 0).sum()), int(groups.counts[:, index].sum())
    photographs = f"{num_photos} photograph{'s' if num_photos != 1 else ''}"
    if num_groups == num_photos:
        return photographs
    return f"{photographs} of {num_groups} independent subject{'s' if num_groups != 1 else ''}"
