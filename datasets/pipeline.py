"""Ray Data runs the cropping: paths in, a pool of MTCNN actors, Parquet shards out."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import ray
from ray.data import ActorPoolStrategy, DataContext
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from datasets.cropper import CropConfig, PhotoCropper, PhotoReader
from datasets.folder import Folder
from datasets.shards import SCHEMA, CropManifest, read_shard, shard_name, write_manifest, write_shard
from datasets.sources import Photo, Source

BATCH_ROWS = 16
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class CropResources:
    """The pool of cropping actors."""

    num_workers: int = 1
    num_cpus: float = 1.0
    num_gpus: float = 0.0


@dataclass(frozen=True)
class RemoteReader:
    """Reads photos through an actor on the machine that has them, for workers that do not."""

    actor: Any

    def read(self, path: str) -> bytes:
        """The bytes of one photo. Raises OSError where the other machine could not read it."""
        try:
            return ray.get(self.actor.read.remote(path))
        except ray.exceptions.RayTaskError as error:
            raise OSError(str(error.cause)) from error


class _PhotoServer:
    def __init__(self, reader: PhotoReader) -> None:
        self._reader = reader

    def read(self, path: str) -> bytes:
        return self._reader.read(path)


class ArrowCropper(PhotoCropper):
    """`PhotoCropper` as Ray Data calls it: the answer is a table of the shards' schema."""

    def __call__(self, batch: dict[str, np.ndarray]) -> Any:
        """One batch of paths in, one Arrow table out."""
        return pa.table(super().__call__(batch), schema=SCHEMA)


def crop_photos(
    source: Source,
    photos: Sequence[Photo],
    cfg: CropConfig,
    folder: Folder,
    *,
    name: str,
    resources: CropResources,
    expected_sha256: Sequence[str] | None = None,
    shared_disk: bool = True,
    shard_rows: int = 1024,
    progress: Progress | None = None,
) -> CropManifest:
    """Crop `photos` into `folder` and return its manifest. Needs a running Ray.

    Shard k holds rows k * shard_rows onwards, in order, so that the files do not depend on the number of workers. A
    shard that an interrupted call finished is kept. `shared_disk`: whether every worker can read this machine's files.

    Raises OSError where a file's bytes are not those of `expected_sha256` (one a photo, empty for one that could not be
    read), so that a passing read error never becomes part of a set; ray.exceptions.RayError if the cluster fails.
    """
    statuses: Counter[str] = Counter()
    names = []
    reader = _reader_for_workers(source, shared_disk=shared_disk)
    for index, table in _finished_then_computed(
        photos, folder, shard_rows, lambda left: _crop(reader, left, cfg, resources), expected_sha256, progress
    ):
        names.append(shard_name(index))
        statuses.update(table.column("status").to_pylist())
    manifest = CropManifest(
        fingerprint=name,
        source=source.name,
        generated=source.generated,
        crop=dict(cfg.to_dict()),
        classes=list(source.classes),
        num_photos=len(photos),
        statuses=dict(sorted(statuses.items())),
        shards=names,
        left_out=source.left_out,
    )
    write_manifest(folder, manifest)
    return manifest


def _finished_then_computed(
    photos: Sequence[Photo],
    folder: Folder,
    shard_rows: int,
    crop: Callable[[Sequence[Photo]], Iterator[pa.Table]],
    expected_sha256: Sequence[str] | None,
    progress: Progress | None,
) -> Iterator[tuple[int, pa.Table]]:
    num_finished = 0
    while num_finished * shard_rows < len(photos) and folder.exists(shard_name(num_finished)):
        yield num_finished, read_shard(folder, shard_name(num_finished), ["status"])
        num_finished += 1
    left = photos[num_finished * shard_rows :]
    if left:
        cropped = _counted(crop(left), len(photos) - len(left), len(photos), progress)
        for index, table in enumerate(_tables_of(cropped, shard_rows), start=num_finished):
            if expected_sha256 is not None:
                _check_bytes(table, expected_sha256[index * shard_rows :])
            write_shard(folder, index, table)
            yield index, table


def _check_bytes(table: pa.Table, expected_sha256: Sequence[str]) -> None:
    found = zip(table.column("path").to_pylist(), table.column("file_sha256").to_pylist(), strict=True)
    for (path, sha256), expected in zip(found, expected_sha256, strict=False):
        if sha256 != expected:
            raise OSError(
                f"`{path}` could not be read as before: it changed, or its storage failed for a moment. Run again."
            )


def _crop(
    reader: PhotoReader, photos: Sequence[Photo], cfg: CropConfig, resources: CropResources
) -> Iterator[pa.Table]:
    """Tables of the shards' schema, in the order of `photos`."""
    context = DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.execution_options.preserve_order = True
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    rows = [asdict(photo) for photo in photos]
    blocks = max(1, min(len(rows) // BATCH_ROWS, 4096))
    dataset = ray.data.from_items(rows, override_num_blocks=blocks).map_batches(
        ArrowCropper,
        fn_constructor_args=(cfg, reader),
        batch_size=BATCH_ROWS,
        batch_format="numpy",
        compute=ActorPoolStrategy(size=resources.num_workers),
        num_cpus=resources.num_cpus,
        num_gpus=resources.num_gpus,
    )
    for table in dataset.iter_batches(batch_size=None, batch_format="pyarrow"):
        assert isinstance(table, pa.Table)
        yield table.cast(SCHEMA)


def _counted(tables: Iterator[pa.Table], done: int, total: int, progress: Progress | None) -> Iterator[pa.Table]:
    for table in tables:
        done += len(table)
        if progress is not None:
            progress(done, total)
        yield table


def _reader_for_workers(source: Source, *, shared_disk: bool) -> PhotoReader:
    """The source's own reader where workers reach the photos, else one through this machine."""
    if source.is_remote or shared_disk:
        return source.reader
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    server = ray.remote(_PhotoServer).options(num_cpus=0, scheduling_strategy=here, max_concurrency=4)
    return RemoteReader(server.remote(source.reader))


def _tables_of(tables: Iterator[pa.Table], num_rows: int) -> Iterator[pa.Table]:
    """The same rows in tables of `num_rows`, the last one shorter."""
    waiting: list[pa.Table] = []
    for table in tables:
        waiting.append(table)
        while sum(len(part) for part in waiting) >= num_rows:
            joined = pa.concat_tables(waiting)
            yield joined.slice(0, num_rows).combine_chunks()
            waiting = [joined.slice(num_rows)]
    joined = pa.concat_tables(waiting) if waiting else SCHEMA.empty_table()
    if len(joined):
        yield joined.combine_chunks()
