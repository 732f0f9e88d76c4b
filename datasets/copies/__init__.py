"""Which photos are one photograph: exact copies, and near-copies that were re-encoded, mirrored, cropped, retouched."""

from datasets.copies.photographs import find_photographs
from datasets.copies.types import COPIES_FORMAT, CopyPair, Photographs

__all__ = ["COPIES_FORMAT", "CopyPair", "Photographs", "find_photographs"]
