"""How the loops of this package are compiled, and where the machine code is kept between runs."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from numba import config, njit

Loop = TypeVar("Loop", bound=Callable[..., Any])
FUSED = {"contract", "nsz"}
"""A product and a sum may be fused. Sums keep their order, infinities and NaN their meaning."""


def _folder() -> Path:
    """A folder for this state of the package: numba would look at the file of the outermost function alone."""
    home = os.environ.get("NUMBA_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return Path(home) / "facet" / f"loops-{digest.hexdigest()[:16]}"


FOLDER = _folder()


def compiled(*, fused: bool = False) -> Callable[[Loop], Loop]:
    """Compile a function when it is first called; the interpreter's lock is released while it runs.

    `fused`: for sums of products, faster and no less exact than plain arithmetic, but not equal to it bit for bit.
    """

    def wrap(function: Loop) -> Loop:
        options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": FUSED if fused else False}
        before, config.CACHE_DIR = config.CACHE_DIR, str(FOLDER)  # type: ignore[attr-defined]
        try:
            return njit(cache=True, **options)(function)
        except RuntimeError:  # nowhere to write: compiled anew in each process
            return njit(**options)(function)
        finally:
            config.CACHE_DIR = before  # type: ignore[attr-defined]

    return wrap
