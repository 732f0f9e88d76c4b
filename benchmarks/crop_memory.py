"""Does cropping take more memory the more photos there are?

    python benchmarks/crop_memory.py                                20,000 photos, as many workers as cores
    python benchmarks/crop_memory.py --photos 600 --workers 2
    python benchmarks/crop_memory.py --photos 20000 --no-detector   the pipeline alone, in a minute or two

A small set of photos is repeated under other paths, each copy with other bytes behind the end of its picture, so that
no row can be reused. They are hashed and cropped as `facet crop` does it. Every half second the resident memory of this
process (the driver) and of every worker is read from /proc, without the pages that are shared with the object store:
that store has a fixed size, and its pages count for every process that ever touched them. Prints the median of each
quarter of the cropping, and as its last line JSON with the ratio of the last quarter to the first.

The driver's memory grows until it has written its first shards of 1024 photos: fewer than 10,000 photos tell little.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import ray

from datasets.crop_set import NoNews
from datasets.cropper import CropConfig, load_detector
from datasets.folder import Folder
from datasets.hashes import hash_photos
from datasets.pipeline import CropResources, crop_photos
from datasets.sample import write_sample
from datasets.shards import read_manifest
from datasets.sources import FolderReader, Photo, Source, open_source

SAMPLE_EVERY_S = 0.5
MIB = 2**20


@dataclass(frozen=True)
class RepeatedPhotos:
    """Reads `<copy>/<path>` as the file at `path` with the number of the copy behind its end."""

    inner: FolderReader

    def read(self, path: str) -> bytes:
        """The bytes of one photo. Raises OSError."""
        copy, _, original = path.partition("/")
        return self.inner.read(original) + copy.encode()

    @property
    def location(self) -> str:
        """Where the originals are."""
        return self.inner.location


def repeated(location: str, num_photos: int) -> Source:
    """A source of `num_photos` photos made of those at `location`."""
    source = open_source(location)
    originals = source.photos
    photos = [
        Photo(
            f"{index // len(originals):06d}/{(photo := originals[index % len(originals)]).path}", photo.label, "train"
        )
        for index in range(num_photos)
    ]
    return Source(source.name, tuple(sorted(photos, key=lambda photo: photo.path)), RepeatedPhotos(source.reader))


class FindsNothing:
    """A detector that costs nothing."""

    def detect_all(self, images: list) -> list[list]:
        """No face anywhere."""
        return [[] for _ in images]


class Sampler(NoNews):
    """Notes, while photos are cropped, how much memory each process has and how many photos are done."""

    def __init__(self) -> None:
        self.done, self.samples = 0, []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Sampler:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def progress(self, done: int, total: int) -> None:
        """So many photos are cropped."""
        self.done = done

    def say(self, text: str) -> None:
        """Pass it on."""
        print(text)

    def _watch(self) -> None:
        while not self._stop.wait(SAMPLE_EVERY_S):
            if self.done:  # what comes before is start-up
                self.samples.append((self.done, resident_by_role()))


def resident_by_role() -> dict[str, float]:
    """MiB of the driver, of the largest worker, and of all workers, shared memory not counted."""
    tree, pids = children(), [os.getpid()]
    for pid in pids:  # grows while it is walked: children of children
        pids += tree[pid]
    workers = [private_mib(pid) for pid in pids if is_cropper(pid)]
    return {
        "driver": private_mib(os.getpid()),
        "largest worker": max(workers, default=0.0),
        "all workers": sum(workers),
        "driver with shared memory": field_mib(os.getpid(), "VmRSS"),
    }


def children() -> dict[int, list[int]]:
    """The processes that each process has started."""
    found = defaultdict(list)
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
        except OSError:  # it has ended
            continue
        found[int(parent)].append(int(entry.name))
    return found


def is_cropper(pid: int) -> bool:
    """Whether that process is a worker of Ray that crops."""
    try:
        title = Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return False
    return "MapWorker" in title or "ArrowCropper" in title


def private_mib(pid: int) -> float:
    """Resident memory that is not shared memory."""
    return field_mib(pid, "VmRSS") - field_mib(pid, "RssShmem")


def field_mib(pid: int, name: str) -> float:
    """A field of /proc/<pid>/status."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((float(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:")), 0.0)


def quarters(samples: list[tuple[int, dict[str, float]]], num_photos: int) -> dict[str, list[float]]:
    """The median of each role in each quarter of the photos."""
    by_role: dict[str, list[float]] = {}
    for role in samples[0][1]:
        parts: list[list[float]] = [[], [], [], []]
        for done, resident in samples:
            parts[min(3, 4 * done // num_photos)].append(resident[role])
        by_role[role] = [round(statistics.median(part), 1) if part else float("nan") for part in parts]
    return by_role


def crop(source: Source, out: Folder, num_workers: int, sampler: Sampler, load: Callable) -> float:
    """Hash and crop into `out`; the seconds that took."""
    began = time.perf_counter()
    hashes = hash_photos(source, source.photos)
    with sampler:
        crop_photos(
            source,
            source.photos,
            CropConfig(),
            out,
            name="memory",
            resources=CropResources(num_workers=num_workers),
            expected_sha256=hashes,
            news=sampler,
            load=load,
        )
    return time.perf_counter() - began


def main() -> None:
    """Crop and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="photos to repeat; by default the generated sample")
    parser.add_argument("--photos", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--no-detector", action="store_true", help="find no faces: the pipeline alone")
    options = parser.parse_args()
    ray.init(address="local", num_cpus=options.workers, include_dashboard=False, logging_level="ERROR")
    with tempfile.TemporaryDirectory() as scratch:
        if options.data is None:
            write_sample(Path(scratch) / "sample")
        source = repeated(options.data or f"{scratch}/sample", options.photos)
        sampler, out = Sampler(), Folder.at(scratch) / "crops" / "memory"
        load = (lambda cfg: FindsNothing()) if options.no_detector else load_detector
        seconds = crop(source, out, options.workers, sampler, load)
        manifest = read_manifest(out)
        shard_mib = sum((Path(out.base) / name).stat().st_size for name in manifest.shards) / MIB
    ray.shutdown()
    by_role = quarters(sampler.samples, options.photos)
    print(f"{'MiB, median of each quarter':<28}" + "".join(f"{f'{number}.':>10}" for number in range(1, 5)))
    for role, values in by_role.items():
        print(f"{role:<28}" + "".join(f"{value:>10.1f}" for value in values))
    summary = {
        "photos": options.photos,
        "workers": options.workers,
        "detector": not options.no_detector,
        "seconds": round(seconds, 1),
        "shards_mib": round(shard_mib, 1),
        "statuses": manifest.statuses,
        "first_quarter_mib": {role: values[0] for role, values in by_role.items()},
        "last_quarter_mib": {role: values[3] for role, values in by_role.items()},
        "ratio": {role: round(values[3] / values[0], 3) for role, values in by_role.items()},
    }
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
