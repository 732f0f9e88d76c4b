"""Affine maps between two photos, as 3 x 3 matrices on coordinates that run from -1 to 1 along both sides."""

from __future__ import annotations

import numpy as np

MIRROR = np.diag([-1.0, 1.0, 1.0])


def view(across: float = 1.0, down: float = 1.0, x: float = 0.0, y: float = 0.0, degrees: float = 0.0) -> np.ndarray:
    """(3, 3): from a view's coordinates to the photo's; the view shows these shares of the sides, about (x, y)."""
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return np.array([[across * cos, -across * sin, x], [down * sin, down * cos, y], [0.0, 0.0, 1.0]])


def _views() -> np.ndarray:
    straight = [
        view(),
        view(0.95, 0.95),
        view(0.9, 0.9),
        view(0.82, 0.82),
        view(0.92, 1.0, x=0.08),
        view(0.92, 1.0, x=-0.08),
        view(1.0, 0.92, y=0.08),
        view(1.0, 0.92, y=-0.08),
    ]
    turned = [view(share, share, degrees=angle) for share in (1.0, 0.9) for angle in (-3.5, 3.5)]
    upright = [*straight, *turned]
    return np.stack([*upright, *(MIRROR @ each for each in upright)])


VIEWS = _views()
"""(V, 3, 3): the ways in which a photo is looked up. A copy is near one of them, as seen from one of the two photos."""
