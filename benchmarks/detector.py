"""How much faster than facenet-pytorch's MTCNN is the detector, and does it find the same boxes?

    python benchmarks/detector.py                        the generated sample
    python benchmarks/detector.py --data photos/ --photos 40 --rounds 7
    python benchmarks/detector.py --threads 2

Every photo is fitted into frames of 350x350, 1280x720 and 1920x1080 pixels (the rest of the frame mirrors the photo).
In each round the reference, photo by photo, and the detector take the same photos in turn; a ratio is the reference's
time over the detector's of one round, its spread the least and the greatest over the rounds. The reference is also
timed with min_face_size=79.15 (20 / 0.709**4: the same pyramid without its four finest levels), a fairer baseline where
faces are large. mediapipe's detector runs beside them where it is installed (uv run --with mediapipe ...) and given its
model (--mediapipe face_detection_short_range.tflite). The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from facenet_pytorch import MTCNN
from PIL import Image

from datasets.detector import Detection, FaceDetector
from datasets.photo import decode
from datasets.sample import write_sample

FRAMES = ((350, 350), (1280, 720), (1920, 1080))
LARGE_FACES = 20 / 0.709**4
Reference = tuple[np.ndarray, np.ndarray, np.ndarray]


def main() -> None:
    """Print a table of times, ratios and agreement, and a line of JSON."""
    args = _arguments()
    torch.set_num_threads(args.threads)
    photos = list(_photos(args.data, args.photos))
    results = {}
    for width, height in FRAMES:
        frames = [_fit(photo, width, height) for photo in photos[: _count(width * height, len(photos))]]
        results[f"{width}x{height}"] = _measure(frames, args.rounds, args.mediapipe)
        _print_frame(f"{width}x{height}", len(frames), results[f"{width}x{height}"])
    print(json.dumps({"threads": args.threads, "rounds": args.rounds, "frames": results}))


def _measure(frames: Sequence[Image.Image], rounds: int, model: Path | None) -> dict:
    upstream, coarse = MTCNN(), MTCNN(min_face_size=LARGE_FACES)
    exact, largest = FaceDetector(mode="exact"), FaceDetector(mode="largest")
    runs: dict[str, Callable[[], object]] = {
        "reference": lambda: [upstream.detect(frame, landmarks=True) for frame in frames],
        "reference 79": lambda: [coarse.detect(frame, landmarks=True) for frame in frames],
        "exact": lambda: exact.detect(frames),
        "exact, one by one": lambda: [exact.detect([frame]) for frame in frames],
        "largest": lambda: largest.detect(frames),
    }
    other = None if model is None else _mediapipe(model, frames)
    if other is not None:
        runs["mediapipe"] = other
    for run in runs.values():  # compiles, and fills caches
        run()
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    found = [_first(upstream.detect(frame, landmarks=True)) for frame in frames]
    result: dict = {
        "ms": {name: 1e3 * statistics.median(times) / len(frames) for name, times in seconds.items()},
        "ratio": {name: _spread(seconds["reference"], times) for name, times in seconds.items()},
        "ratio_79": {name: _spread(seconds["reference 79"], times) for name, times in seconds.items()},
        "agreement": {
            mode: _agreement(found, by.detect(frames)) for mode, by in (("exact", exact), ("largest", largest))
        },
    }
    if other is not None:
        result["agreement"]["mediapipe"] = _overlap(found, other())
    return result


def _spread(baseline: Sequence[float], times: Sequence[float]) -> tuple[float, float, float]:
    """Median, least and greatest ratio of the rounds."""
    ratios = [base / own for base, own in zip(baseline, times, strict=True)]
    return statistics.median(ratios), min(ratios), max(ratios)


def _first(answer: Reference) -> Detection | None:
    boxes, probabilities, landmarks = answer
    return None if boxes is None else Detection(boxes[0], float(probabilities[0]), landmarks[0])


def _agreement(reference: Sequence[Detection | None], ours: Sequence[Detection | None]) -> dict[str, float]:
    """Share of photos with the same decision; of those with a face, share within 0.01 px; largest probability gap."""
    pairs = [(a, b) for a, b in zip(reference, ours, strict=True) if a is not None and b is not None]
    gaps = [max(np.abs(a.box - b.box).max(), np.abs(a.landmarks - b.landmarks).max()) for a, b in pairs]
    return {
        "same_decision": statistics.mean((a is None) == (b is None) for a, b in zip(reference, ours, strict=True)),
        "within_0.01_px": statistics.mean(gap <= 0.01 for gap in gaps),
        "median_gap_px": float(statistics.median(gaps)),
        "largest_probability_gap": max(abs(a.probability - b.probability) for a, b in pairs),
    }


def _overlap(reference: Sequence[Detection | None], boxes: Sequence[Sequence[float] | None]) -> dict[str, float]:
    """Photos in which another detector finds a face, those in which the reference does, and how their boxes overlap."""
    shares = []
    for face, box in zip(reference, boxes, strict=True):
        if face is not None and box is not None:
            left, top = np.maximum(face.box[:2], box[:2])
            right, bottom = np.minimum(face.box[2:], box[2:])
            shared = max(0.0, right - left) * max(0.0, bottom - top)
            areas = [float((sides[2] - sides[0]) * (sides[3] - sides[1])) for sides in (face.box, box)]
            shares.append(shared / (sum(areas) - shared))
    return {
        "found": sum(box is not None for box in boxes),
        "found_by_reference": sum(face is not None for face in reference),
        "median_intersection_over_union": float(statistics.median(shares)) if shares else float("nan"),
    }


def _mediapipe(model: Path, frames: Sequence[Image.Image]) -> Callable[[], list[Sequence[float] | None]]:
    """Finds the first face of each frame: left, top, right, bottom."""
    import mediapipe
    from mediapipe.tasks import python as tasks

    options = tasks.vision.FaceDetectorOptions(base_options=tasks.BaseOptions(model_asset_path=str(model)))
    detector = tasks.vision.FaceDetector.create_from_options(options)
    pictures = [
        mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.asarray(frame).copy()) for frame in frames
    ]

    def run() -> list[Sequence[float] | None]:
        answers = [detector.detect(picture).detections for picture in pictures]
        boxes = [faces[0].bounding_box if faces else None for faces in answers]
        return [
            box and (box.origin_x, box.origin_y, box.origin_x + box.width, box.origin_y + box.height) for box in boxes
        ]

    return run


def _photos(folder: Path | None, count: int) -> Iterator[Image.Image]:
    """`count` photos spread over a folder, or over the generated sample."""
    with tempfile.TemporaryDirectory() as sample:
        if folder is None:
            write_sample(Path(sample))
            folder = Path(sample)
        files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in (".jpg", ".jpeg", ".png"))
        for file in files[:: max(1, len(files) // count)][:count]:
            image = decode(file.read_bytes()).image
            if image is not None:
                yield image


def _fit(photo: Image.Image, width: int, height: int) -> Image.Image:
    """The photo as large as the frame allows, undistorted and centred; what is left of the frame mirrors it."""
    scale = min(width / photo.width, height / photo.height)
    fitted = np.asarray(photo.resize((round(photo.width * scale), round(photo.height * scale))))
    below, right = height - fitted.shape[0], width - fitted.shape[1]
    margins = ((below // 2, below - below // 2), (right // 2, right - right // 2), (0, 0))
    return Image.fromarray(np.pad(fitted, margins, mode="symmetric"))


def _count(pixels: int, most: int) -> int:
    """Fewer photos where frames are large."""
    return max(4, min(most, round(most * 350 * 350 * 3 / pixels)))


def _print_frame(name: str, count: int, result: dict) -> None:
    print(f"{name}, {count} photos")
    for run, ms in result["ms"].items():
        (ratio, low, high), (other, *_) = result["ratio"][run], result["ratio_79"][run]
        print(f"  {run:18s} {ms:8.2f} ms  {ratio:6.2f}x ({low:.2f} to {high:.2f})   {other:6.2f}x of reference 79")
    for mode, values in result["agreement"].items():
        print(f"  {mode}: " + ", ".join(f"{key} {value:.3g}" for key, value in values.items()))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of photos; default: the generated sample")
    parser.add_argument("--photos", type=int, default=32, help="how many of them")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1, help="of torch, for both")
    parser.add_argument("--mediapipe", type=Path, help="model file of mediapipe's face detector")
    return parser.parse_args()


if __name__ == "__main__":
    main()
