"""MTCNN face detection (Zhang et al., 2016, arXiv 1604.02878) with the networks and weights of facenet-pytorch."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, get_args

import numpy as np
from PIL import Image

from datasets.photo import to_rgb

if TYPE_CHECKING:
    from datasets.mtcnn.faces import Faces

_log = logging.getLogger(__name__)
MIN_SIDE = 20
"""The smallest face that MTCNN looks for, in pixels. A photo with a shorter side holds none."""
BATCH_PHOTOS = 16
BATCH_PIXELS = 32_000_000
"""Photos are searched together up to these limits, so that memory does not grow with the length of the list."""

HALF = 0.5
"""Mode "largest" tells of faces of at least this share of the largest one's shorter side."""
Mode = Literal["exact", "largest"]
Select = Literal["largest", "most_probable"]


@dataclass(frozen=True, slots=True)
class Detection:
    """One face of a photo, in the photo's pixels.

    box: (4,) float32, left, top, right, bottom; may reach outside the photo. probability: of being a face.
    landmarks: (5, 2) float32, x and y of left eye, right eye, nose, left and right corner of the mouth.
    """

    box: np.ndarray
    probability: float
    landmarks: np.ndarray


class Search(Protocol):
    """One way to compute the three stages."""

    def __call__(self, images: Sequence[np.ndarray]) -> list[Faces]:
        """The faces of each (H, W, 3) uint8 photo, in order."""


class FaceDetector:
    """Finds the faces of photos of any sizes, with the boxes of `facenet_pytorch.MTCNN` used photo by photo.

    device: "cpu", or what torch calls another; on those, both modes search every level, which costs them less.
    mode "exact" searches every level of the image pyramid. "largest" searches from coarse to fine and stops well below
    the size of the largest face found: several times faster, and different only where a small face of higher
    probability lies on a large one. select puts the largest or the most probable face first; of equals the
    last that the reference lists. min_face_size: in pixels; 20 / 0.709**k keeps the pyramid's levels, and so the boxes
    of larger faces.

    Raises ValueError for mode "largest" with select "most_probable": it does not see all faces.
    """

    def __init__(
        self,
        device: str = "cpu",
        *,
        mode: Mode = "exact",
        select: Select = "largest",
        min_face_size: float = MIN_SIDE,
    ) -> None:
        for name, value, known in (("mode", mode, get_args(Mode)), ("select", select, get_args(Select))):
            if value not in known:
                raise ValueError(f"{name} is {' or '.join(known)}; given {value!r}.")
        if mode == "largest" and select != "largest":
            raise ValueError('select "most_probable" needs mode "exact": mode "largest" does not look for every face.')
        if not min_face_size >= MIN_SIDE:
            raise ValueError(f"min_face_size is at least {MIN_SIDE} pixels; given {min_face_size}.")
        self._mode, self._select = mode, select
        self._search = _make_search(device, mode, min_face_size)

    def detect(self, images: Sequence[Image.Image | np.ndarray]) -> list[Detection | None]:
        """The chosen face of each photo, in order; None where no face is found.

        `images`: PIL pictures of any mode, or uint8 arrays, (H, W, 3) RGB or (H, W) grey, of any sizes. They are
        searched as they lie: EXIF orientation is `datasets.photo.decode`'s to apply. A picture whose file proves
        damaged holds no face, and is logged by its place. Raises ValueError for other arrays, before any search.
        """
        return [faces[0] if faces else None for faces in self.detect_all(images)]

    def detect_all(self, images: Sequence[Image.Image | np.ndarray]) -> list[list[Detection]]:
        """Every face found of each photo, the chosen one first. Takes what `detect` takes.

        Mode "largest": those whose shorter side is at least half of the largest one's, which it always looks for.
        """
        for image in images:
            _check(image)
        return [self._in_order(faces) for batch in _batches(images) for faces in self._search(batch)]

    def _in_order(self, faces: Faces) -> list[Detection]:
        order = faces.largest_first() if self._select == "largest" else np.arange(len(faces))
        if self._mode == "largest":
            sides = (faces.boxes[:, 2:] - faces.boxes[:, :2]).min(1)
            order = order[sides[order] >= HALF * sides[order[:1]]]
        return [Detection(faces.boxes[i], float(faces.probabilities[i]), faces.landmarks[i]) for i in order]


def _make_search(device: str, mode: Mode, min_face_size: float) -> Search:
    import torch  # these are heavy, and unwanted where crops are only read

    from datasets.mtcnn.batch import BatchSearch
    from datasets.mtcnn.cpu import CpuSearch

    if torch.device(device).type == "cpu":
        return CpuSearch(min_face_size=min_face_size, stop_early=mode == "largest")
    return BatchSearch(device, min_face_size=min_face_size)


def _check(image: Image.Image | np.ndarray) -> None:
    if isinstance(image, Image.Image):
        return
    shaped = isinstance(image, np.ndarray) and (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3))
    if not shaped or image.dtype != np.uint8:
        given = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise ValueError(f"a photo is a PIL picture or a uint8 array (H, W, 3) or (H, W); given {given}.")


def _batches(images: Sequence[Image.Image | np.ndarray]) -> Iterator[list[np.ndarray]]:
    """(H, W, 3) uint8 arrays of a few photos at a time."""
    batch: list[np.ndarray] = []
    for place, image in enumerate(images):
        try:
            batch.append(_as_array(image))
        except Exception as error:  # of many kinds: a file that was opened, and is decoded only now
            _log.warning("photo %d of the list cannot be decoded (%s): no face", place, error)
            batch.append(np.zeros((0, 0, 3), np.uint8))
        if len(batch) == BATCH_PHOTOS or sum(array.size for array in batch) >= 3 * BATCH_PIXELS:
            yield batch
            batch = []
    if batch:
        yield batch


def _as_array(image: Image.Image | np.ndarray) -> np.ndarray:
    if isinstance(image, Image.Image):
        return np.asarray(to_rgb(image)) if min(image.size) else np.zeros((0, 0, 3), np.uint8)
    return np.repeat(image[:, :, None], 3, axis=2) if image.ndim == 2 else image
