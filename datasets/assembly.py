"""Puts the shards of a set together from rows that are computed now and rows that stand in shards already."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from datasets.folder import Folder
from datasets.reuse import COMPUTED, OWN, RowPlan, ShardRows
from datasets.shards import PHOTO_COLUMNS, SCHEMA, shard_name
from datasets.sources import Photo


class PhotoChangedError(OSError):
    """A photo's bytes are not those that were hashed."""


def assemble(
    photos: Sequence[Photo],
    plan: RowPlan,
    computed: Iterator[pa.Table],
    folder: Folder,
    *,
    shard_rows: int,
    first_shard: int = 0,
) -> Iterator[tuple[int, pa.Table]]:
    """The shards from `first_shard` onwards as (index, table of SCHEMA); write each before asking for the next.

    A shard does not show which of its rows were computed: its file is the same. `photos`: the whole set. `plan`: of its
    rows from `first_shard` onwards. `computed`: the rows that the plan leaves to be computed, in order, in tables of
    any size. Raises LostShardError where a row that was found before cannot be read now.
    """
    stream, reader = _RowStream(computed), ShardRows()
    start = first_shard * shard_rows
    try:
        for low in range(start, len(photos), shard_rows):
            part = slice(low - start, low - start + shard_rows)
            pieces = _Pieces(stream, reader, folder, low, shard_rows)
            rows = pieces.joined(plan.shard[part], plan.row[part], plan.shards)
            yield low // shard_rows, _of_photos(rows, photos[low : low + shard_rows])
    finally:
        reader.close()


def check_bytes(table: pa.Table, expected_sha256: Sequence[str]) -> None:
    """Raise PhotoChangedError unless the rows' files have these hashes, so that no set is named by other bytes than it
    was made of. An empty hash: the file could not be read.
    """
    found = zip(table.column("path").to_pylist(), table.column("file_sha256").to_pylist(), strict=True)
    for (path, sha256), expected in zip(found, expected_sha256, strict=True):
        if sha256 != expected:
            raise PhotoChangedError(
                f"`{path}` could not be read as before: it changed, or its storage failed for a moment. Run again."
            )


class _Pieces:
    """The rows of one shard, which begins at row `low` of the set."""

    def __init__(self, stream: _RowStream, reader: ShardRows, folder: Folder, low: int, shard_rows: int) -> None:
        self._stream, self._reader, self._folder = stream, reader, folder
        self._low, self._shard_rows = low, shard_rows

    def joined(self, shard: np.ndarray, row: np.ndarray, shards: list[tuple[Folder, str]]) -> pa.Table:
        """One table in the order of the plan."""
        computed = np.flatnonzero(shard == COMPUTED)
        tables, places = [self._stream.take(len(computed))], [computed]
        for number in np.unique(shard[shard >= 0]):
            here = np.flatnonzero(shard == number)
            tables.append(self._reader.read(shards[number], row[here]))
            places.append(here)
        earlier = np.flatnonzero((shard == OWN) & (row < self._low))
        for index in np.unique(row[earlier] // self._shard_rows):
            here = earlier[row[earlier] // self._shard_rows == index]
            name = shard_name(int(index))
            tables.append(self._reader.read((self._folder, name), row[here] - index * self._shard_rows))
            places.append(here)
        # A photo that stands twice in this shard is one row of the pieces, taken twice.
        source = np.arange(len(shard))
        inside = np.flatnonzero((shard == OWN) & (row >= self._low))
        source[inside] = row[inside] - self._low
        place_of = np.empty(len(shard), np.int64)
        place_of[np.concatenate(places)] = np.arange(sum(map(len, places)))
        return pa.concat_tables([_plain(table) for table in tables]).take(place_of[source])


class _RowStream:
    """Tables of any size, taken by the row."""

    def __init__(self, tables: Iterator[pa.Table]) -> None:
        self._tables, self._waiting = tables, SCHEMA.empty_table()

    def take(self, num_rows: int) -> pa.Table:
        """The next rows."""
        parts = [self._waiting]
        while sum(map(len, parts)) < num_rows:
            parts.append(_plain(next(self._tables)))
        joined = pa.concat_tables(parts)
        self._waiting = joined.slice(num_rows)
        return joined.slice(0, num_rows)


def _plain(table: pa.Table) -> pa.Table:
    """The columns of SCHEMA with its notes alone: a table read from a file carries others."""
    return pa.Table.from_arrays([table.column(name) for name in SCHEMA.names], schema=SCHEMA)


def _of_photos(rows: pa.Table, photos: Sequence[Photo]) -> pa.Table:
    """The rows with path, label, split and subject of these photos, which may have changed since they were made."""
    for name in PHOTO_COLUMNS:
        index = SCHEMA.get_field_index(name)
        rows = rows.set_column(
            index, SCHEMA.field(name), pa.array([getattr(photo, name) for photo in photos], pa.string())
        )
    return rows.combine_chunks()
