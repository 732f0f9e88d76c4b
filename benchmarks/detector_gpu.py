"""Photos a second of the batched face search on a GPU, against facenet-pytorch's MTCNN on the same GPU.

    python benchmarks/detector_gpu.py
    python benchmarks/detector_gpu.py --photos 64 --rounds 9

Both get the same decoded photos, in turn, round by round; the ratio is taken within each round. Upstream is timed in
both of its modes: a photo a call, and a list of photos of one size a call. The last line is JSON. Without a GPU it says
so and only compares the batched search with the search on the CPU.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence

import numpy as np
import skimage.data
import torch
from facenet_pytorch import MTCNN
from PIL import Image

from datasets.mtcnn.batch import BatchSearch
from datasets.mtcnn.cpu import CpuSearch
from datasets.mtcnn.faces import Faces

SIZES = ((350, 350), (1280, 720), (1920, 1080))
"""Columns and rows."""


def make_photos(count: int, size: tuple[int, int]) -> list[np.ndarray]:
    """Scenes with one or two faces at random places and sizes, (H, W, 3) uint8; the same in every run."""
    rng = np.random.default_rng(0)
    scenes = [Image.fromarray(picture()) for picture in (skimage.data.coffee, skimage.data.chelsea)]
    portrait = Image.fromarray(skimage.data.astronaut()[:256, 100:356])
    photos = []
    for index in range(count):
        photo = scenes[index % 2].resize(size)
        for _ in range(1 + index % 3 // 2):
            side = int(rng.integers(min(size) // 4, min(size) // 2))
            left, top = (int(rng.integers(0, full - side)) for full in size)
            photo.paste(portrait.resize((side, side)), (left, top))
        photos.append(np.asarray(photo))
    return photos


def timed_s(call: Callable[[], object]) -> float:
    """Seconds until the device has finished."""
    torch.cuda.synchronize()
    began = time.perf_counter()
    call()
    torch.cuda.synchronize()
    return time.perf_counter() - began


def difference_px(ours: Sequence[Faces], pictures: Sequence[Image.Image]) -> tuple[float, int]:
    """Largest difference of a box's edge to upstream, and on how many photos the numbers of faces differ.

    Upstream on the CPU: on a GPU it computes with TF32, and its own boxes move.
    """
    largest, unequal, upstream = 0.0, 0, MTCNN(keep_all=True)
    for faces, picture in zip(ours, pictures, strict=True):
        boxes, _ = upstream.detect(picture)
        boxes = np.empty((0, 4)) if boxes is None else boxes.astype(float)
        if len(boxes) != len(faces):
            unequal += 1
        elif len(boxes):
            largest = max(largest, float(np.abs(faces.boxes[faces.largest_first()] - boxes).max()))
    return largest, unequal


def spread(values: Sequence[float]) -> list[float]:
    """Median, smallest, largest."""
    return [round(float(value), 2) for value in (np.median(values), min(values), max(values))]


def compare(size: tuple[int, int], num_photos: int, rounds: int) -> dict[str, object]:
    """Time one size; prints a line and returns the numbers."""
    photos = make_photos(num_photos, size)
    pictures = [Image.fromarray(photo) for photo in photos]
    search, upstream = BatchSearch("cuda", min_face_size=20), MTCNN(keep_all=True, device=torch.device("cuda"))
    calls: dict[str, Callable[[], object]] = {
        "ours": lambda: search(photos),
        "upstream": lambda: [upstream.detect(picture, landmarks=True) for picture in pictures],
        "upstream_list": lambda: upstream.detect(pictures, landmarks=True),
    }
    for call in calls.values():  # memory, kernels
        call()
        call()
    seconds = [{name: timed_s(call) for name, call in calls.items()} for _ in range(rounds)]
    edge_px, unequal = difference_px(search(photos), pictures)
    result: dict[str, object] = {
        "size": f"{size[0]}x{size[1]}",
        "photos": num_photos,
        "ours_per_s": spread([num_photos / of_round["ours"] for of_round in seconds]),
        "upstream_per_s": spread([num_photos / of_round["upstream"] for of_round in seconds]),
        "ratio": spread([of_round["upstream"] / of_round["ours"] for of_round in seconds]),
        "ratio_to_list_mode": spread([of_round["upstream_list"] / of_round["ours"] for of_round in seconds]),
        "largest_difference_px": round(edge_px, 4),
        "photos_with_other_faces": unequal,
    }
    print(" ".join(f"{name} {value}" for name, value in result.items()), flush=True)
    return result


def check_on_cpu() -> dict[str, object]:
    """Two small photos by both searches, on the CPU."""
    photos = make_photos(2, (200, 160))
    batched = BatchSearch("cpu", min_face_size=20)(photos)
    plain = CpuSearch(min_face_size=20, stop_early=False)(photos)
    equal = all(
        len(a) == len(b) and np.allclose(a.boxes, b.boxes, rtol=0, atol=1e-3)
        for a, b in zip(batched, plain, strict=True)
    )
    print(f"No GPU here, so nothing is timed. Boxes equal those of the search on the CPU: {equal}.")
    return {"gpu": None, "equal_on_cpu": equal}


def main() -> None:
    """Time, or check, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=16, help="photos a batch (default 16, as in a run)")
    parser.add_argument("--rounds", type=int, default=7, help="rounds; medians and ranges are over them (default 7)")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        print(json.dumps(check_on_cpu()))
        return
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}; median, smallest, largest of {options.rounds}")
    results = [compare(size, options.photos, options.rounds) for size in SIZES]
    print(json.dumps({"gpu": torch.cuda.get_device_name(), "rounds": options.rounds, "sizes": results}))


if __name__ == "__main__":
    main()
