"""How the loops of this package are compiled, and where the machine code is kept between runs."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from numba import config, njit
from numba.core.caching import FunctionCache

Loop = TypeVar("Loop", bound=Callable[..., Any])
KEPT_FOR_S = 30 * 86400
FUSED = {"contract", "nsz"}
"""A product and a sum may be fused. Sums keep their order, infinities and NaN their meaning."""


def _folder() -> Path:
    """A folder for this state of all compiled loops: numba would look at the file of the outermost function alone."""
    home = os.environ.get("NUMBA_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    digest = hashlib.sha256()
    packages = (Path(__file__).parent, Path(__file__).parents[1] / "copies")
    for source in sorted(path for package in packages for path in package.glob("*.py")):
        digest.update(source.read_bytes())
    return Path(home) / "facet" / f"loops-{digest.hexdigest()[:16]}"


def _sweep(folder: Path) -> None:
    """Remove the code of states of the package that were last compiled for a month ago, when a new one comes."""
    if folder.exists():
        return
    for old in folder.parent.glob("loops-*"):
        with suppress(OSError):
            if time.time() - old.stat().st_mtime > KEPT_FOR_S:
                shutil.rmtree(old)


FOLDER = _folder()
_sweep(FOLDER)


class _Cache(FunctionCache):
    """Numba's cache, which costs nobody a face: what cannot be loaded is compiled anew, what cannot be kept is not."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The machine code for these types, or None."""
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # whatever a damaged file makes of unpickling
            with suppress(OSError):
                self.flush()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep it for the next process, if there is room."""
        with suppress(OSError):
            super().save_overload(sig, data)


def compiled(*, fused: bool = False) -> Callable[[Loop], Loop]:
    """Compile a function when it is first called; the interpreter's lock is released while it runs.

    `fused`: for sums of products, faster and no less exact than plain arithmetic, but not equal to it bit for bit.
    """

    def wrap(function: Loop) -> Loop:
        options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": FUSED if fused else False}
        loop = njit(**options)(function)
        before, config.CACHE_DIR = config.CACHE_DIR, str(FOLDER)  # type: ignore[attr-defined]
        try:
            loop._cache = _Cache(function)
        except RuntimeError:  # nowhere to write: compiled anew in each process
            pass
        finally:
            config.CACHE_DIR = before  # type: ignore[attr-defined]
        return loop

    return wrap
