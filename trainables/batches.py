"""Batches of one trial, cut from the arrays that all trials of a machine share.

Shapes: N photos of the whole set, B rows of this worker's part of a batch, S side in pixels, 5 points, 4 draws.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from datasets.protocols import REPORT, SELECT, TRAIN
from datasets.store import PhotoArrays
from trainables.augment import augment, draw_augmentation, flip_landmarks
from trainables.condition import Condition
from trainables.recipe import TrainConfig
from trainables.seeding import permutation
from trainables.team import Team

EVAL_ROWS = 128


@dataclass(frozen=True)
class Batch:
    """This worker's rows of one step.

    x_BCHW: pixels in [0, 1]. landmarks_BF: (B, 11). label_B: class index within the condition's classes.
    num_rows: rows of the step over all workers.
    """

    x_BCHW: Tensor
    landmarks_BF: Tensor
    label_B: Tensor
    num_rows: int


@dataclass(frozen=True)
class View:
    """The part of the photos that a condition sees. `rows_*` index the arrays; `label_of_N` is -1 where excluded.

    rows_select: the photos that the epoch is chosen on; the reported ones where the protocol sets none apart.
    rows_excluded: reported but for their class. num_dropped: reported but for having no face.
    """

    arrays: PhotoArrays
    image_NSSC: np.ndarray
    label_of_N: np.ndarray
    classes: tuple[str, ...]
    rows_train: np.ndarray
    rows_select: np.ndarray
    rows_report: np.ndarray
    rows_excluded: np.ndarray
    num_dropped: int

    @property
    def selects_on_reported(self) -> bool:
        """Whether the epoch is chosen on the very photos that are reported."""
        return self.rows_select is self.rows_report

    def counts(self, rows: np.ndarray) -> dict[str, int]:
        """Photos by class."""
        counts = np.bincount(self.label_of_N[rows], minlength=len(self.classes))
        return dict(zip(self.classes, counts.tolist(), strict=True))


def view_of(
    arrays: PhotoArrays, role_N: np.ndarray, condition: Condition, rare_class: str, *, drop_faceless: bool = False
) -> View:
    """What `condition` trains and reports on: crop or frame, with or without the rare class and faceless photos.

    role_N: (N,) int8, what each photo is to its protocol (see datasets/protocols.py).
    """
    kept = [name for name in arrays.classes if not (condition.rare_class_excluded and name == rare_class)]
    new_index = np.array([kept.index(name) if name in kept else -1 for name in arrays.classes], dtype=np.int64)
    label_of_N = new_index[arrays.label]
    usable = arrays.found | (not drop_faceless)
    included = (label_of_N >= 0) & usable
    rows_select, rows_report = (np.flatnonzero(included & (role_N == role)) for role in (SELECT, REPORT))
    return View(
        arrays=arrays,
        image_NSSC=arrays.face_u8 if condition.crop else arrays.frame_u8,
        label_of_N=label_of_N,
        classes=tuple(kept),
        rows_train=np.flatnonzero(included & (role_N == TRAIN)),
        rows_select=rows_select if (role_N == SELECT).any() else rows_report,
        rows_report=rows_report,
        rows_excluded=np.flatnonzero((label_of_N < 0) & usable & (role_N == REPORT)),
        num_dropped=int(np.sum((label_of_N >= 0) & ~usable & (role_N == REPORT))),
    )


def train_batches(view: View, cfg: TrainConfig, *, seed: int, epoch: int, team: Team) -> Iterator[Batch]:
    """One epoch, shuffled and augmented. Worker r takes rows r, r + size, ... of every batch.

    The order is drawn over all photos and then restricted, so that conditions of one seed share it.
    """
    num_photos = len(view.arrays)
    order = permutation(num_photos, seed, "order", epoch).numpy()
    rows = order[np.isin(order, view.rows_train)]
    draws = draw_augmentation(num_photos, cfg, seed=seed, epoch=epoch)
    for part in _parts(rows, cfg.batch_size):
        mine = part[team.rank :: team.size]
        yield _batch(view, mine, len(part), team.device, draws[torch.from_numpy(mine)])


def eval_batches(view: View, rows: np.ndarray, team: Team) -> Iterator[Batch]:
    """This worker's share of `rows`, in order, not augmented."""
    mine = rows[team.rank :: team.size]
    for start in range(0, len(mine), EVAL_ROWS):
        part = mine[start : start + EVAL_ROWS]
        yield _batch(view, part, len(part), team.device, None)


def _parts(rows: np.ndarray, size: int) -> list[np.ndarray]:
    """`rows` in parts of `size`; a last part of one row joins the one before it (batch norm needs two)."""
    cuts = list(range(size, len(rows), size))
    if cuts and len(rows) - cuts[-1] == 1:
        cuts.pop()
    return np.split(rows, cuts)


def _batch(view: View, rows: np.ndarray, num_rows: int, device: torch.device, draw: Tensor | None) -> Batch:
    arrays = view.arrays
    pixels = torch.from_numpy(view.image_NSSC[rows]).to(device)
    x_BCHW = pixels.permute(0, 3, 1, 2).float().div_(255.0)  # strides stay channels-last, the faster layout
    points = torch.from_numpy(arrays.landmarks[rows]).to(device)
    found = torch.from_numpy(arrays.found[rows]).float().to(device)[:, None]
    if draw is not None:
        draw = draw.to(device)
        x_BCHW, points = augment(x_BCHW, draw), flip_landmarks(points, draw)
    landmarks = torch.cat([points.flatten(1) * found, found], dim=1)
    return Batch(x_BCHW, landmarks, torch.from_numpy(view.label_of_N[rows]).to(device), num_rows)
