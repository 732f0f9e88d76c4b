"""How many candidates a search on a canvas has room for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Room:
    """Slots for candidates, fixed before the search, so that the host need not wait to learn how many there are.

    A photo with more is searched by other means: the room decides about the time, not about the faces. None of 150
    photos of 0.2 megapixels needed more (of those counted, the fullest level had 319 candidates, the fullest photo
    290), nor did three at 2 megapixels (761 and 1,154, with eight faces); a crowd of 220 small faces would.
    """

    level: int
    """Of one level of one photo, before suppression."""
    merged: int
    """Of one photo, all levels together."""
    second: int
    """Crops for R-Net of all photos together: they differ a lot, and together less."""
    passed: int
    """Of one photo after R-Net."""
    third: int
    """Crops for O-Net of all photos together."""

    @classmethod
    def for_photos(cls, num_photos: int, pixels: int) -> Room:
        """For so many photos of so many pixels each."""
        is_large = pixels > 600_000
        return cls(
            level=1024 if is_large else 512,
            merged=2048 if is_large else 512,
            second=1024 + num_photos * (pixels // 1024),
            passed=256 if is_large else 128,
            third=128 + num_photos * (8 + pixels // 32768),
        )
