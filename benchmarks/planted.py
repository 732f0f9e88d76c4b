"""What happens to a photo that gets into a data set twice: every defect that the audit's copies are measured on.

A defect takes an RGB photo and a random generator and gives the copy. `planted` draws a defect and saves as JPEG.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

Defect = Callable[[Image.Image, np.random.Generator], Image.Image]
JPEG_QUALITY = 88


def encoded(image: Image.Image, quality: int) -> bytes:
    """The bytes of a JPEG."""
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _reencode(quality: int) -> Defect:
    return lambda image, rng: Image.open(io.BytesIO(encoded(image, quality))).convert("RGB")


def _resize(scale: float) -> Defect:
    def apply(image: Image.Image, rng: np.random.Generator) -> Image.Image:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        return image.resize(size, Image.Resampling.LANCZOS)

    return apply


def cut(image: Image.Image, left: float, top: float, right: float, bottom: float) -> Image.Image:
    """The photo without these shares of its sides."""
    width, height = image.size
    return image.crop(
        (round(left * width), round(top * height), round((1 - right) * width), round((1 - bottom) * height))
    )


def _cut_one_side(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    shares = np.zeros(4)
    shares[rng.integers(4)] = 0.08
    return cut(image, *shares)


def _level(change: Callable[[np.ndarray], np.ndarray]) -> Defect:
    """`change` maps levels in [0, 1] to levels, which are cut off at black and white."""

    def apply(image: Image.Image, rng: np.random.Generator) -> Image.Image:
        table = np.clip(np.rint(255 * change(np.arange(256) / 255)), 0, 255).astype(int).tolist()
        return image.convert("RGB").point(table * 3)

    return apply


def _contrast(factor: float) -> Defect:
    return lambda image, rng: ImageEnhance.Contrast(image.convert("RGB")).enhance(factor)


def _angle(rng: np.random.Generator) -> float:
    return float(rng.uniform(2, 5) * rng.choice((-1, 1)))


def _rotate_black(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    return image.convert("RGB").rotate(_angle(rng), Image.Resampling.BICUBIC)


def _rotate_edge(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    pad = max(2, max(image.size) // 10)
    pixels = np.pad(np.asarray(image.convert("RGB")), ((pad, pad), (pad, pad), (0, 0)), mode="edge")
    turned = Image.fromarray(pixels).rotate(_angle(rng), Image.Resampling.BICUBIC)
    return turned.crop((pad, pad, pad + image.width, pad + image.height))


def _rotate_cropped(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    angle = _angle(rng)
    tangent = np.tan(np.deg2rad(abs(angle))) / 2
    across, down = tangent * image.height / image.width, tangent * image.width / image.height
    return cut(image.convert("RGB").rotate(angle, Image.Resampling.BICUBIC), across, down, across, down)


def _border(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    return ImageOps.expand(image.convert("RGB"), max(1, round(0.025 * min(image.size))), "black")


def _grey(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    return image.convert("L").convert("RGB")


def _mirror(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    return ImageOps.mirror(image)


def _crop(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    return cut(image, 0.05, 0.05, 0.05, 0.05)


DEFECTS: Mapping[str, Defect] = MappingProxyType(
    {
        "jpeg 45": _reencode(45),
        "jpeg 25": _reencode(25),
        "mirror": _mirror,
        "resize 60 %": _resize(0.6),
        "resize 40 %": _resize(0.4),
        "crop 5 % each side": _crop,
        "crop 8 % one side": _cut_one_side,
        "brighter 25 %": _level(lambda level: 1.25 * level),
        "darker 25 %": _level(lambda level: 0.75 * level),
        "contrast +30 %": _contrast(1.3),
        "contrast -30 %": _contrast(0.7),
        "gamma 0.7": _level(lambda level: level**0.7),
        "gamma 1.4": _level(lambda level: level**1.4),
        "grey": _grey,
        "rotate, black corners": _rotate_black,
        "rotate, edge filled": _rotate_edge,
        "rotate, corners cropped": _rotate_cropped,
        "black border": _border,
    }
)
MAIN = ("jpeg 45", "mirror", "resize 60 %", "crop 5 % each side", "brighter 25 %")
"""The defects by which an audit is judged first."""


def defect_named(name: str) -> Defect:
    """One of `DEFECTS`, or two after another: `"mirror + grey"`."""
    steps = [DEFECTS[part] for part in name.split(" + ")]

    def apply(image: Image.Image, rng: np.random.Generator) -> Image.Image:
        for step in steps:
            image = step(image, rng)
        return image

    return apply


def draw_pair(rng: np.random.Generator) -> str:
    """The name of two different defects, one after another."""
    first, second = rng.choice(len(DEFECTS), 2, replace=False)
    names = list(DEFECTS)
    return f"{names[first]} + {names[second]}"
