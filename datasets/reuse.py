"""Which rows of a new set stand in shards already, found by the bytes of the photos' files."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from datasets.cropper import CropConfig
from datasets.folder import Folder
from datasets.photo import NO_FACE, OK, TOO_LARGE, UNREADABLE
from datasets.shards import SCHEMA, made_alike, open_shard

COMPUTED, OWN = -1, -2
"""In place of a shard's number: the row is to be computed; the row equals an earlier one of the set itself."""
OPEN_SHARDS = 8
LASTING = frozenset({OK, NO_FACE, UNREADABLE, TOO_LARGE})
"""Statuses that follow from a file's bytes and the settings: any other is not reused."""


@dataclass(frozen=True)
class RowPlan:
    """Where each row of a set comes from. N rows; under 200 bytes each while the plan is made, 12 afterwards.

    shard: (N,) int32, index into `shards`, or COMPUTED, or OWN. row: (N,) int64, the row in that shard; for OWN, the
    row in the set itself, which is an earlier one.
    """

    shard: np.ndarray
    row: np.ndarray
    shards: list[tuple[Folder, str]]

    @property
    def num_reused(self) -> int:
        """Rows that other sets hold."""
        return int((self.shard >= 0).sum())

    @property
    def num_repeated(self) -> int:
        """Rows that equal an earlier one of the set."""
        return int((self.shard == OWN).sum())


class LostShardError(Exception):
    """A shard of another set that was to be reused has gone, or is damaged."""

    def __init__(self, folder: Folder, name: str) -> None:
        super().__init__(folder, name)
        self.folder, self.name = folder, name


def plan_rows(
    hashes: Sequence[str], folder: Folder, cfg: CropConfig, *, start: int = 0, lost: Container[str] = ()
) -> RowPlan:
    """Find the rows `start` onwards of a set in `folder` among the other sets beside it that are made by `cfg`.

    `hashes`: SHA-256 of each file's bytes, in hex, one a photo; a photo without one is computed, since what failed once
    may not fail again. The rows before `start` stand in the set already. `lost`: names of shards that are not to be
    used, as in `shard_key`. Sets that are damaged, or not made alike, are passed over.
    """
    digests = np.array([bytes.fromhex(sha256) for sha256 in hashes], dtype="S32")
    unique, first, inverse = np.unique(digests, return_index=True, return_inverse=True)
    found_shard, found_row = np.full(len(unique), COMPUTED, np.int32), np.zeros(len(unique), np.int64)
    wanted = np.zeros(len(unique), bool)
    wanted[inverse[start:]] = True
    wanted &= (unique != b"") & (first >= start)
    shards: list[tuple[Folder, str]] = []
    for donor, name in _shards_beside(folder, cfg):
        if not wanted.any():
            break
        held = None if shard_key(donor, name) in lost else _hashes_in(donor, name)
        if held is None or not len(held):
            continue
        place = np.minimum(np.searchsorted(unique, held), len(unique) - 1)
        rows = np.flatnonzero((unique[place] == held) & wanted[place])
        found_shard[place[rows]], found_row[place[rows]] = len(shards), rows
        wanted[place[rows]] = False
        shards.append((donor, name))
    shard, row = found_shard[inverse], found_row[inverse]
    repeats = (shard == COMPUTED) & (digests != b"") & (first[inverse] < np.arange(len(digests)))
    shard[repeats], row[repeats] = OWN, first[inverse][repeats]
    return RowPlan(shard[start:], row[start:], shards)


def shard_key(folder: Folder, name: str) -> str:
    """How a shard of some set is called in `plan_rows`."""
    return folder.path(name)


def _shards_beside(folder: Folder, cfg: CropConfig) -> Iterator[tuple[Folder, str]]:
    parent, _, own = folder.base.rpartition("/")
    root = Folder(folder.filesystem, parent, "")
    for name in _listed(root.folders) if parent else ():
        donor = root / name
        if name != own and made_alike(donor, cfg):
            yield from ((donor, shard) for shard in _listed(partial(donor.names, ".parquet")))


def _listed(names: Callable[[], list[str]]) -> list[str]:
    try:
        return names()
    except OSError:  # not for us to read
        return []


def _hashes_in(folder: Folder, name: str) -> np.ndarray | None:
    """The hashes of a shard's files as (N,) of 32 bytes, or None for a file that is no shard of ours.

    Empty for a row whose status another try might change, such as one that a lack of memory left without a face.
    """
    try:
        with open_shard(folder, name) as shard:
            if not shard.schema_arrow.equals(SCHEMA, check_metadata=False):
                return None
            rows = shard.read(["file_sha256", "status"]).to_pydict()
        pairs = zip(rows["file_sha256"], rows["status"], strict=True)
        return np.array([bytes.fromhex(sha256) if status in LASTING else b"" for sha256, status in pairs], dtype="S32")
    except (OSError, pa.ArrowException, ValueError, TypeError):
        return None


class ShardRows:
    """Reads single rows of many shards. A few shards stay open, and one row group at a time is in memory."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, pq.ParquetFile] = OrderedDict()

    def read(self, place: tuple[Folder, str], rows: np.ndarray) -> pa.Table:
        """The rows at these positions of a shard, in their order. Raises LostShardError where they cannot be read."""
        try:
            shard = self._shard(*place)
            sizes = [shard.metadata.row_group(index).num_rows for index in range(shard.num_row_groups)]
            starts = np.concatenate([[0], np.cumsum(sizes)])
            order = np.argsort(rows, kind="stable")
            group = np.searchsorted(starts, rows[order], side="right") - 1
            parts = [
                shard.read_row_group(int(index)).take(rows[order][group == index] - starts[index])
                for index in np.unique(group)
            ]
        except (OSError, pa.ArrowException, IndexError) as error:
            raise LostShardError(*place) from error
        return pa.concat_tables(parts).take(np.argsort(order, kind="stable"))

    def _shard(self, folder: Folder, name: str) -> pq.ParquetFile:
        key = folder.path(name)
        if key not in self._open:
            self._open[key] = open_shard(folder, name)
            if len(self._open) > OPEN_SHARDS:
                self._open.popitem(last=False)[1].close()
        self._open.move_to_end(key)
        return self._open[key]

    def close(self) -> None:
        """Close what is open."""
        while self._open:
            self._open.popitem()[1].close()
