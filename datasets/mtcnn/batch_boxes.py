"""Choosing and suppressing boxes of many photos at once, in tensors whose shapes do not depend on the data.

R rows are independent of each other: photos, or levels of photos. A row has K slots, of which some are filled.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

ROUNDS = 12
"""Of suppression. A box waits for the better ones that it overlaps; chains of more than eight were not seen."""
PAIRS_AT_ONCE = 1 << 24
"""Pairs of boxes compared at once: about a quarter of a gigabyte."""


class Slots(NamedTuple):
    """The first places of each row at which something is true."""

    place: Tensor  # (R, K) int64, rising; of a slot that is not filled, any valid place
    filled: Tensor  # (R, K) bool
    crowded: Tensor  # (R,) bool: there are more places than slots


def first_slots(chosen: Tensor, room: int) -> Slots:
    """Where (R, N) bool is true: the k-th place is the first at which k + 1 have been counted."""
    counts = chosen.cumsum(1, dtype=torch.int32)
    ranks = torch.arange(1, room + 1, dtype=torch.int32, device=chosen.device).expand(len(chosen), room).contiguous()
    place = torch.searchsorted(counts, ranks).clamp(max=chosen.shape[1] - 1)
    return Slots(place, ranks <= counts[:, -1:], counts[:, -1] > room)


def take(table: Tensor, place: Tensor) -> Tensor:
    """Rows (R, K, columns) of (R, N, columns) by (R, K) places."""
    return table.gather(1, place[:, :, None].expand(-1, -1, table.shape[2]))


def best_first(scores: Tensor, filled: Tensor) -> Tensor:
    """Places (R, K) by falling score, slots that are not filled last; of equals, the first comes first."""
    return scores.masked_fill(~filled, -1.0).argsort(dim=1, descending=True, stable=True)


def suppress(boxes: Tensor, filled: Tensor, threshold: float, *, within: bool = False) -> tuple[Tensor, Tensor]:
    """Greedy non-maximum suppression of (R, K, 4) boxes, best first: kept (R, K), and unsettled (R,), both bool.

    By intersection over union; `within`: over the smaller box, in whole pixels. A row is unsettled if `ROUNDS` were too
    few; what it keeps then means nothing.
    """
    rows_at_once = max(1, PAIRS_AT_ONCE // boxes.shape[1] ** 2)
    by_better = torch.cat([_overlaps(some, within=within) > threshold for some in boxes.split(rows_at_once)]).tril_(-1)
    return _settle(by_better, filled)


def _overlaps(boxes: Tensor, *, within: bool) -> Tensor:
    """Shared area of each two boxes, (R, K, K), in proportion to their union or the smaller one."""
    left, top, right, bottom = boxes.unbind(2)
    shared = _shared(left, right, within=within).mul_(_shared(top, bottom, within=within))
    areas = (right - left + float(within)) * (bottom - top + float(within))
    if within:
        return shared.div_(torch.minimum(areas[:, :, None], areas[:, None]))
    return shared.div_((areas[:, :, None] + areas[:, None]).sub_(shared))


def _shared(starts: Tensor, ends: Tensor, *, within: bool) -> Tensor:
    """Length, (R, K, K), that each two of (R, K) stretches share; `within`: counted in whole pixels, one more.

    In place, since reading and writing such tables is what the device spends its time on.
    """
    lengths = torch.minimum(ends[:, :, None], ends[:, None])
    lengths.sub_(torch.maximum(starts[:, :, None], starts[:, None]))
    if within:
        lengths.add_(1.0)
    return lengths.clamp_(min=0.0)


def _settle(by_better: Tensor, filled: Tensor) -> tuple[Tensor, Tensor]:
    """Kept is a box that no better kept box overlaps: that rule, again and again, until it changes nothing.

    by_better: (R, K, K) bool, whether a box overlaps one before it. The greedy choice is the rule's only fixed point,
    and each round settles at least the next box of every chain.
    """
    kept = before = filled
    for _ in range(ROUNDS):
        before, kept = kept, filled > (by_better & kept[:, None]).any(2)
    return kept, (kept != before).any(1)


def correct(boxes: Tensor, offsets: Tensor, extra: float) -> Tensor:
    """(..., 4) boxes, each edge moved by its offset times the side, which counts `extra` pixels more."""
    sides = boxes[..., 2:] - boxes[..., :2] + extra
    return boxes + offsets * torch.cat((sides, sides), -1)


def square(boxes: Tensor) -> Tensor:
    """(..., 4) boxes made square about their centres; the side is the longer one."""
    sides = boxes[..., 2:] - boxes[..., :2]
    longer = sides.amax(-1, keepdim=True)
    corners = boxes[..., :2] + sides * 0.5 - longer * 0.5
    return torch.cat((corners, corners + longer), -1)


def pixels_of(boxes: Tensor, sizes: Tensor) -> tuple[Tensor, Tensor]:
    """Whole pixels (..., 4) int64 of boxes in photos of `sizes` (..., 2), rows and columns; and whether there are any.

    Left, top, right, bottom, the last two exclusive; as in the original, the first pixel has number 1. Of a box outside
    its photo, some pixel that the photo has.
    """
    whole, ends = boxes.long(), sizes.flip(-1)
    first = whole[..., :2].clamp(min=1) - 1
    last = torch.minimum(whole[..., 2:], ends)
    is_inside = (last > first).all(-1)
    first = torch.minimum(first, ends - 1)
    return torch.cat((first, torch.maximum(last, first + 1)), -1), is_inside
