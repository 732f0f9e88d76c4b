"""MTCNN face detection (Zhang et al., 2016, arXiv 1604.02878) with the networks and weights of facenet-pytorch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from PIL import Image

from datasets.photo import to_rgb

MIN_SIDE = 20
"""The smallest face that MTCNN looks for, in pixels. A photo with a shorter side holds none."""

Mode = Literal["exact", "largest"]
Select = Literal["largest", "most_probable"]


@dataclass(frozen=True, slots=True)
class Detection:
    """The chosen face of one photo, in the photo's pixels.

    box: (4,) float32, left, top, right, bottom; may reach outside the photo. probability: of being a face.
    landmarks: (5, 2) float32, x and y of left eye, right eye, nose, left and right corner of the mouth.
    """

    box: np.ndarray
    probability: float
    landmarks: np.ndarray


class FaceDetector:
    """Finds the faces of photos of any sizes.

    `mode` "exact" searches every size of face, "largest" stops early once the largest is certain. `select` puts the
    largest or the most probable face first.
    """

    def __init__(
        self,
        device: str = "cpu",
        *,
        mode: Mode = "exact",
        select: Select = "largest",
        min_face_size: float = MIN_SIDE,
    ) -> None:
        from facenet_pytorch import MTCNN  # heavy, and unwanted where crops are only read

        self._min_side = max(MIN_SIDE, min_face_size)
        self._mtcnn = MTCNN(
            min_face_size=min_face_size, select_largest=select == "largest", device=torch.device(device)
        ).eval()

    def detect(self, images: Sequence[Image.Image | np.ndarray]) -> list[Detection | None]:
        """The chosen face of each photo, in order; None where no face is found.

        `images`: PIL pictures of any mode, or uint8 arrays, (H, W, 3) RGB or (H, W) grey, of any sizes.
        """
        return [faces[0] if faces else None for faces in self.detect_all(images)]

    def detect_all(self, images: Sequence[Image.Image | np.ndarray]) -> list[list[Detection]]:
        """Every face of each photo, the chosen one first. Takes what `detect` takes."""
        return [self._detect_one(_as_rgb(image)) for image in images]

    def _detect_one(self, image: Image.Image) -> list[Detection]:
        if min(image.size) < self._min_side:
            return []  # upstream raises on an empty pyramid
        boxes, probabilities, landmarks = self._mtcnn.detect(image, landmarks=True)
        if boxes is None:
            return []
        return [
            Detection(np.asarray(box, np.float32), float(probability), np.asarray(points, np.float32).reshape(5, 2))
            for box, probability, points in zip(boxes, probabilities, landmarks, strict=True)
        ]


def _as_rgb(image: Image.Image | np.ndarray) -> Image.Image:
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image) if image.size else Image.new("RGB", (1, 1))
    return to_rgb(image)
