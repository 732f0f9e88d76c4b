"""One batch of photo paths in, one batch of crops out: the work of one cropping actor."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from PIL import Image
from pydantic import Field

from datasets.config import Config
from datasets.geometry import face_crop, full_frame
from datasets.photo import NO_FACE, OK, UNREADABLE, Decoded, decode, encode, pixel_sha256

if TYPE_CHECKING:  # torch takes seconds to import, and the command line needs CropConfig alone
    from datasets.detector import Detection


class CropConfig(Config):
    """How one photo becomes one row. Any change gives a new set of shards."""

    image_size: int = Field(default=224, ge=32, le=1024)
    """Side of the square face crop and of the full frame, in pixels."""
    margin_frac: float = Field(default=0.2, ge=0.0, lt=1.0)
    """Border added on every side of the detected box, as a fraction of its longer side."""
    min_face_size: int = Field(default=20, ge=20)
    """Smallest face searched for, in pixels."""
    encoding: Literal["jpeg", "png"] = "jpeg"
    """How crops are stored: jpeg (small) or png (exact)."""
    jpeg_quality: int = Field(default=95, ge=50, le=100)
    """Quality of stored JPEG crops."""


class PhotoReader(Protocol):
    """Whatever gives the bytes of a photo by its relative path."""

    def read(self, path: str) -> bytes:
        """The bytes of one photo. Raises OSError."""


class FaceFinder(Protocol):
    """What the cropper needs of a detector."""

    def detect(self, images: list[Image.Image]) -> list[Detection | None]:
        """One entry a photo, in order."""


def load_detector(cfg: CropConfig) -> FaceFinder:
    """MTCNN on the GPU that torch sees (Ray's GPU ids may be logical), else on the CPU."""
    import torch

    from datasets.detector import FaceDetector

    return FaceDetector("cuda" if torch.cuda.is_available() else "cpu", min_face_size=cfg.min_face_size)


class PhotoCropper:
    """Row i out is row i in: a photo that cannot be read, or has no face, stays a row with its status.

    In : path, label, split, subject (N,). Out: the columns of `datasets.shards.SCHEMA`.
    """

    def __init__(
        self, cfg: CropConfig, reader: PhotoReader, load: Callable[[CropConfig], FaceFinder] = load_detector
    ) -> None:
        self._cfg, self._reader = cfg, reader
        self._detector = load(cfg)

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, Any]:
        """One batch of paths in, one of rows out."""
        rows = [self._crop_one(str(path)) for path in batch["path"]]
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        passed = {name: [_text(value) for value in batch[name]] for name in _PASSED}
        return passed | columns

    def _crop_one(self, path: str) -> dict[str, Any]:
        """One photo at a time: sixteen decoded at once would fill the memory where photos are large."""
        sha256, decoded = self._read(path)
        face = self._detector.detect([decoded.image])[0] if decoded.image is not None else None
        return {"file_sha256": sha256, **self._row(decoded, face)}

    def _read(self, path: str) -> tuple[str, Decoded]:
        try:
            content = self._reader.read(path)
        except OSError:
            return "", Decoded(UNREADABLE)
        return hashlib.sha256(content).hexdigest(), decode(content)

    def _row(self, decoded: Decoded, face: Detection | None) -> dict[str, Any]:
        image, cfg = decoded.image, self._cfg
        if image is None:
            return dict.fromkeys(_COMPUTED) | {"status": decoded.status}
        frame = full_frame(image, image_size=cfg.image_size)
        row = dict.fromkeys(_COMPUTED) | {
            "status": NO_FACE,
            "width": image.width,
            "height": image.height,
            "pixel_sha256": pixel_sha256(image),
            "frame": self._encode(frame),
        }
        if face is None:
            return row
        crop = face_crop(image, face.box, image_size=cfg.image_size, margin_frac=cfg.margin_frac)
        return row | {
            "status": OK,
            "box": face.box.tolist(),
            "probability": face.probability,
            "landmarks": face.landmarks.ravel().tolist(),
            "face": self._encode(crop),
        }

    def _encode(self, image: Image.Image) -> bytes:
        return encode(image, encoding=self._cfg.encoding, quality=self._cfg.jpeg_quality)


_PASSED = ("path", "label", "split", "subject")
_COMPUTED = ("status", "width", "height", "pixel_sha256", "box", "probability", "landmarks", "face", "frame")


def _text(value: object) -> str | None:
    """A missing value arrives as None, or, through Ray Data, as NaN."""
    return None if value is None or value != value else str(value)
