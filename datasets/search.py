"""The search for faces in a batch of photos: one failing photo costs no other, and a photo may be tried turned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from PIL import Image

if TYPE_CHECKING:  # torch takes seconds to import, and the command line needs the settings alone
    from datasets.detector import Detection

TURNS = (90, 270, 180)
"""The other orientations, in degrees counter-clockwise. Of equal probabilities the first wins: cameras are held
sideways more often than upside down."""
_TRANSPOSE = {
    90: Image.Transpose.ROTATE_90,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_270,
}
_BLANK = Image.new("RGB", (256, 256))  # large enough to be searched


class FaceFinder(Protocol):
    """What the search needs of a detector."""

    def detect_all(self, images: list[Image.Image]) -> list[list[Detection]]:
        """Every face of each photo, the chosen one first, in order."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What the search found in one photo, all in the pixels of the photo turned by `rotation`.

    faces: the chosen one first. rotation: degrees counter-clockwise, 0 where the photo was not turned. error: class of
    the error that the detector raised on this photo, else None.
    """

    faces: Sequence[Detection] = ()
    rotation: int = 0
    error: str | None = None


def turned(image: Image.Image, rotation: int) -> Image.Image:
    """The photo turned by 0, 90, 180 or 270 degrees counter-clockwise, without loss."""
    return image.transpose(_TRANSPOSE[rotation]) if rotation else image


def find_faces(
    detector: FaceFinder, images: Sequence[Image.Image], *, turned_threshold: float | None = None
) -> list[Finding]:
    """The faces of RGB photos, in order. Raises what the detector raises on a blank picture: then it is the detector.

    With `turned_threshold`, a photo without a face is tried in the `TURNS`: faces of at least that probability count,
    and the orientation whose chosen face is the most probable is taken.
    """
    if not images:
        return []
    findings = _search(detector, images)
    faceless = [index for index, finding in enumerate(findings) if not finding.faces and finding.error is None]
    if turned_threshold is None or not faceless:
        return findings
    for rotation in TURNS:  # one orientation at a time: no more turned copies than photos
        for index, found in zip(faceless, _search_turned(detector, images, faceless, rotation), strict=True):
            certain = [face for face in found.faces if face.probability >= turned_threshold]
            best = findings[index].faces
            if certain and (not best or certain[0].probability > best[0].probability):
                findings[index] = Finding(certain, rotation)
    return findings


def _search_turned(
    detector: FaceFinder, images: Sequence[Image.Image], which: list[int], rotation: int
) -> list[Finding]:
    """Some of the photos turned; the copies are let go on return."""
    return _search(detector, [turned(images[index], rotation) for index in which])


def _search(detector: FaceFinder, images: Sequence[Image.Image]) -> list[Finding]:
    """All photos at once or, where that fails, one by one."""
    try:
        return _detect(detector, images)
    except Exception:  # whatever a detector may raise on one odd photo
        return [_detect_alone(detector, image) for image in images]


def _detect_alone(detector: FaceFinder, image: Image.Image) -> Finding:
    try:
        return _detect(detector, [image])[0]
    except Exception as error:
        _detect(detector, [_BLANK])  # a detector that fails on this too would make a set of failures of sound photos
        return Finding(error=type(error).__name__)


def _detect(detector: FaceFinder, images: Sequence[Image.Image]) -> list[Finding]:
    """Raises ValueError where the answer has the wrong length, or a box that is not finite."""
    answer = detector.detect_all(list(images))
    if len(answer) != len(images):
        raise ValueError(f"the detector answered for {len(answer)} photos of {len(images)}")
    for faces in answer:
        if faces and not (np.isfinite(faces[0].box).all() and np.isfinite(faces[0].landmarks).all()):
            raise ValueError("the detector gave a box or a landmark that is not finite")
    return [Finding(faces) for faces in answer]
