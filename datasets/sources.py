"""What the user points at, read as rows: a folder of class folders, a zip of one, or a manifest (CSV, Parquet)."""

from __future__ import annotations

import lzma
import os
import posixpath
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import pandas as pd
import pyarrow.fs as pafs
from pydantic import Field

from datasets.config import Config
from datasets.errors import UserError
from datasets.folder import Folder

PHOTO_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jfif", ".mpo", ".png", ".apng", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".avif"}
    | {".jp2", ".j2k", ".ppm", ".pgm", ".pbm"}
)
MANIFEST_SUFFIXES = frozenset({".csv", ".parquet"})
SPLIT_NAMES = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
SAMPLE = "sample"
SAMPLE_MARKER = "SAMPLE.json"
SETTLED_AFTER_NS = 10 * 10**9
"""A file that changed more recently than this may change again without its time of change showing it."""


class SourceConfig(Config):
    """Which photos, and how they are split when the source does not say."""

    data: str = Field(default=SAMPLE, min_length=1)
    """A folder of class folders (with or without Train/ and Test/), a .zip of one, or a CSV/Parquet manifest with the
    columns path, label and optionally split, subject. `sample` generates a sample set."""
    test_frac: float = Field(default=0.2, gt=0, le=0.5)
    """Share of the photos held out as Test, only where the source itself has no split: one fold of round(1/test_frac)
    stratified folds, with no subject on both sides where subjects are known."""
    split_seed: int = Field(default=0, ge=0, lt=2**32)
    """Seed of that split."""
    rare_class: str = "fear"
    """The class that conditions with `fear excluded` leave out."""


@dataclass(frozen=True, slots=True)
class Photo:
    """One labelled photo. `path` is relative to the source; `split` is train, val, test or None."""

    path: str
    label: str
    split: str | None = None
    subject: str | None = None


@dataclass(frozen=True)
class FolderReader:
    """Reads photos from a local or remote folder. Pickles."""

    folder: Folder

    def read(self, path: str) -> bytes:
        """The bytes of one photo. Raises OSError, also for a path that no file can have."""
        try:
            return self.folder.read_bytes(path)
        except ValueError as error:
            raise OSError(f"{path!r}: {error}") from error

    @property
    def location(self) -> str:
        """Where paths are relative to."""
        return self.folder.uri


@dataclass
class ZipReader:
    """Reads photos from a zip archive, opened once in each process. Pickles."""

    archive: str
    _open: zipfile.ZipFile | None = field(default=None, repr=False)

    def read(self, path: str) -> bytes:
        """The bytes of one photo. Raises OSError, also where the entry is missing, damaged or encrypted."""
        try:
            if self._open is None:
                self._open = zipfile.ZipFile(self.archive)
            return self._open.read(path)
        except (KeyError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error, lzma.LZMAError) as error:
            raise OSError(f"{path} in {self.archive}: {error}") from error

    @property
    def location(self) -> str:
        """Where paths are relative to."""
        return self.archive

    def __getstate__(self) -> dict[str, object]:
        return {"archive": self.archive, "_open": None}


@dataclass(frozen=True)
class Source:
    """Photos in the order of their paths, how to read them, and what was left out and why."""

    name: str
    photos: tuple[Photo, ...]
    reader: FolderReader | ZipReader
    generated: bool = False
    left_out: dict[str, int] = field(default_factory=dict)
    stamps: Mapping[str, str] = field(default_factory=dict, repr=False)
    """By path: a text that changes with the file, known without opening it. A file that changed just now has none."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names as the source spells them, sorted without regard to letter case."""
        return tuple(sorted({photo.label for photo in self.photos}, key=lambda name: (name.casefold(), name)))

    @property
    def is_remote(self) -> bool:
        """Whether every machine of a cluster can read the photos by itself."""
        return isinstance(self.reader, FolderReader) and not self.reader.folder.is_local


def open_source(location: str) -> Source:
    """List the photos at `location` without opening them. Raises UserError where there is nothing to work on."""
    if "://" in location:
        folder = Folder.at(location)
        return _from_folder(folder, name=folder.base.rpartition("/")[2])
    path = Path(location).expanduser()
    if not path.exists():
        raise UserError(f"`--data {location}` does not exist. Give a folder of class folders, a .zip or a manifest.")
    if path.is_dir():
        return _from_folder(Folder.at(path), name=path.resolve().name)
    if path.suffix.lower() == ".zip":
        return _from_zip(path)
    if path.suffix.lower() in MANIFEST_SUFFIXES:
        return _from_manifest(path)
    raise UserError(f"`--data {location}` is neither a folder, a .zip, a .csv nor a .parquet file.")


def _from_folder(folder: Folder, *, name: str) -> Source:
    selector, listed_at_ns = pafs.FileSelector(folder.base, recursive=True), time.time_ns()
    try:
        entries = folder.filesystem.get_file_info(selector)
    except (OSError, UnicodeError) as error:
        raise UserError(f"`--data {folder}` cannot be listed ({error}). Check the path and its permissions.") from None
    files = {os.path.relpath(entry.path, folder.base).replace(os.sep, "/"): entry for entry in entries if entry.is_file}
    photos, left_out = _rows_of_tree(files, where=str(folder))
    odd = sum(entry.type == pafs.FileType.Unknown for entry in entries)
    odd += _links_to_nothing(folder.base) if folder.is_local else 0
    left_out |= {"that are links to nothing or no ordinary files": odd} if odd else {}
    stamps = _stamps({photo.path: files[photo.path] for photo in photos}, listed_at_ns)
    return Source(
        name, photos, FolderReader(folder), generated=SAMPLE_MARKER in files, left_out=left_out, stamps=stamps
    )


def _links_to_nothing(folder: str) -> int:
    """How many there are in a local folder. Tools that fetch on demand leave one for each photo not fetched yet."""
    count = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_symlink():
                count += not os.path.exists(entry.path)
            elif entry.is_dir():
                count += _links_to_nothing(entry.path)
    return count


def _stamps(files: Mapping[str, pafs.FileInfo], listed_at_ns: int) -> dict[str, str]:
    """Size and time of change, where the storage tells both."""
    return {
        path: f"{info.size:x}-{info.mtime_ns:x}"
        for path, info in files.items()
        if info.size is not None and _settled(info.mtime_ns, listed_at_ns)
    }


def _settled(mtime_ns: int | None, listed_at_ns: int) -> bool:
    """Whether a later change is sure to give another time: clocks tick coarsely, and storage has a clock of its own."""
    return mtime_ns is not None and 0 < mtime_ns < listed_at_ns - SETTLED_AFTER_NS


def _from_zip(path: Path) -> Source:
    listed_at_ns = time.time_ns()
    try:
        status = path.stat()
        with zipfile.ZipFile(path) as archive:
            entries = {entry.filename: entry for entry in archive.infolist() if not entry.is_dir()}
    except (zipfile.BadZipFile, OSError) as error:
        raise UserError(
            f"`--data {path}` cannot be read as a zip archive ({error}). Unpack it, or fetch it again."
        ) from None
    photos, left_out = _rows_of_tree(entries, where=str(path))
    generated = any(PurePosixPath(name).name == SAMPLE_MARKER for name in entries)
    stamps = {}
    if _settled(status.st_mtime_ns, listed_at_ns):  # the checksums inside alone could be made to agree
        archive_stamp = f"{status.st_size:x}-{status.st_mtime_ns:x}"
        inside = ((photo.path, entries[photo.path]) for photo in photos)
        stamps = {name: f"{entry.CRC:x}-{entry.file_size:x}-{archive_stamp}" for name, entry in inside}
    reader = ZipReader(str(path.absolute()))
    return Source(path.stem, photos, reader, generated=generated, left_out=left_out, stamps=stamps)


def _rows_of_tree(paths: Iterable[str], *, where: str) -> tuple[tuple[Photo, ...], dict[str, int]]:
    """Rows from `[outer/][Train|Test/]class/.../photo` paths. Raises UserError where that is not the layout."""
    candidates, left_out = [], Counter[str]()
    for path in sorted(set(paths)):
        parts = PurePosixPath(path).parts
        is_photo = PurePosixPath(path).suffix.lower() in PHOTO_SUFFIXES
        if any(part.startswith(".") or part == "__MACOSX" for part in parts):
            left_out["hidden"] += is_photo and not parts[-1].startswith("._")  # which macOS leaves beside every file
            continue
        if is_photo:
            candidates.append((path, parts[:-1]))
        elif parts[-1] != SAMPLE_MARKER:
            left_out["not a photo by its file name"] += 1
    if not candidates:
        raise UserError(
            f"`--data {where}` holds no photo ({', '.join(sorted(PHOTO_SUFFIXES))}). "
            "Give a folder with one folder a class, such as joy/ and sadness/."
        )
    stripped = _without_outer_folder(candidates)
    left_out["not inside a class folder"] += sum(not folders for _, folders in stripped)
    inside = [(path, folders) for path, folders in stripped if folders]
    in_split = [folders[0].casefold() in SPLIT_NAMES for _, folders in inside]
    if any(in_split) and not all(in_split):
        stray = next(path for (path, _), flag in zip(inside, in_split, strict=True) if not flag)
        raise UserError(
            f"`--data {where}` has Train/ or Test/ and, beside them, `{stray}`. Move every class folder into a split."
        )
    if all(len(folders) < (2 if any(in_split) else 1) for _, folders in inside):
        raise UserError(f"`--data {where}` holds photos but no class folder, such as joy/ or Train/joy/. Add some.")
    if not any(in_split):
        photos = [Photo(path, folders[0]) for path, folders in inside]
    else:
        left_out["not inside a class folder"] += sum(len(folders) < 2 for _, folders in inside)
        split_rows = [(path, folders) for path, folders in inside if len(folders) > 1]
        photos = [Photo(path, folders[1], SPLIT_NAMES[folders[0].casefold()]) for path, folders in split_rows]
    return tuple(photos), {reason: count for reason, count in left_out.items() if count}


def _without_outer_folder(rows: Sequence[tuple[str, tuple[str, ...]]]) -> list[tuple[str, tuple[str, ...]]]:
    """Drop the one folder that an archive unpacks into, if all photos lie under it and class folders remain."""
    inside = [folders for _, folders in rows if folders]
    outer = {folders[0] for folders in inside}
    if len(outer) != 1 or outer.pop().casefold() in SPLIT_NAMES or all(len(folders) == 1 for folders in inside):
        return list(rows)
    return [(path, folders[1:]) for path, folders in rows]


def _from_manifest(path: Path) -> Source:
    try:
        table = (
            pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""], index_col=False)
            if path.suffix.lower() == ".csv"
            else pd.read_parquet(path)
        )
    except (OSError, ValueError) as error:
        raise UserError(f"`--data {path}` cannot be read as a manifest ({error}).") from None
    missing = {"path", "label"} - set(table.columns)
    if missing:
        raise UserError(f"`--data {path}` lacks the column {sorted(missing)}; it has {list(table.columns)}.")
    gaps = table[table["path"].isna() | table["label"].isna()]
    if len(gaps):
        raise UserError(f"`--data {path}` has no path or no label in row {int(gaps.index[0]) + 1}. Fill it in.")
    table["path"] = [posixpath.normpath(str(name)) for name in table["path"]]
    repeated = table["path"][table["path"].duplicated()]
    if len(repeated):
        raise UserError(f"`--data {path}` names `{repeated.iloc[0]}` twice. Keep one row a photo.")
    root, listed_at_ns = _root_of(path.absolute().parent, table["path"]), time.time_ns()
    photos = sorted((_manifest_row(row, root, path) for row in table.to_dict("records")), key=lambda row: row.path)
    if not photos:
        raise UserError(f"`--data {path}` holds no row.")
    folder = Folder.at(root)
    try:
        found = folder.filesystem.get_file_info([folder.path(photo.path) for photo in photos])
    except (OSError, ValueError):  # such as a path that no file can have: its photo becomes a row that says so
        found = []
    stamps = _stamps({photo.path: info for photo, info in zip(photos, found, strict=False)}, listed_at_ns)
    return Source(path.stem, tuple(photos), FolderReader(folder), stamps=stamps)


def _root_of(folder: Path, paths: Iterable[str]) -> Path:
    """The manifest's folder or, where photos lie outside it, the folder of them all.

    Paths go into tables that are passed on: relative to the manifest, they would tell how the machine is laid out.
    """
    places = [os.path.normpath(folder / path) for path in paths]
    if not places or all(Path(place).is_relative_to(folder) for place in places):
        return folder
    return Path(os.path.commonpath([os.path.dirname(place) for place in places]))


def _manifest_row(row: dict, root: Path, manifest: Path) -> Photo:
    def optional(name: str) -> str | None:
        value = row.get(name)
        return None if value is None or pd.isna(value) else str(value)

    split = optional("split")
    if split is not None and split.casefold() not in SPLIT_NAMES:
        raise UserError(f"`--data {manifest}`: split `{split}` of `{row['path']}` is not one of train, val, test.")
    name = str(row["path"])
    relative = os.path.relpath(manifest.absolute().parent / name, root)
    return Photo(
        relative.replace(os.sep, "/"),
        str(row["label"]),
        SPLIT_NAMES[split.casefold()] if split else None,
        optional("subject"),
    )
