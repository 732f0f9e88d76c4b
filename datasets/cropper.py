"""One batch of photo paths in, one batch of crops out: the work of one cropping actor."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, Self

import numpy as np
from PIL import Image
from pydantic import Field, model_validator

from datasets.config import Config
from datasets.geometry import Geometry, aligned_crop, face_crop, facenet_crop, full_frame
from datasets.measures import sharpness, signature
from datasets.photo import FAILED, NO_FACE, OK, Decoded, decode, encode, num_pixels, one_channel, pixel_sha256
from datasets.search import FaceFinder, Finding, find_faces, turned

if TYPE_CHECKING:  # torch takes seconds to import, and the command line needs CropConfig alone
    from datasets.detector import Detection

MAX_HELD_PIXELS = 32_000_000
"""Photos are searched together while they hold no more pixels than this, turned copies included; a larger one goes
alone."""
_MAX_FACES = np.iinfo(np.int16).max
_log = logging.getLogger(__name__)


class CropConfig(Config):
    """How one photo becomes one row. Any change gives a new set of shards."""

    image_size: int = Field(default=224, ge=32, le=1024)
    """Side of the square face crop and of the full frame, in pixels."""
    margin_frac: float = Field(default=0.2, ge=0.0, lt=1.0)
    """Border added on every side of the detected box, as a fraction of its longer side."""
    min_face_size: float = Field(default=20.0, ge=20)
    """Smallest face searched for, in pixels. 20 / 0.709**k (28.2087, 39.7866, 56.1165, 79.1488, ...) leaves larger
    faces where 20 finds them; any other value moves nearly all boxes a little."""
    face_search: Literal["largest", "exact"] = "largest"
    """largest searches from large to small and stops below half the size of the largest face found; exact searches
    every size of face, and takes two to eight times as long."""
    face_choice: Literal["largest", "most_probable"] = "largest"
    """Which face of a photo with several is cropped."""
    try_rotations: bool = False
    """Try a photo without a face in the other three orientations, and keep it turned where a face is found."""
    rotation_threshold: float = Field(default=0.99, ge=0.0, le=1.0)
    """Least probability of a face in a photo that was turned to find it."""
    align_eyes: bool = False
    """Turn the crop so that the line between the eyes is level."""
    crop_geometry: Geometry = "square"
    """square keeps the face's proportions, black outside the photo; facenet is facenet-pytorch's own crop, cut at the
    photo's border and stretched to a square."""
    encoding: Literal["jpeg", "png"] = "jpeg"
    """How crops are stored: jpeg (small) or png (exact)."""
    jpeg_quality: int = Field(default=95, ge=50, le=100)
    """Quality of stored JPEG crops."""

    @model_validator(mode="after")
    def _all_faces_seen(self) -> Self:
        if self.face_search == "largest" and self.face_choice == "most_probable":
            raise ValueError(
                "`face_search` largest does not look for every face, and so cannot tell the most probable one. Give "
                "--face-search exact or --face-choice largest."
            )
        return self

    @model_validator(mode="after")
    def _one_geometry(self) -> Self:
        if self.align_eyes and self.crop_geometry == "facenet":
            raise ValueError(
                "`align_eyes` turns the crop, and `crop_geometry` facenet is upstream's, which is never turned. Give "
                "--align-eyes or --crop-geometry facenet, not both."
            )
        return self


class PhotoReader(Protocol):
    """Whatever gives the bytes of a photo by its relative path."""

    def read(self, path: str) -> bytes:
        """The bytes of one photo. Raises OSError."""


def load_detector(cfg: CropConfig) -> FaceFinder:
    """MTCNN on the GPU that torch sees (Ray's GPU ids may be logical), else on the CPU."""
    import torch

    from datasets.detector import FaceDetector

    return FaceDetector(
        "cuda" if torch.cuda.is_available() else "cpu",
        mode=cfg.face_search,
        select=cfg.face_choice,
        min_face_size=cfg.min_face_size,
    )


class PhotoCropper:
    """Row i out is row i in: a photo that cannot be read, or has no face, stays a row with its status.

    In : path, label, split, subject (N,). Out: the columns of `datasets.shards.SCHEMA`.
    """

    def __init__(
        self, cfg: CropConfig, reader: PhotoReader, load: Callable[[CropConfig], FaceFinder] = load_detector
    ) -> None:
        self._cfg, self._reader = cfg, reader
        self._detector = load(cfg)
        self._max_pixels = MAX_HELD_PIXELS // (2 if cfg.try_rotations else 1)  # a turned copy beside each photo

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, Any]:
        """One batch of paths in, one of rows out."""
        rows: list[dict[str, Any]] = []
        group: list[_Photo] = []
        held = 0
        for path in map(str, batch["path"]):
            sha256, content = self._read(path)
            pixels = num_pixels(content)
            if group and held + pixels > self._max_pixels:
                rows += self._rows(group)
                group.clear()  # before the next photo is decoded
                held = 0
            group.append(_Photo(path, sha256, len(content), decode(content)))
            held += pixels
        rows += self._rows(group)
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        passed = {name: [_text(value) for value in batch[name]] for name in _PASSED}
        return passed | columns

    def _read(self, path: str) -> tuple[str, bytes]:
        """SHA-256 and bytes; empty both where the source cannot give the photo."""
        try:
            content = self._reader.read(path)
        except OSError:
            return "", b""
        return hashlib.sha256(content).hexdigest(), content

    def _rows(self, group: list[_Photo]) -> list[dict[str, Any]]:
        """The rows of one group of photos, which the detector sees at once."""
        images = [photo.decoded.image for photo in group if photo.decoded.image is not None]
        threshold = self._cfg.rotation_threshold if self._cfg.try_rotations else None
        findings = iter(find_faces(self._detector, images, turned_threshold=threshold))
        rows = []
        for photo in group:
            found = next(findings) if photo.decoded.image is not None else Finding()
            if found.error is not None:
                _log.warning("`%s`: the search for a face failed (%s); it stays without one.", photo.path, found.error)
            file = {"file_sha256": photo.sha256, "file_bytes": photo.num_bytes, "file_format": photo.decoded.format}
            rows.append(file | self._row(photo.decoded, found))
        return rows

    def _row(self, decoded: Decoded, found: Finding) -> dict[str, Any]:
        if decoded.image is None:
            return dict.fromkeys(_COMPUTED) | {"status": decoded.status}
        image = turned(one_channel(decoded.image), found.rotation)
        row = dict.fromkeys(_COMPUTED) | {
            "status": NO_FACE if found.error is None else FAILED,
            "width": image.width,
            "height": image.height,
            "rotation": found.rotation,
            "num_faces": min(len(found.faces), _MAX_FACES) if found.error is None else None,
            "pixel_sha256": pixel_sha256(decoded.image),
            "sharpness": sharpness(decoded.image),
            "signature": signature(decoded.image),
            "frame": self._encode(full_frame(image, image_size=self._cfg.image_size)),
        }
        if not found.faces:
            return row
        face = found.faces[0]
        return row | {
            "status": OK,
            "box": face.box.tolist(),
            "probability": face.probability,
            "landmarks": face.landmarks.ravel().tolist(),
            "face": self._encode(self._cut(image, face)),
        }

    def _cut(self, image: Image.Image, face: Detection) -> Image.Image:
        size, margin = self._cfg.image_size, self._cfg.margin_frac
        if self._cfg.align_eyes:
            return aligned_crop(image, face.box, face.landmarks, image_size=size, margin_frac=margin)
        cut = facenet_crop if self._cfg.crop_geometry == "facenet" else face_crop
        return cut(image, face.box, image_size=size, margin_frac=margin)

    def _encode(self, image: Image.Image) -> bytes:
        return encode(image.convert("RGB"), encoding=self._cfg.encoding, quality=self._cfg.jpeg_quality)


_PASSED = ("path", "label", "split", "subject")
_COMPUTED = (
    "status", "width", "height", "rotation", "num_faces", "pixel_sha256", "sharpness", "signature", "box",
    "probability", "landmarks", "face", "frame",
)  # fmt: skip


class _Photo(NamedTuple):
    """One photo of a group: its path in the source, the hash and number of its bytes, and its picture."""

    path: str
    sha256: str
    num_bytes: int
    decoded: Decoded


def _text(value: object) -> str | None:
    """A missing value arrives as None, or, through Ray Data, as NaN."""
    return None if value is None or value != value else str(value)
