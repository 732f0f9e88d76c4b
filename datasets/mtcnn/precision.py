"""Full single precision on GPUs, whatever the program around has chosen for training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def full_precision() -> Iterator[None]:
    """TF32 off in here and as before afterwards: with its ten bits, boxes move by pixels.

    The setting is one for the whole process. Another thread that trains meanwhile is slower for that time, not wrong.
    """
    operations = (torch.backends.cuda.matmul, torch.backends.cudnn.conv)  # type: ignore[attr-defined]
    before = [operation.fp32_precision for operation in operations]
    try:
        for operation in operations:
            operation.fp32_precision = "ieee"
        yield
    finally:
        for operation, precision in zip(operations, before, strict=True):
            operation.fp32_precision = precision
