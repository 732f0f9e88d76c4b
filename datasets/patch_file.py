"""The file in which a person corrects labels: what it may say, read and written."""

from __future__ import annotations

import csv
import io
import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from datasets.errors import UserError
from datasets.fingerprint import fingerprint
from datasets.folder import Folder

FILE_NAME = "label_patch.csv"
ACTIONS = ("keep", "drop", "relabel")
COLUMNS = ("file_sha256", "action", "label", "path", "note")
_ALSO = {"hash": "file_sha256", "sha256": "file_sha256", "photo_hash": "file_sha256"}
"""What people call the first column."""
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class PatchLine:
    """One decision. `label` is set for relabel alone; without a `path` it holds for every file with these bytes."""

    sha256: str
    action: str
    label: str = ""
    path: str = ""
    note: str = ""
    number: int = field(default=0, compare=False)
    """Its line in the file, from 1."""

    @property
    def meaning(self) -> tuple[str, str, str, str]:
        """All that changes a study: without the note and the place in the file."""
        path = self.path.strip()
        return (self.sha256, self.action, self.label, posixpath.normpath(path) if path else "")


@dataclass(frozen=True)
class LabelPatch:
    """The lines of a patch file; `name` is the file, for messages. `LabelPatch()` is no patch."""

    lines: tuple[PatchLine, ...] = ()
    name: str = FILE_NAME

    @property
    def sha256(self) -> str:
        """64 hex digits of what the lines mean, whatever their order, notes, comments and repeats; empty if none."""
        return fingerprint(sorted({line.meaning for line in self.lines}), length=64) if self.lines else ""


def read_patch(path: Path | str) -> LabelPatch:
    """Read a patch file, local or at a URI such as s3://bucket/label_patch.csv.

    Raises UserError with the line's number where it is no CSV or says what it may not.
    """
    rows = [(number, row) for number, row in _rows(path) if any(row) and not row[0].startswith("#")]
    if not rows:
        raise UserError(f"`{path}` has no header; its first line should be `{','.join(COLUMNS)}`.")
    columns = _columns(path, *rows[0])
    lines = [_line(f"`{path}`, line {number}", number, columns, row) for number, row in rows[1:]]
    return LabelPatch(tuple(lines), str(path))


def write_patch(
    path: Path | str, lines: Sequence[PatchLine], *, remarks: Sequence[str] = (), overwrite: bool = False
) -> Path:
    """Write a file that `read_patch` reads back, `remarks` as comments at its top; the file. A folder gets FILE_NAME.

    Raises UserError where the file exists, since a person may have edited it, unless `overwrite`.
    """
    file = Path(path) / FILE_NAME if Path(path).is_dir() else Path(path)
    text = io.StringIO()
    text.writelines(f"# {' '.join(remark.split())}\n" for remark in remarks)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows((line.sha256, line.action, line.label, line.path, " ".join(line.note.split())) for line in lines)
    try:
        with file.open("w" if overwrite else "x", encoding="utf-8", newline="") as out:
            out.write(text.getvalue())
    except FileExistsError:
        raise UserError(f"`{file}` exists and may hold edits. Move it away, or write to another file.") from None
    return file


def _rows(path: Path | str) -> list[tuple[int, list[str]]]:
    """The number of each row's first line, and its cells. Comments become empty lines: quotes in them open nothing."""
    try:
        text = patch_content(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"`{path}` is not UTF-8 text. Save it as `CSV UTF-8 (comma delimited)`.") from None
    except (OSError, ValueError) as error:
        raise UserError(f"`{path}` cannot be read as a label patch ({error}). Check the path.") from None
    lines = io.StringIO(text, newline="").readlines()
    lines = ["\n" if line.lstrip().startswith("#") else line for line in lines]
    header = next((line for line in lines if line.strip()), "")
    reader, rows, number = csv.reader(lines, delimiter=max(",;\t", key=header.count), strict=True), [], 1
    try:
        for row in reader:
            rows.append((number, [cell.strip(" \t") for cell in row]))
            number = reader.line_num + 1
    except csv.Error as error:
        raise UserError(f"`{path}`, line {number}: this is not CSV ({error}). Check the quotes.") from None
    return rows


def patch_content(path: Path | str) -> bytes:
    """The bytes of a local or remote patch file. Raises OSError."""
    if "://" not in str(path):
        return Path(path).read_bytes()
    place = Folder.at(path)
    with place.filesystem.open_input_file(place.base) as file:
        return file.read()


def _columns(path: Path | str, number: int, header: list[str]) -> list[str]:
    columns = [_ALSO.get(name.casefold(), name.casefold()) for name in header]
    rule = f"a label patch has the columns {', '.join(COLUMNS)}, the first two required"
    missing = [name for name in COLUMNS[:2] if name not in columns]
    if missing:
        raise UserError(f"`{path}`, line {number}: the header lacks `{missing[0]}`; {rule}. Add it.")
    named = [name for name in columns if name]
    odd = [name for name in named if name not in COLUMNS or named.count(name) > 1]
    if odd:
        raise UserError(
            f"`{path}`, line {number}: column `{odd[0]}` is unknown or stands twice; {rule}. Remove or rename it."
        )
    return columns


def _line(where: str, number: int, columns: list[str], row: list[str]) -> PatchLine:
    if any(row[len(columns) :]) or any(cell for name, cell in zip(columns, row, strict=False) if not name):
        raise UserError(f"{where}: there are more cells than columns. Put quotes around a note that holds a separator.")
    cells = dict.fromkeys(COLUMNS, "") | dict(zip(columns, row, strict=False))
    sha256, action, label = cells["file_sha256"].casefold(), cells["action"].casefold(), cells["label"]
    if not _HASH.fullmatch(sha256):
        raise UserError(
            f"{where}: file_sha256 `{cells['file_sha256']}` is not 64 hex digits. Copy the whole hash from the audit."
        )
    if action not in ACTIONS:
        raise UserError(f"{where}: action `{cells['action']}` is not one of {', '.join(ACTIONS)}. Write one of them.")
    if action == "relabel" and not label:
        raise UserError(f"{where}: relabel has no label. Name the class in the column `label`.")
    if action != "relabel" and label:
        raise UserError(f"{where}: {action} has the label `{label}`. Empty that cell, or write relabel.")
    return PatchLine(sha256, action, label, cells["path"], cells["note"], number)
