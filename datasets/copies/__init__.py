"""Which photos are one photograph: exact copies, and near-copies that were re-encoded, mirrored, cropped, retouched."""

from datasets.copies.photographs import find_photographs
from datasets.copies.types import CopyPair, Photographs

__all__ = ["CopyPair", "Photographs", "find_photographs"]
