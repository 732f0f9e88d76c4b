"""A person's corrections applied to the photos at load; the photos themselves are never touched."""

from __future__ import annotations

import difflib
import posixpath
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from datasets.errors import UserError
from datasets.patch_file import FILE_NAME, LabelPatch, PatchLine, read_patch, write_patch
from datasets.sources import Photo

__all__ = ["FILE_NAME", "LabelPatch", "PatchLine", "PatchedPhotos", "apply_patch", "read_patch", "write_patch"]


@dataclass(frozen=True)
class PatchedPhotos:
    """What a patch makes of N photos, in their order.

    labels: N class names. dropped, kept: (N,) bool. decided: (N,) bool, whether a line decided on the photo, be it for
    the label it had. counts: photos, by `kept`, `dropped` and `relabelled` (to another class), and `lines` of the
    patch.
    """

    labels: tuple[str, ...]
    dropped: np.ndarray
    kept: np.ndarray
    decided: np.ndarray
    counts: Mapping[str, int]


def apply_patch(
    patch: LabelPatch, photos: Sequence[Photo], hashes: Sequence[str], classes: Sequence[str]
) -> PatchedPhotos:
    """Labels, drops and keeps after `patch`. `hashes` are the SHA-256 of the photos' files, empty where not known.

    Raises UserError for a line that fits no photo, names no class of the source or contradicts another, and where a
    class would have no photo left.
    """
    decided = _decisions(patch, photos, hashes, classes)
    labels = [photo.label for photo in photos]
    dropped, kept = np.zeros(len(photos), bool), np.zeros(len(photos), bool)
    for index, line in decided.items():
        if line.action == "relabel":
            labels[index] = line.label
        dropped[index], kept[index] = line.action == "drop", line.action == "keep"
    _check_classes(patch, photos, labels, dropped)
    counts = {
        "lines": len(patch.lines),
        "kept": int(kept.sum()),
        "dropped": int(dropped.sum()),
        "relabelled": sum(label != photo.label for label, photo in zip(labels, photos, strict=True)),
    }
    has_line = np.isin(np.arange(len(photos)), list(decided))
    return PatchedPhotos(tuple(labels), dropped, kept, has_line, counts)


def _decisions(
    patch: LabelPatch, photos: Sequence[Photo], hashes: Sequence[str], classes: Sequence[str]
) -> dict[int, PatchLine]:
    """The line that decides on each photo, by the photo's index."""
    with_hash: dict[str, list[int]] = defaultdict(list)
    for index, sha256 in enumerate(hashes):
        with_hash[sha256.casefold()].append(index)
    at_path = {photo.path: index for index, photo in enumerate(photos)}
    decided: dict[int, PatchLine] = {}
    for line in patch.lines:
        where = f"`{patch.name}`, line {line.number}"
        if line.action == "relabel" and line.label not in classes:
            raise UserError(f"{where}: `{line.label}` is no class of the source{_near(line.label, classes)}")
        same_bytes = with_hash.get(line.sha256, [])
        for index in [_at_path(where, line, at_path, photos, hashes)] if line.path.strip() else same_bytes:
            other = decided.setdefault(index, line)
            if (other.action, other.label) != (line.action, line.label):
                raise UserError(
                    f"{where}: `{_decision(line)}` for `{photos[index].path}` contradicts `{_decision(other)}` of line "
                    f"{other.number}; a photo takes one decision. Remove one, or name other files in `path`."
                )
        if not same_bytes:
            raise UserError(
                f"{where}: no photo of the source has the hash {line.sha256}. Remove the line, or copy the hash again; "
                "a file that was edited or saved anew has another."
            )
    return decided


def _at_path(
    where: str, line: PatchLine, at_path: Mapping[str, int], photos: Sequence[Photo], hashes: Sequence[str]
) -> int:
    tries = (line.path, line.path.strip(), posixpath.normpath(line.path.strip()))
    index = next((at_path[path] for path in tries if path in at_path), None)
    if index is None:
        same = [photo.path for photo, sha256 in zip(photos, hashes, strict=True) if sha256.casefold() == line.sha256]
        hint = f"; the file with this hash is `{same[0]}`" if same else ""
        raise UserError(f"{where}: the source has no photo `{line.path}`{hint}. Give the path relative to the source.")
    if hashes[index].casefold() != line.sha256:
        raise UserError(
            f"{where}: `{line.path}` has the hash {hashes[index] or 'of no file that could be read'}, not "
            f"{line.sha256}; path and hash must be of one file. Correct one of them."
        )
    return index


def _near(label: str, classes: Sequence[str]) -> str:
    folded = {name.casefold(): name for name in classes}
    close = [folded[name] for name in difflib.get_close_matches(label.casefold(), list(folded))]
    return f"; did you mean {' or '.join(f'`{name}`' for name in close)}?" if close else f", {list(classes)}. Take one."


def _decision(line: PatchLine) -> str:
    return f"{line.action} {line.label}".strip()


def _check_classes(patch: LabelPatch, photos: Sequence[Photo], labels: Sequence[str], dropped: np.ndarray) -> None:
    """Which split needs which class is for the protocols to say; none can do with a class of no photo."""
    left = {label for label, out in zip(labels, dropped, strict=True) if not out}
    for photo in photos:
        if photo.label not in left:
            raise UserError(
                f"`{patch.name}` leaves class `{photo.label}` no photo. Take back a drop or relabel, or remove the "
                "class from the source."
            )
