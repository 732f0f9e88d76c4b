"""The cropping step of a run, and the crops as its later steps read them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from datasets.assembly import PhotoChangedError
from datasets.crop_set import drop_damaged
from datasets.cropper import CropConfig
from datasets.errors import FailedError, UserError
from datasets.folder import Folder
from datasets.photo import READABLE
from datasets.pipeline import crop_photos
from datasets.shards import CropManifest, read_rows
from datasets.splits import check_sides
from orchestrator.placement import Placement
from orchestrator.progress import LiveView
from orchestrator.study import Study


@contextmanager
def whole_crops(folder: Folder) -> Iterator[None]:
    """Reads a finished set of crops. A shard that proves damaged is removed, and FailedError says what to do."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        damaged = drop_damaged(folder)
        if not damaged:
            raise
        raise FailedError(
            f"{', '.join(damaged)} of the crops in {folder} cannot be read ({str(error).splitlines()[0]}). What was "
            "left of it is removed; run again, and its photos and those after it are cropped anew."
        ) from error


def check_readable(study: Study) -> None:
    """Raise UserError if unreadable photos leave a class without a photo to train or report on."""
    statuses = read_rows(study.crop_folder, ["status"]).column("status").to_pylist()
    readable = [photo for photo, status in zip(study.photos, statuses, strict=True) if status in READABLE]
    if {photo.label for photo in readable} != set(study.source.classes):
        raise UserError(f"`--data {study.source.name}`: a class has no readable photo. See {study.crop_folder}.")
    check_sides(readable, study.source.name)


def crop_study(study: Study, placement: Placement, live: LiveView) -> tuple[CropManifest, int]:
    """Crop the study's photos into its crop folder; its manifest, and how many photos were cropped, not copied.

    Needs a running Ray. Raises FailedError if that fails.
    """
    news = _CropNews(live)
    try:
        manifest = crop_photos(
            study.source,
            study.photos,
            CropConfig.part_of(study.spec),
            study.crop_folder,
            name=study.data_fingerprint,
            resources=placement.crops,
            expected_sha256=study.hashes,
            shared_disk=placement.one_machine,
            news=news,
        )
    except PhotoChangedError:
        study.hash_cache.forget()  # a file can change behind its size and time
        raise
    return manifest, news.num_cropped


class _CropNews:
    """Passes what the cropping says to the live view."""

    def __init__(self, live: LiveView) -> None:
        self.progress, self.say = live.counter("Cropping faces", "photos"), live.say
        self.num_cropped = 0

    def to_crop(self, num_photos: int) -> None:
        """A plan made again, after a shard was lost, counts what is left: the first one counts."""
        self.num_cropped = self.num_cropped or num_photos
