"""A folder that `--out` names, while it is written to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from datasets.errors import UserError
from datasets.folder import Folder


@contextmanager
def writing_to(folder: Folder) -> Iterator[None]:
    """Raises UserError, which names the folder, for whatever hinders writing."""
    try:
        yield
    except OSError as error:
        why = error.strerror or " ".join(str(error).split())
        raise UserError(f"`--out` {folder} cannot be written ({why}). Name another folder.") from None
