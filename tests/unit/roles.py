"""The roles of protocol paper, where a test needs no other."""

import numpy as np

from datasets.protocols import REPORT, TRAIN, UNUSED
from datasets.store import PhotoArrays


def paper_roles(arrays: PhotoArrays) -> np.ndarray:
    """Photos of train are trained on, those of test reported."""
    sides = [arrays.split == "train", arrays.split == "test"]
    return np.select(sides, [TRAIN, REPORT], default=UNUSED).astype(np.int8)
