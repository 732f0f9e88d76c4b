"""Which photo is trained on and which is reported on."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from datasets.errors import UserError
from datasets.sources import Photo, Source, SourceConfig


def split_source(source: Source, cfg: SourceConfig, *, strict: bool = True) -> tuple[Photo, ...]:
    """The photos with every split set to train, val or test.

    A split that the source gives is kept (a source with train and val alone reports on val). Otherwise one stratified
    fold becomes test. The result depends on the set of photos and the seed, not on the order of files.

    Raises UserError where a class is missing on one side, or has too few photos. Without `strict`, for photos that are
    looked at and not trained on, neither matters, and photos that cannot be split are all train.
    """
    _check_classes(source)
    given = {photo.split for photo in source.photos}
    if given == {None}:
        photos = _drawn(source.photos, cfg, strict=strict)
    elif None in given:
        path = next(photo.path for photo in source.photos if photo.split is None)
        raise UserError(f"`{path}` of `--data {source.name}` has no split while others have one. Give all or none.")
    else:
        photos = _with_reported_set(source.photos)
    if strict:
        check_sides(photos, source.name)
    return photos


def _drawn(photos: Sequence[Photo], cfg: SourceConfig, *, strict: bool) -> tuple[Photo, ...]:
    try:
        return _stratified(photos, cfg)
    except UserError:
        if strict:
            raise
        return tuple(replace(photo, split="train") for photo in sorted(photos, key=lambda photo: photo.path))


def _check_classes(source: Source) -> None:
    if len(source.classes) < 2:
        raise UserError(
            f"`--data {source.name}` has one class only, {list(source.classes)}; a study needs at least two. "
            "Give the folder above the class folders."
        )
    spellings: dict[str, str] = {}
    for name in source.classes:
        other = spellings.setdefault(name.casefold(), name)
        if other != name:
            raise UserError(
                f"`--data {source.name}`: classes `{other}` and `{name}` differ in letter case only. Rename one."
            )


def _with_reported_set(photos: Sequence[Photo]) -> tuple[Photo, ...]:
    if any(photo.split == "test" for photo in photos):
        return tuple(photos)
    return tuple(replace(photo, split="test" if photo.split == "val" else photo.split) for photo in photos)


def _stratified(photos: Sequence[Photo], cfg: SourceConfig) -> tuple[Photo, ...]:
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold  # few sources need it, and it is slow

    rows = sorted(photos, key=lambda photo: photo.path)
    num_folds = max(2, round(1 / cfg.test_frac))
    label, count = min(Counter(photo.label for photo in rows).items(), key=lambda item: (item[1], item[0]))
    if count < num_folds:
        raise UserError(
            f"Class `{label}` has {count} photos; `test_frac` {cfg.test_frac} needs at least {num_folds} of each. "
            "Add photos, remove the class folder, or raise --test-frac."
        )
    labels = [photo.label for photo in rows]
    if any(photo.subject for photo in rows):
        groups = [photo.subject or photo.path for photo in rows]
        if len(set(groups)) < num_folds:
            raise UserError(
                f"`test_frac` {cfg.test_frac} needs at least {num_folds} subjects, to keep each on one side; "
                f"there are {len(set(groups))}. Give a split in the manifest, or raise --test-frac."
            )
        folds = StratifiedGroupKFold(num_folds, shuffle=True, random_state=cfg.split_seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # few subjects a class: check_sides says it in our words
            _, test = next(folds.split(np.zeros(len(rows)), labels, groups))
    else:
        _, test = next(StratifiedKFold(num_folds, shuffle=True, random_state=cfg.split_seed).split(rows, labels))
    held_out = set(test.tolist())
    return tuple(replace(row, split="test" if index in held_out else "train") for index, row in enumerate(rows))


def check_sides(photos: Sequence[Photo], name: str) -> None:
    """Raise UserError if a class of `photos` is missing in train or in test."""
    classes = {photo.label for photo in photos}
    for split in ("train", "test"):
        lacking = sorted(classes - {photo.label for photo in photos if photo.split == split})
        if lacking:
            raise UserError(
                f"`--data {name}`: class `{lacking[0]}` has no photo in the {split} split; each side needs one of "
                "every class. Move some there, or remove the class."
            )
