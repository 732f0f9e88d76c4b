"""Writes the shards of a set that are not there yet, whoever computes the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa

from datasets.assembly import assemble, check_bytes
from datasets.cropper import CropConfig
from datasets.folder import Folder
from datasets.reuse import COMPUTED, LostShardError, RowPlan, plan_rows, shard_key
from datasets.shards import MANIFEST, SCHEMA, open_shard, read_manifest, shard_name, write_settings, write_shard
from datasets.sources import Photo

Compute = Callable[[Sequence[Photo]], Generator[pa.Table, None, None]]
"""Rows of SCHEMA for these photos, in order, in tables of any size; a generator, closed when no more is wanted."""


class CropNews(Protocol):
    """Who wants to know how the cropping fares."""

    def to_crop(self, num_photos: int) -> None:
        """So many photos are to be cropped now; the others are copied, or there. Said again where a plan changes."""

    def progress(self, done: int, total: int) -> None:
        """So many rows are there, of so many that there will be."""

    def say(self, text: str) -> None:
        """A line of news: what is reused, what is waited for."""


class NoNews:
    """Nobody wants to know."""

    def to_crop(self, num_photos: int) -> None:
        """Say nothing."""

    def progress(self, done: int, total: int) -> None:
        """Say nothing."""

    def say(self, text: str) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class CropSet:
    """A set to be made: `photos` cropped by `cfg` into `folder`, `shard_rows` rows a shard.

    hashes: SHA-256 of each photo's file, empty for one that could not be read; None where nothing is known, and so
    nothing is checked and nothing reused.
    """

    photos: Sequence[Photo]
    hashes: Sequence[str] | None
    cfg: CropConfig
    folder: Folder
    shard_rows: int

    @property
    def num_shards(self) -> int:
        """How many there will be."""
        return -(-len(self.photos) // self.shard_rows)

    def rows_of(self, index: int) -> slice:
        """The rows of that shard."""
        return slice(index * self.shard_rows, min((index + 1) * self.shard_rows, len(self.photos)))


def write_shards(crops: CropSet, compute: Compute, news: CropNews) -> Counter[str]:
    """Write every shard that is not there; how many rows of the whole set have which status.

    Raises PhotoChangedError where a file's bytes are not the expected ones, and whatever `compute` raises. Shards that
    are written stay.
    """
    write_settings(crops.folder, crops.cfg)
    lost: set[str] = set()
    while True:
        try:
            return _write_missing(crops, compute, news, lost)
        except LostShardError as error:  # plan again without it, from the shards that are written by now
            if error.folder.base == crops.folder.base:
                crops.folder.delete(error.name)
            lost.add(shard_key(error.folder, error.name))


def drop_damaged(folder: Folder) -> list[str]:
    """Delete what cannot be read of a finished set, and its claim to be finished; the names of those shards.

    The next call makes them and those after them again. Reads every page of the set.
    """
    manifest = read_manifest(folder)
    damaged = [name for name in manifest.shards if not _is_whole(folder, name)] if manifest is not None else []
    if damaged:
        folder.delete(MANIFEST)
    for name in damaged:
        if folder.exists(name):
            folder.delete(name)
    return damaged


def _is_whole(folder: Folder, name: str) -> bool:
    try:
        with open_shard(folder, name) as shard:
            for group in range(shard.num_row_groups):
                shard.read_row_group(group)
    except (OSError, pa.ArrowException):
        return False
    return True


def _write_missing(crops: CropSet, compute: Compute, news: CropNews, lost: set[str]) -> Counter[str]:
    statuses, first = _finished(crops)
    plan = _plan(crops, first * crops.shard_rows, lost)
    left = [crops.photos[row + first * crops.shard_rows] for row in np.flatnonzero(plan.shard == COMPUTED).tolist()]
    news.to_crop(len(left))
    _tell(news, crops, plan, num_left=len(left))
    count = _Count(news, first * crops.shard_rows, len(crops.photos))
    with closing(compute(left) if left else _nothing()) as tables:
        computed = _counted(tables, count)
        shards = assemble(crops.photos, plan, computed, crops.folder, shard_rows=crops.shard_rows, first_shard=first)
        for index, table in shards:
            if crops.hashes is not None:
                check_bytes(table, crops.hashes[crops.rows_of(index)])
            write_shard(crops.folder, index, table)
            statuses.update(table.column("status").to_pylist())
            count.at_least(crops.rows_of(index).stop)
    return statuses


def _finished(crops: CropSet) -> tuple[Counter[str], int]:
    """Statuses of the rows in the finished shards, and how many shards, from the first, are finished."""
    statuses: Counter[str] = Counter()
    for index in range(crops.num_shards):
        rows = crops.rows_of(index)
        held = _statuses_in(crops.folder, shard_name(index))
        if held is None or len(held) != rows.stop - rows.start:
            return statuses, index
        statuses.update(held)
    return statuses, crops.num_shards


def _statuses_in(folder: Folder, name: str) -> list[str] | None:
    """None where there is no such shard, or a damaged one, which is made again."""
    if not folder.exists(name):
        return None
    try:
        with open_shard(folder, name) as shard:
            same = shard.schema_arrow.equals(SCHEMA, check_metadata=False)
            return shard.read(["status"]).column("status").to_pylist() if same else None
    except (OSError, pa.ArrowException):
        return None


def _plan(crops: CropSet, start: int, lost: set[str]) -> RowPlan:
    if crops.hashes is not None:
        return plan_rows(crops.hashes, crops.folder, crops.cfg, start=start, lost=lost)
    num_rows = max(0, len(crops.photos) - start)
    return RowPlan(np.full(num_rows, COMPUTED, np.int32), np.zeros(num_rows, np.int64), [])


def _tell(news: CropNews, crops: CropSet, plan: RowPlan, *, num_left: int) -> None:
    before = len(crops.photos) - plan.num_repeated - num_left  # in shards of this set and of others
    if num_left < len(crops.photos):
        twice = f"{plan.num_repeated} there twice, " if plan.num_repeated else ""
        news.say(f"{len(crops.photos)} photos: {before} cropped before, {twice}{num_left} left to crop.")


class _Count:
    """Rows that are there: those of finished shards, and those computed for the next ones."""

    def __init__(self, news: CropNews, done: int, total: int) -> None:
        self._news, self._done, self._total = news, done, total

    def add(self, num_rows: int) -> None:
        self.at_least(self._done + num_rows)

    def at_least(self, done: int) -> None:
        if done > self._done:
            self._done = done
            self._news.progress(self._done, self._total)


def _counted(tables: Iterator[pa.Table], count: _Count) -> Iterator[pa.Table]:
    for table in tables:
        count.add(len(table))
        yield table


def _nothing() -> Generator[pa.Table, None, None]:
    yield from ()
