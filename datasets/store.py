"""Crops as arrays to train on: decoded once, shared by every trial of a machine."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from PIL import Image

from datasets.folder import Folder
from datasets.photo import OK, READABLE
from datasets.shards import read_manifest, read_rows

_COLUMNS = ("path", "label", "split", "status", "width", "height", "landmarks", "face", "frame")


@dataclass(frozen=True)
class PhotoArrays:
    """Every photo that could be read, in the order of the source. N photos, S the side in pixels.

    face_u8: (N, S, S, 3) uint8, the face crop; the full frame where no face was found.
    frame_u8: (N, S, S, 3) uint8, the full frame.
    landmarks: (N, 5, 2) float32, x and y as fractions of the photo's width and height; zeros without a face.
    found: (N,) bool, whether a face was found. label: (N,) int64, index into `classes`. split, path: (N,) str.
    """

    face_u8: np.ndarray
    frame_u8: np.ndarray
    landmarks: np.ndarray
    found: np.ndarray
    label: np.ndarray
    split: np.ndarray
    path: np.ndarray
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.label)


def load_arrays(folder: Folder) -> PhotoArrays:
    """Decode a finished set of crops. Photos that could not be read are left out. Raises FileNotFoundError."""
    table = read_rows(folder, _COLUMNS)
    readable = pa.array([status in READABLE for status in table.column("status").to_pylist()])
    table = table.filter(readable)
    manifest = read_manifest(folder)
    assert manifest is not None  # read_rows has just read it
    index_of = {name: index for index, name in enumerate(manifest.classes)}
    found = np.array([status == OK for status in table.column("status").to_pylist()], dtype=bool)
    frame_u8 = _decode_all(table.column("frame").to_pylist(), manifest.crop["image_size"])
    face_u8 = frame_u8.copy()
    face_u8[found] = _decode_all([face for face in table.column("face").to_pylist() if face], frame_u8.shape[1])
    return PhotoArrays(
        face_u8=face_u8,
        frame_u8=frame_u8,
        landmarks=_relative_landmarks(table, found),
        found=found,
        label=np.array([index_of[label] for label in table.column("label").to_pylist()], dtype=np.int64),
        split=np.array(table.column("split").to_pylist(), dtype=object).astype(str),
        path=np.array(table.column("path").to_pylist(), dtype=object).astype(str),
        classes=tuple(manifest.classes),
    )


def _decode_all(encoded: list[bytes], side: int) -> np.ndarray:
    pixels = np.empty((len(encoded), side, side, 3), np.uint8)

    def decode_into(index: int) -> None:
        pixels[index] = np.asarray(Image.open(io.BytesIO(encoded[index])).convert("RGB"))

    with ThreadPoolExecutor() as pool:  # Pillow decodes outside the interpreter lock
        list(pool.map(decode_into, range(len(encoded))))
    return pixels


def _relative_landmarks(table: pa.Table, found: np.ndarray) -> np.ndarray:
    landmarks = np.zeros((len(found), 5, 2), np.float32)
    size = np.stack([table.column("width").to_numpy(), table.column("height").to_numpy()], axis=1).astype(np.float32)
    pixels = [points for points in table.column("landmarks").to_pylist() if points is not None]
    if pixels:
        landmarks[found] = np.asarray(pixels, np.float32).reshape(-1, 5, 2) / size[found][:, None, :]
    return landmarks
