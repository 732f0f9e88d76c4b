"""A generated photo set in the study's class proportions, to try everything without a download or anyone's privacy.

Every photo is one public-domain portrait with a made expression, over random clutter. It proves nothing about faces.
Shapes: H W pixels, C colour channels (RGB), 2 is (x, y).
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from datasets.errors import UserError
from datasets.sample_expressions import EXPRESSIONS, FACE_CENTRE_2, FACE_HEIGHT_PX, Expression, FloatArray, draw_head
from datasets.sources import SAMPLE_MARKER

CLASS_NAMES = tuple(EXPRESSIONS)
"""In the study's spelling and order."""
TRAIN_PER_CLASS: Mapping[str, int] = MappingProxyType(
    {"anger": 22, "fear": 10, "joy": 117, "Natural": 16, "sadness": 67, "surprise": 21}
)
TEST_PER_CLASS: Mapping[str, int] = MappingProxyType(
    {"anger": 3, "fear": 3, "joy": 42, "Natural": 7, "sadness": 14, "surprise": 6}
)
MARKER_NAME = SAMPLE_MARKER
PHOTO_SIZE_PX = (240, 180)
"""Width and height."""
JPEG_QUALITY = 92

_GENERATOR_VERSION = 1  # raise it when the same seed would draw other photos
_NOTE = "These photos are generated from one portrait: they show that the pipeline runs and prove nothing about faces."


def write_sample(
    folder: Path,
    *,
    train_per_class: Mapping[str, int] = TRAIN_PER_CLASS,
    test_per_class: Mapping[str, int] = TEST_PER_CLASS,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Write `folder`/Train/<class>/<class>_0001.jpg, ... and `folder`/Test/...; the number of photos there.

    The same arguments give the same bytes, and a second call with them returns at once. A photo depends on its
    split, class and number only, so a larger sample contains the smaller. `progress` gets (photos done, photos in all).
    A sample made with other arguments is replaced. The folder is complete or absent, never half-written.

    Raises UserError for an unknown class or a negative count, and if `folder` holds files that are not the sample's.
    """
    counts = {"Train": dict(train_per_class), "Test": dict(test_per_class)}
    _check_counts(counts)
    folder = Path(folder).resolve()
    marker = {"generated": True, "seed": seed, "counts": counts, "version": _GENERATOR_VERSION, "note": _NOTE}
    photos = list(_photo_paths(counts))
    if not _is_up_to_date(folder, marker):
        partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
        try:
            _write_photos(partial, photos, seed=seed, progress=progress)
            (partial / MARKER_NAME).write_text(json.dumps(marker, indent=2) + "\n", encoding="utf-8")
            _swap_in(partial, folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return len(photos)


def draw_photo(expression: Expression, rng: np.random.Generator) -> Image.Image:
    """One RGB photo of PHOTO_SIZE_PX: a face 55 to 100 pixels high, somewhere over clutter."""
    width, height = PHOTO_SIZE_PX
    background_HWC = _clutter(rng)
    scale = rng.uniform(60, 84) / FACE_HEIGHT_PX  # an opened jaw adds a fifth
    at_HW2 = _portrait_grid(scale, np.deg2rad(rng.uniform(-8, 8)), rng)
    head_HWC, opacity_HW1 = draw_head(
        at_HW2, expression, intensity=rng.uniform(0.6, 1.2), blur_px=0.35 / scale, rng=rng
    )
    photo_HWC = background_HWC * (1 - opacity_HW1) + head_HWC * opacity_HW1
    contrast, brightness, cast_C = rng.uniform(0.75, 1.2), rng.uniform(-25, 20), rng.normal(1, 0.05, 3)
    photo_HWC = ((photo_HWC - 128) * contrast + 128 + brightness) * cast_C + rng.normal(0, 3, (height, width, 1))
    return Image.fromarray(np.clip(photo_HWC, 0, 255).astype(np.uint8))


def _check_counts(counts: Mapping[str, Mapping[str, int]]) -> None:
    for per_class in counts.values():
        for name, num_photos in per_class.items():
            if name not in EXPRESSIONS:
                raise UserError(f"`class in {list(CLASS_NAMES)}`, got {name!r}. The sample has these six classes only.")
            if num_photos < 0:
                raise UserError(f"`count >= 0`, got {num_photos} photos of {name!r}. To leave a class out write 0.")


def _photo_paths(counts: Mapping[str, Mapping[str, int]]) -> Iterator[tuple[str, str, int]]:
    """(split, class, number from 1) of every photo."""
    for split, per_class in counts.items():
        for name, num_photos in per_class.items():
            yield from ((split, name, number) for number in range(1, num_photos + 1))


def _relative_path(split: str, name: str, number: int) -> Path:
    return Path(split, name, f"{name}_{number:04d}.jpg")


def _is_up_to_date(folder: Path, marker: Mapping[str, Any]) -> bool:
    """True if `folder` already holds this sample; UserError if replacing it would lose someone's files."""
    if not folder.exists():
        return False
    if not folder.is_dir():
        raise UserError(f"`{folder}` is a file, and the sample needs a folder. Name another folder.")
    if not any(folder.iterdir()):
        return False
    found = _read_marker(folder)
    present = {path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir()}
    ours = {_relative_path(*photo) for photo in _photo_paths(found["counts"])} | {Path(MARKER_NAME)}
    if found == marker and ours <= present:
        return True
    if foreign := sorted(present - ours):
        raise UserError(
            f"`{folder}` holds another sample and {len(foreign)} files that are not part of it, such as {foreign[0]}; "
            "replacing the sample would delete them. Move them away, or name another folder."
        )
    return False


def _read_marker(folder: Path) -> dict[str, Any]:
    try:
        marker = json.loads((folder / MARKER_NAME).read_text(encoding="utf-8"))
        _check_counts(marker["counts"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise UserError(
            f"`{folder}` is not empty and has no valid {MARKER_NAME}, so it may hold photos of yours. "
            "Name a new or empty folder for the sample."
        ) from error
    return marker


def _swap_in(partial: Path, folder: Path) -> None:
    """Rename `partial` to `folder`; what was there (empty, or an older sample) goes."""
    if folder.exists():
        old = partial.with_suffix(".old")
        folder.rename(old)
        partial.rename(folder)
        shutil.rmtree(old)
    else:
        partial.rename(folder)


def _write_photos(
    folder: Path,
    photos: list[tuple[str, str, int]],
    *,
    seed: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # a killed run with our process id may have left one
    folder.mkdir(parents=True)
    for num_done, (split, name, number) in enumerate(photos, start=1):
        path = folder / _relative_path(split, name, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        entropy = [seed, ("Train", "Test").index(split), CLASS_NAMES.index(name), number]
        rng = np.random.default_rng(np.random.SeedSequence(entropy))
        draw_photo(EXPRESSIONS[name], rng).save(path, quality=JPEG_QUALITY)
        if progress is not None:
            progress(num_done, len(photos))


def _portrait_grid(scale: float, angle_rad: float, rng: np.random.Generator) -> FloatArray:
    """Portrait coordinates (H, W, 2) of every pixel of the photo, the face wholly inside the frame."""
    size_2 = np.array(PHOTO_SIZE_PX)
    room_2 = np.array([0.46, 0.56]) * FACE_HEIGHT_PX * scale
    centre_2 = rng.uniform(room_2, size_2 - room_2)
    rows_HW, columns_HW = np.mgrid[: size_2[1], : size_2[0]]
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    turn_22 = np.array([[cos, -sin], [sin, cos]])
    return (np.stack([columns_HW, rows_HW], -1) - centre_2) @ turn_22 / scale + FACE_CENTRE_2


def _clutter(rng: np.random.Generator) -> FloatArray:
    """A background (H, W, C) in 0..255: a colour gradient, shapes over it, and a blotchy texture."""
    width, height = PHOTO_SIZE_PX
    rows_HW, columns_HW = np.mgrid[:height, :width]
    angle_rad = rng.uniform(0, 2 * np.pi)
    ramp_HW = np.cos(angle_rad) * columns_HW / width + np.sin(angle_rad) * rows_HW / height
    from_C, to_C = _colour(rng), _colour(rng)
    gradient_HWC = np.clip(from_C + (to_C - from_C) * ramp_HW[..., None], 0, 255)
    image = Image.fromarray(gradient_HWC.astype(np.uint8))
    _draw_shapes(image, rng)
    image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.5)))
    texture_HWC = np.asarray(_blotches(rng), float) - 128
    return np.asarray(image, float) + texture_HWC * rng.uniform(0.1, 0.4)


def _draw_shapes(image: Image.Image, rng: np.random.Generator) -> None:
    draw = ImageDraw.Draw(image)
    for _ in range(rng.integers(6, 16)):
        x, y = rng.uniform(-20, PHOTO_SIZE_PX[0]), rng.uniform(-20, PHOTO_SIZE_PX[1])
        box = (x, y, x + rng.uniform(8, 90), y + rng.uniform(8, 90))
        red, green, blue = (int(level) for level in _colour(rng))
        paint = (draw.rectangle, draw.ellipse, draw.line)[rng.integers(3)]
        paint(box, fill=(red, green, blue))


def _colour(rng: np.random.Generator) -> FloatArray:
    """A muted colour (C,), like those of a room."""
    return np.clip(rng.uniform(20, 235) + rng.normal(0, 30, 3), 0, 255)


def _blotches(rng: np.random.Generator) -> Image.Image:
    """Smooth colour noise around 128, its grain between 5 and 30 pixels."""
    cells = int(rng.integers(8, 48))
    noise_HWC = rng.integers(0, 256, (cells * 3 // 4, cells, 3), dtype=np.uint8)
    return Image.fromarray(noise_HWC).resize(PHOTO_SIZE_PX, Image.Resampling.BICUBIC)
