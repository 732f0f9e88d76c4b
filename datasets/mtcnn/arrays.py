"""The types that the compiled loops work on. They are hints for the reader: the compiler sees the values themselves."""

from typing import Any

import numpy.typing as npt

Array = npt.NDArray[Any]
"""float32 unless the docstring says otherwise."""
Scalar = Any
"""One float32."""
