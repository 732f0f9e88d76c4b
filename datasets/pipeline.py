"""Ray Data runs the cropping: paths in, a pool of MTCNN actors, Parquet shards out."""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import ray
from ray.data import ActorPoolStrategy, DataContext
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from datasets.crop_set import CropNews, CropSet, NoNews, write_shards
from datasets.cropper import CropConfig, FaceFinder, PhotoCropper, PhotoReader, load_detector
from datasets.errors import FailedError
from datasets.folder import Folder
from datasets.shards import PHOTO_COLUMNS, SCHEMA, CropManifest, shard_name, write_manifest
from datasets.sources import Photo, Source
from datasets.stall import StallWatch, missing_worker

BATCH_ROWS = 32
MOST_BLOCKS = 4096
"""Of paths handed to Ray Data, each an object and a task: more photos make larger blocks, not more of them."""


_NAMED_ERROR = re.compile(r"^[A-Za-z_][\w.]*(Error|Exception)\b.*$", re.MULTILINE)


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
    news: CropNews | None = None,
    load: Callable[[CropConfig], FaceFinder] = load_detector,
) -> CropManifest:
    """Crop `photos` into `folder` and return its manifest. Needs a running Ray.

    Shard k holds rows k * shard_rows onwards, in order. On one kind of device its bytes depend on the photos and `cfg`
    alone, not on the number of workers, nor on what is reused.

    A shard that an interrupted call finished is kept. With `expected_sha256`
    (one a photo, empty for one that could not be read) a row of any set beside `folder` that the same `cfg` made from
    the same bytes is copied, and a file that stands twice is cropped once. `shared_disk`: whether every worker can read
    this machine's files. `load` makes a worker's detector.

    Raises PhotoChangedError (an OSError) where a file's bytes are not the expected ones, so that a passing read error
    never becomes part of a set; FailedError if Ray fails. Finished shards are kept whatever happens.
    """
    news = news or NoNews()
    crops = CropSet(photos, expected_sha256, cfg, folder, shard_rows)
    work = _Work(cfg, _reader_for_workers(source, shared_disk=shared_disk), resources, load, news)
    statuses = write_shards(crops, work.crop, news)
    manifest = CropManifest(
        fingerprint=name,
        source=source.name,
        generated=source.generated,
        crop=dict(cfg.to_dict()),
        classes=list(source.classes),
        num_photos=len(photos),
        statuses=dict(sorted(statuses.items())),
        shards=[shard_name(index) for index in range(crops.num_shards)],
        left_out=source.left_out,
    )
    write_manifest(folder, manifest)
    return manifest


@dataclass(frozen=True)
class _Work:
    """How Ray Data crops photos of one source."""

    cfg: CropConfig
    reader: PhotoReader
    resources: CropResources
    load: Callable[[CropConfig], FaceFinder]
    news: CropNews

    def crop(self, photos: Sequence[Photo]) -> Generator[pa.Table, None, None]:
        """Tables of the shards' schema, in the order of `photos`. Raises FailedError."""
        missing = partial(missing_worker, ArrowCropper.__name__, self.resources.num_cpus, self.resources.num_gpus)
        with StallWatch(self.news.say, missing) as watch:
            try:
                for table in self._dataset(photos).iter_batches(batch_size=None, batch_format="pyarrow"):
                    assert isinstance(table, pa.Table)
                    watch.arrived()
                    yield table.cast(SCHEMA)
            except Exception as error:  # of many kinds, all from Ray: what the cropper meets in a photo is a row
                traceback.print_exc()  # into Ray's log, while a command is quiet
                raise FailedError(
                    f"Cropping stopped, since Ray or a cropping worker failed: {_reason(error)}. "
                    "Finished shards are kept; run again to go on."
                ) from error

    def _dataset(self, photos: Sequence[Photo]) -> ray.data.Dataset:
        context = DataContext.get_current()
        context.enable_progress_bars = False
        context.print_on_execution_start = False
        context.execution_options.preserve_order = True
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        return ray.data.from_arrow(_blocks(photos)).map_batches(
            ArrowCropper,
            fn_constructor_args=(self.cfg, self.reader, self.load),
            batch_size=BATCH_ROWS,
            batch_format="numpy",
            compute=ActorPoolStrategy(size=self.resources.num_workers),
            num_cpus=self.resources.num_cpus,
            num_gpus=self.resources.num_gpus,
        )


def _blocks(photos: Sequence[Photo]) -> list[pa.Table]:
    """The photos' rows in tables of a batch, or of several where there would be too many tables."""
    columns = [pa.array([getattr(photo, name) for photo in photos], pa.string()) for name in PHOTO_COLUMNS]
    rows = pa.table(columns, names=list(PHOTO_COLUMNS))
    batches = -(-len(photos) // BATCH_ROWS)
    size = BATCH_ROWS * -(-batches // MOST_BLOCKS)
    return [rows.slice(start, size) for start in range(0, len(photos), size)]


def _reason(error: Exception) -> str:
    """The first error that Ray's account names, which led to the others; else how the account begins."""
    text = str(error).strip() or type(error).__name__
    named = _NAMED_ERROR.search(text)
    return (named.group() if named else text.splitlines()[0]).rstrip(".")


def _reader_for_workers(source: Source, *, shared_disk: bool) -> PhotoReader:
    """The source's own reader where workers reach the photos, else one through this machine."""
    if source.is_remote or shared_disk:
        return source.reader
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    server = ray.remote(_PhotoServer).options(num_cpus=0, scheduling_strategy=here, max_concurrency=4)
    return RemoteReader(server.remote(source.reader))
