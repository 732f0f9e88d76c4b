"""`label_patch.csv`: what could be done about conflicts and leaks, a line a photo, for a person to go through."""

from __future__ import annotations

import hashlib
from pathlib import PurePosixPath

import numpy as np
import pandas as pd

from datasets.folder import Folder
from orchestrator.audit.groups import mixed

LABEL_PATCH_FILE = "label_patch.csv"
PROPOSED_FILE = "label_patch.proposed.csv"
"""Where the proposal goes in a run folder, and elsewhere if someone has edited `label_patch.csv`."""
COLUMNS = ("file_sha256", "action", "label", "path", "note")
KEPT_FIRST = ("test", "val", "train")
"""Of a photograph in several splits the copies of the first of these are kept: reported photos stay as they are."""
MAX_NAMED = 4


def propose(photos: pd.DataFrame, group: np.ndarray) -> pd.DataFrame:
    """COLUMNS, a row a photo of a photograph in several classes or splits, photograph by photograph.

    In several classes: every copy is dropped, since no rule can tell which class is right. In several splits alone: the
    copies in the first of KEPT_FIRST are kept, the others dropped. `photos`: columns of AuditRows.photos.
    """
    conflict, leak = mixed(group, photos["label"]), mixed(group, photos["split"])
    rows = []
    for _, members in photos.assign(conflict=conflict)[conflict | leak].groupby(group[conflict | leak], sort=True):
        torn = bool(members["conflict"].iloc[0])
        kept = next((split for split in KEPT_FIRST if (members["split"] == split).any()), None)
        for photo in members.to_dict("records"):
            keep = not torn and photo["split"] == kept
            note = _conflict_note(members, photo) if torn else _leak_note(members, photo, str(kept), keep)
            action = "keep" if keep else "drop"
            rows.append((photo["file_sha256"], action, "", photo["path"], note))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def write_proposal(folder: Folder, text: str, *, proposed_before: str, of_run: bool) -> str:
    """Write the proposal (of `to_patch_csv`), and nothing over a file that someone has edited; the proposal's name.

    `proposed_before`: SHA-256 of what the last audit in this folder proposed; empty if there was none. `of_run`:
    whether it is a run folder, where `label_patch.csv` would look as if it had been applied.
    """
    written_here = {proposed_before, digest(text.encode())}
    edited = {
        name: folder.exists(name) and digest(folder.read_bytes(name)) not in written_here
        for name in (LABEL_PATCH_FILE, PROPOSED_FILE)
    }
    name = PROPOSED_FILE if of_run or edited[LABEL_PATCH_FILE] else LABEL_PATCH_FILE
    if not edited[name]:
        folder.write_text(name, text)
    return name


def to_patch_csv(proposal: pd.DataFrame) -> str:
    """As `facet run` reads it."""
    return proposal.to_csv(index=False, lineterminator="\n")


def digest(content: bytes) -> str:
    """SHA-256, to tell a file that a person edited from one that was written here."""
    return hashlib.sha256(content).hexdigest()


def _conflict_note(members: pd.DataFrame, photo: dict) -> str:
    classes = members["label"].value_counts()
    named = ", ".join(f"{name} ({classes[name]})" for name in sorted(classes.index))
    return (
        f"conflict: this photograph stands in {named}, see {_others(members, photo)}; drop all, or relabel all to the "
        "class you see"
    )


def _leak_note(members: pd.DataFrame, photo: dict, kept: str, keep: bool) -> str:
    where = " and ".join(split for split in reversed(KEPT_FIRST) if (members["split"] == split).any())
    done = f"kept, as it is in {kept}" if keep else f"drop, so that {kept} stays as it is"
    return f"leak: this photograph stands in {where}, see {_others(members, photo)}; {done}"


def _others(members: pd.DataFrame, photo: dict) -> str:
    paths = [PurePosixPath(path).as_posix() for path in members["path"] if path != photo["path"]]
    more = f" and {len(paths) - MAX_NAMED} more" if len(paths) > MAX_NAMED else ""
    return ", ".join(paths[:MAX_NAMED]) + more
