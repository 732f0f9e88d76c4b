"""Other tools that look for copies, each as a function from files to pairs. What is not installed is left out."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

Pairs = np.ndarray
"""(P, 2) int: files that the tool calls copies."""


def peers(files: list[Path], folder: Path) -> Iterator[tuple[str, Callable[[], Pairs]]]:
    """(name and setting, what to time) of every tool that can be imported; `files` all lie under `folder`."""
    if _installed("imagehash"):
        for kind in ("phash", "dhash"):
            for most in (4, 8, 10):
                yield f"imagehash {kind} <= {most}", lambda kind=kind, most=most: _imagehash(files, kind, most)
    if _installed("imagededup"):
        yield "imagededup PHash <= 10", lambda: _imagededup(files, folder, "PHash", max_distance_threshold=10)
    if _installed("fastdup"):
        yield "fastdup >= 0.9", lambda: _fastdup(files, folder)


def _installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _imagehash(files: list[Path], kind: str, most: int) -> Pairs:
    import imagehash

    hashes = np.stack([np.packbits(getattr(imagehash, kind)(Image.open(file)).hash) for file in files])
    found = []
    for i, own in enumerate(hashes):
        near = np.flatnonzero(np.bitwise_count(hashes[i + 1 :] ^ own).sum(1) <= most) + i + 1
        found += [(i, int(j)) for j in near]
    return np.array(found, int).reshape(-1, 2)


def _imagededup(files: list[Path], folder: Path, method: str, **threshold: float) -> Pairs:
    from imagededup import methods

    number = {file.name: i for i, file in enumerate(files)}
    duplicates = getattr(methods, method)(verbose=False).find_duplicates(
        image_dir=str(folder), recursive=True, num_enc_workers=0, **threshold
    )
    pairs = [(number[Path(a).name], number[Path(b).name]) for a, others in duplicates.items() for b in others]
    return np.array(pairs, int).reshape(-1, 2)


def _fastdup(files: list[Path], folder: Path) -> Pairs:
    import fastdup

    number = {file.name: i for i, file in enumerate(files)}
    job = fastdup.create(work_dir=str(folder.with_name("fastdup")), input_dir=str(folder))
    job.run(overwrite=True, print_summary=False, threshold=0.9, num_threads=2)
    table = job.similarity()
    columns = (table["filename_from"], table["filename_to"])
    pairs = [(number[Path(a).name], number[Path(b).name]) for a, b in zip(*columns, strict=True)]
    return np.array(pairs, int).reshape(-1, 2)
