"""Six facial expressions on one public-domain portrait, made by moving a dozen points of the face.

Portrait: `skimage.data.astronaut()` (NASA, public domain), 512 x 512. Coordinates are its (x, y) pixels, y down.
Shapes: H W pixels of the picture asked for, K control points, 2 is (x, y).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage import data, draw

FloatArray = NDArray[np.float64]
Mouth = Literal["teeth", "closed", "open"]

FACE_CENTRE_2 = np.array([224.5, 117.0])
"""Middle of the box that MTCNN finds on the portrait."""
FACE_HEIGHT_PX = 110.0
"""Height of that box, forehead to chin."""
EYE_DISTANCE_PX = 43.5
"""Between the pupils; the unit of every move below."""
JITTER_FRAC = 0.012
"""Standard deviation of the random part of every move, in eye distances."""

_HEAD_CENTRE_2 = np.array([223.0, 104.0])
_HEAD_RADII_2 = np.array([70.0, 89.0])

# name: (reach in eye distances, where it lies on the image's left, and on its right if it has a twin).
_POINTS: Mapping[str, tuple[float, tuple[tuple[float, float], ...]]] = MappingProxyType({
    "brow_inner": (0.17, ((212, 92), (239, 93))),
    "brow_middle": (0.17, ((200, 89), (251, 92))),
    "brow_outer": (0.17, ((189, 91), (262, 96))),
    "lid_upper": (0.10, ((203, 97), (247, 99.5))),
    "lid_lower": (0.10, ((203, 105), (247, 107.5))),
    "mouth_corner": (0.20, ((203, 140), (244, 141))),
    "lip_upper": (0.17, ((224, 140),)),
    "lip_lower": (0.20, ((224, 152),)),
    "chin": (0.42, ((223, 176),)),
})  # fmt: skip
_MOUTH_TOP = ((204, 139.5), (210, 141), (217, 142), (224, 142.5), (232, 141.5), (238, 140.5), (244, 140))
_MOUTH_BOTTOM = ((240, 145), (233, 149.5), (226, 150.5), (218, 150), (212, 148), (206, 144))
_BROWS = (((190, 90.5), (198, 88.5), (206, 90), (213, 92.5)), ((239, 93), (247, 91.8), (255, 92.5), (262, 96)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """How far each point of the face moves, and what is seen between the lips."""

    moves: Mapping[str, tuple[float, float]]
    """Point name to (outwards, down), in eye distances. Points without a twin move (right, down)."""
    mouth: Mouth
    """`teeth` is the portrait's own smile."""


EXPRESSIONS: Mapping[str, Expression] = MappingProxyType({
    "anger": Expression(mouth="closed", moves={
        "brow_inner": (-0.10, 0.15), "brow_middle": (-0.04, 0.08), "brow_outer": (0.0, -0.06),
        "lid_upper": (0.0, 0.05), "lid_lower": (0.0, -0.04),
        "mouth_corner": (-0.10, 0.12), "lip_upper": (0.0, 0.04), "lip_lower": (0.0, -0.08),
    }),
    "fear": Expression(mouth="open", moves={
        "brow_inner": (-0.05, -0.20), "brow_middle": (0.0, -0.12), "brow_outer": (0.0, 0.02),
        "lid_upper": (0.0, -0.06), "lid_lower": (0.0, 0.03),
        "mouth_corner": (0.10, 0.23), "lip_upper": (0.0, 0.02), "lip_lower": (0.0, 0.14), "chin": (0.0, 0.10),
    }),
    "joy": Expression(mouth="teeth", moves={
        "brow_middle": (0.0, -0.03), "lid_lower": (0.0, -0.04),
        "mouth_corner": (0.12, -0.10), "lip_upper": (0.0, -0.02), "lip_lower": (0.0, 0.06),
    }),
    "Natural": Expression(mouth="closed", moves={
        "mouth_corner": (-0.10, 0.11), "lip_upper": (0.0, 0.06), "lip_lower": (0.0, -0.04),
    }),
    "sadness": Expression(mouth="closed", moves={
        "brow_inner": (-0.04, -0.14), "brow_middle": (0.0, 0.0), "brow_outer": (0.0, 0.13),
        "lid_upper": (0.0, 0.06), "lid_lower": (0.0, 0.0),
        "mouth_corner": (-0.04, 0.24), "lip_upper": (0.0, 0.04), "lip_lower": (0.0, -0.05),
    }),
    "surprise": Expression(mouth="open", moves={
        "brow_inner": (0.0, -0.20), "brow_middle": (0.0, -0.23), "brow_outer": (0.0, -0.18),
        "lid_upper": (0.0, -0.07), "lid_lower": (0.0, 0.03),
        "mouth_corner": (-0.20, 0.16), "lip_upper": (0.0, 0.0), "lip_lower": (0.0, 0.30), "chin": (0.0, 0.22),
    }),
})  # fmt: skip


def draw_head(
    at_HW2: FloatArray, expression: Expression, *, intensity: float, blur_px: float, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """The portrait with `expression` at the points `at_HW2`: colours (H, W, 3) in 0..255, opacity (H, W, 1) in 0..1.

    `intensity` scales every move, `blur_px` (in portrait pixels) keeps small heads free of aliasing.
    """
    centres_K2, shifts_K2, reaches_K = _control_points(expression, intensity, rng)
    # Falloffs overlap, so the strengths are solved for: each point must end exactly where its move says.
    pulls_KK = np.stack([_falloff(centres_K2, *point) for point in zip(centres_K2, reaches_K, strict=True)], -1)
    strengths_K2 = np.linalg.solve(pulls_KK, shifts_K2)
    source_HW2 = at_HW2.copy()
    for centre_2, reach, strength_2 in zip(centres_K2, reaches_K, strengths_K2, strict=True):
        source_HW2 -= _falloff(at_HW2, centre_2, reach)[..., None] * strength_2
    portrait_HWC = ndimage.gaussian_filter(_portrait(expression.mouth), (blur_px, blur_px, 0))
    yx = source_HW2[..., 1], source_HW2[..., 0]
    colours = [ndimage.map_coordinates(portrait_HWC[..., c], yx, order=1, mode="nearest") for c in range(3)]
    return np.stack(colours, -1), _head_opacity(source_HW2)


def _falloff(at_n2: FloatArray, centre_2: FloatArray, reach_px: float) -> FloatArray:
    """How strongly one control point pulls at each place: (...) in 0..1 for places (..., 2)."""
    x, y = at_n2[..., 0] - centre_2[0], at_n2[..., 1] - centre_2[1]
    return np.exp((x * x + y * y) / (-2 * reach_px**2))


def _control_points(
    expression: Expression, intensity: float, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Where each point ends (K, 2), how it moved (K, 2) and its reach (K,), in portrait pixels."""
    centres, shifts, reaches = [], [], []
    for name, (reach, places) in _POINTS.items():
        outwards, down = expression.moves.get(name, (0.0, 0.0))
        for side, place in zip((-1.0, 1.0) if len(places) == 2 else (1.0,), places, strict=True):
            jitter_2 = rng.normal(scale=JITTER_FRAC, size=2)
            shift_2 = (np.array([side * outwards, down]) * intensity + jitter_2) * EYE_DISTANCE_PX
            centres.append(np.array(place) + shift_2)
            shifts.append(shift_2)
            reaches.append(reach * EYE_DISTANCE_PX)
    return np.array(centres), np.array(shifts), np.array(reaches)


def _head_opacity(at_HW2: FloatArray) -> FloatArray:
    """1 inside an egg around the head (H, W, 1), 0 outside, with a soft edge."""
    x, y = np.moveaxis((at_HW2 - _HEAD_CENTRE_2) / _HEAD_RADII_2, -1, 0)
    x = x / (1 - 0.3 * np.clip(y, 0, 1))  # narrower at the jaw: leaves out the portrait's own background
    return np.clip((1.0 - np.hypot(x, y)) / 0.12, 0.0, 1.0)[..., None]


@lru_cache(maxsize=3)
def _portrait(mouth: Mouth) -> FloatArray:
    """The head's part of the portrait, 256 x 320 x 3, with stronger brows and the wanted mouth."""
    image_HWC = data.astronaut()[:256, :320].astype(np.float64)
    for brow in _BROWS:  # hers are too thin to be read at 64 pixels
        image_HWC = _paint(image_HWC, _stroke(brow, image_HWC.shape[:2], 1.0) * 0.75, (84, 54, 36))
    if mouth == "teeth":
        return image_HWC
    inside_HW = _polygon(_MOUTH_TOP + _MOUTH_BOTTOM, image_HWC.shape[:2])
    if mouth == "open":
        return _paint(image_HWC, inside_HW, (48, 18, 20))
    image_HWC = _paint(image_HWC, inside_HW, (190, 118, 112))
    between_lips = tuple((x, y + 3.2 * (1 - ((x - 224) / 20) ** 2)) for x, y in _MOUTH_TOP)
    return _paint(image_HWC, _stroke(between_lips, image_HWC.shape[:2], 0.8) * 0.9, (104, 48, 46))


def _paint(image_HWC: FloatArray, opacity_HW: FloatArray, colour: tuple[int, int, int]) -> FloatArray:
    opacity_HW1 = np.clip(opacity_HW, 0.0, 1.0)[..., None]
    return image_HWC * (1 - opacity_HW1) + opacity_HW1 * np.array(colour, float)


def _polygon(corners: tuple[tuple[float, float], ...], shape: tuple[int, ...]) -> FloatArray:
    """Opacity (H, W) of a filled outline with a soft edge."""
    x, y = np.array(corners).T
    fine = draw.polygon2mask((shape[0] * 8, shape[1] * 8), np.stack([y + 0.5, x + 0.5], -1) * 8)
    return ndimage.gaussian_filter(fine.reshape(shape[0], 8, shape[1], 8).mean((1, 3)), 0.7)  # no stairs when stretched


def _stroke(path: tuple[tuple[float, float], ...], shape: tuple[int, ...], width_px: float) -> FloatArray:
    """Opacity (H, W) of a soft line along `path`; `width_px` is its standard deviation."""
    x, y = np.array(path).T
    rows_HW, columns_HW = np.mgrid[: shape[0], : shape[1]]
    away_HW = np.abs(rows_HW - np.interp(columns_HW, x, y))
    along_HW = (columns_HW >= x[0]) & (columns_HW <= x[-1])
    return np.exp(-(away_HW**2) / (2 * width_px**2)) * along_HW
