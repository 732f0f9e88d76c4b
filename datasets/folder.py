"""One folder, on this machine or in object storage, written so that no reader ever sees half a file."""

from __future__ import annotations

import json
import os
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pyarrow.fs as pafs

from datasets.errors import UserError


@dataclass(frozen=True)
class Folder:
    """A place for files named by `/`-separated relative paths. Pickles, so that workers can use it."""

    filesystem: pafs.FileSystem
    base: str
    uri: str

    @classmethod
    def at(cls, location: str | Path) -> Self:
        """`location` is a local path or a URI that pyarrow understands, such as `s3://bucket/prefix`."""
        text = str(location)
        if "://" not in text:
            path = Path(text).expanduser().absolute()
            return cls(pafs.LocalFileSystem(), path.as_posix(), str(path))
        try:
            filesystem, base = pafs.FileSystem.from_uri(text)
        except (ValueError, OSError) as error:
            raise UserError(
                f"`{text}` is not a location that can be opened ({error}). Write a local folder or s3://bucket/folder."
            ) from None
        head, mark, query = text.partition("?")  # options such as ?endpoint_override=... stay at the end
        return cls(filesystem, base.rstrip("/"), head.rstrip("/") + mark + query)

    def __truediv__(self, name: str) -> Folder:
        head, mark, query = self.uri.partition("?")
        return Folder(self.filesystem, f"{self.base}/{name}", f"{head}/{name}{mark}{query}")

    def beside(self, name: str) -> Folder:
        """The folder of that name in this folder's parent. Raises UserError for a whole bucket, which has none."""
        parent, slash, _ = self.base.rpartition("/")
        if not slash:
            raise UserError(f"`{self}` is a whole bucket. Name a folder in it, such as s3://{self.base}/run.")
        head, mark, query = self.uri.partition("?")
        return Folder(self.filesystem, f"{parent}/{name}", f"{head.rpartition('/')[0]}/{name}{mark}{query}")

    def __str__(self) -> str:
        return self.uri

    @property
    def is_local(self) -> bool:
        """Whether the folder is on this machine's file system."""
        return isinstance(self.filesystem, pafs.LocalFileSystem)

    def path(self, name: str) -> str:
        """The full path of a file inside this folder's file system."""
        return f"{self.base}/{name}"

    def exists(self, name: str = "") -> bool:
        """Whether that file or folder is there."""
        full = self.path(name) if name else self.base
        return self.filesystem.get_file_info(full).type is not pafs.FileType.NotFound

    def names(self, suffix: str = "") -> list[str]:
        """The names of the files directly in this folder that end with `suffix`, sorted. A missing folder is empty."""
        selector = pafs.FileSelector(self.base, allow_not_found=True)
        found = (entry.base_name for entry in self.filesystem.get_file_info(selector) if entry.is_file)
        return sorted(name for name in found if name.endswith(suffix) and not name.startswith(".partial-"))

    def folders(self) -> list[str]:
        """The names of the folders directly in this folder, sorted. A missing folder has none."""
        selector = pafs.FileSelector(self.base, allow_not_found=True)
        entries = self.filesystem.get_file_info(selector)
        return sorted(entry.base_name for entry in entries if entry.type is pafs.FileType.Directory)

    def read_bytes(self, name: str) -> bytes:
        """The whole file. Raises FileNotFoundError."""
        with self.filesystem.open_input_file(self.path(name)) as file:  # a stream would ask S3 for 256 KB at a time
            return file.read()

    def read_json(self, name: str) -> Any:
        """A JSON file. Raises FileNotFoundError, and UserError where it holds something else."""
        try:
            return json.loads(self.read_bytes(name))
        except ValueError as error:
            raise UserError(
                f"`{self.path(name)}` is damaged ({error}). Move it away; what it held is made again."
            ) from None

    def write_bytes(self, name: str, content: bytes) -> None:
        """Write a file that is there whole or not at all, whatever interrupts it."""
        if not self.is_local:  # an object appears when its upload is complete
            with self.filesystem.open_output_stream(self.path(name)) as stream:
                stream.write(content)
            return
        target = Path(self.path(name))
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".partial-{uuid.uuid4().hex[:12]}-{target.name}")
        try:
            with partial.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)

    def write_text(self, name: str, text: str) -> None:
        """`write_bytes` in UTF-8."""
        self.write_bytes(name, text.encode())

    def delete(self, name: str) -> None:
        """Delete a file if it is there."""
        if self.exists(name):
            self.filesystem.delete_file(self.path(name))
