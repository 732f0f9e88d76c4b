"""How much faster than a loop around facenet-pytorch's MTCNN is the whole path, from files to shards?

    python benchmarks/crop_path.py                              the generated sample, as many workers as cores
    python benchmarks/crop_path.py --data photos/ --photos 2000 --rounds 3

Two loops are the baseline, as most scripts have them: open a photo, `mtcnn(photo, save_path)`, next; once in one
process with a thread a core, and once in a process a core with one thread each. They crop every eighth photo. The path
reads, hashes, decodes, detects, cuts out face and frame, encodes both and writes Parquet shards, through Ray Data. Its
rate is stated twice: from the start of the call, with the start of the workers, and from the first photos on. The same
photos cropped by the same code without Ray, in this process on one thread, show Ray's own share of the time. All are
run in turn, in each round. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import ray
import torch
from crop_memory import repeated
from facenet_pytorch import MTCNN
from PIL import Image

from datasets.crop_set import NoNews
from datasets.cropper import CropConfig, PhotoCropper
from datasets.folder import Folder
from datasets.hashes import hash_photos
from datasets.pipeline import CropResources, crop_photos
from datasets.sample import write_sample
from datasets.sources import Photo, Source

MODES = ("exact", "largest")
BATCH = 16
_mtcnn: MTCNN | None = None


class Clock(NoNews):
    """Notes when the first photos are done."""

    def __init__(self) -> None:
        self.first: tuple[float, int] | None = None

    def progress(self, done: int, total: int) -> None:
        """So many photos are cropped."""
        if done and self.first is None:
            self.first = time.perf_counter(), done


def reference_loop(contents: Sequence[bytes], folder: str) -> None:
    """The script that the path replaces."""
    for index, content in enumerate(contents):
        _reference()(Image.open(BytesIO(content)).convert("RGB"), save_path=f"{folder}/{index}.jpg")


def _reference() -> MTCNN:
    global _mtcnn
    if _mtcnn is None:
        _mtcnn = MTCNN(image_size=224, margin=64, post_process=False)
    return _mtcnn


def start_worker() -> None:
    """One thread, and the networks are loaded."""
    torch.set_num_threads(1)
    _reference()(Image.new("RGB", (100, 100)))


def seconds_of_processes(pool: ProcessPoolExecutor, contents: Sequence[bytes], cores: int, folder: str) -> float:
    """The loop in a process a core."""
    began = time.perf_counter()
    parts = [pool.submit(reference_loop, contents[core::cores], folder) for core in range(cores)]
    for part in parts:
        part.result()
    return time.perf_counter() - began


def seconds_of_path(source: Source, mode: str, cores: int, out: Folder) -> tuple[float, float]:
    """Hash and crop: seconds a photo from the start, and from the first photos on."""
    clock, began = Clock(), time.perf_counter()
    crop_photos(
        source,
        source.photos,
        CropConfig(face_search=mode),
        out,
        name="path",
        resources=CropResources(num_workers=cores),
        expected_sha256=hash_photos(source, source.photos),
        news=clock,
    )
    end = time.perf_counter()
    first, done = clock.first or (began, 0)
    return (end - began) / len(source.photos), (end - first) / max(1, len(source.photos) - done)


def seconds_without_ray(cropper: PhotoCropper, photos: Sequence[Photo]) -> float:
    """Seconds a photo of the worker's own code."""
    began = time.perf_counter()
    for start in range(0, len(photos), BATCH):
        some = photos[start : start + BATCH]
        names = ("path", "label", "split", "subject")
        cropper({name: np.array([getattr(photo, name) for photo in some], object) for name in names})
    return (time.perf_counter() - began) / len(photos)


def measure(source: Source, cores: int, rounds: int, scratch: str) -> dict[str, list[float]]:
    """Milliseconds a photo of each way, one value a round."""
    some = source.photos[::8]
    contents = [source.reader.read(photo.path) for photo in some]
    croppers = {mode: PhotoCropper(CropConfig(face_search=mode), source.reader) for mode in MODES}
    ms: dict[str, list[float]] = {}

    def note(name: str, seconds: float) -> None:
        ms.setdefault(name, []).append(1e3 * seconds)

    with ProcessPoolExecutor(cores, mp_context=get_context("spawn"), initializer=start_worker) as pool:
        seconds_of_processes(pool, contents[: 2 * cores], cores, scratch)
        for cropper in croppers.values():
            seconds_without_ray(cropper, some[:BATCH])
        for number in range(rounds):
            torch.set_num_threads(cores)
            began = time.perf_counter()
            reference_loop(contents, scratch)
            note("loop, a thread a core", (time.perf_counter() - began) / len(contents))
            note("loop, a process a core", seconds_of_processes(pool, contents, cores, scratch) / len(contents))
            torch.set_num_threads(1)
            for mode, cropper in croppers.items():
                whole, steady = seconds_of_path(source, mode, cores, Folder.at(f"{scratch}/{number}-{mode}") / "set")
                note(f"path, {mode}", whole)
                note(f"path, {mode}, workers up", steady)
                note(f"no Ray, {mode}, one core", seconds_without_ray(cropper, some))
    return ms


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="photos; by default the generated sample")
    parser.add_argument("--photos", type=int, default=1600, help="they are repeated until there are so many")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    ray.init(address="local", num_cpus=options.workers, include_dashboard=False, logging_level="ERROR")
    with tempfile.TemporaryDirectory() as scratch:
        if options.data is None:
            write_sample(Path(scratch) / "sample")
        source = repeated(options.data or f"{scratch}/sample", options.photos)
        ms = measure(source, options.workers, options.rounds, scratch)
    ray.shutdown()
    loops = [name for name in ms if name.startswith("loop")]
    print(f"{options.photos} photos, {options.workers} workers" + "".join(f"{f'to {name}':>28}" for name in loops))
    ratios = {}
    for name, values in ms.items():
        spreads = {loop: [round(a / b, 2) for a, b in zip(ms[loop], values, strict=True)] for loop in loops}
        ratios[name] = {loop: (statistics.median(each), min(each), max(each)) for loop, each in spreads.items()}
        texts = [f"{mid:.2f}x ({low:.2f} to {high:.2f})" for mid, low, high in ratios[name].values()]
        print(f"{name:<26} {statistics.median(values):7.2f} ms" + "".join(f"{text:>28}" for text in texts))
    shares = {}
    for mode in MODES:
        busy, steady = ms[f"no Ray, {mode}, one core"], ms[f"path, {mode}, workers up"]
        shares[mode] = statistics.median(
            1 - own / options.workers / whole for own, whole in zip(busy, steady, strict=True)
        )
        print(f"Ray's share of the time, {mode}, workers up: {shares[mode]:.0%}")
    print(json.dumps({"photos": options.photos, "workers": options.workers, "ms": ms, "ratio": ratios, "ray": shares}))


if __name__ == "__main__":
    main()
