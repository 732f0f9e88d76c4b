"""Where audits lie: beside the crops, and in the folder that `facet audit` writes into; what that may hold."""

from __future__ import annotations

import re
from pathlib import Path

from datasets.errors import UserError
from datasets.folder import Folder

AUDIT_FOLDERS = {"given": "audit", "drawn": "audit-drawn", "none": "audit-unsplit"}
"""Of a set of crops: where its audit is kept, by where the photos' splits come from."""
STUDY_FILE = "study.json"
"""What makes a folder a run's; see orchestrator/study.py."""
PLAN_FILE = "plan.json"
"""Written before it; see orchestrator/run_files.py."""
_OWN = re.compile(
    r"audit\.json|audit\.html|findings\.csv|label_patch(\.proposed)?\.csv|sheets(/copies-\d+\.png)?|"
    r"tables(/(audit_\w+\.(csv|md|tex)|README\.md))?"
)


def holds_audit_alone(folder: Folder) -> bool:
    """Whether a local folder holds an audit's files and no others (hidden files aside)."""
    base = Path(folder.base)
    found = [path.relative_to(base) for path in base.rglob("*")]
    names = [path.as_posix() for path in found if not path.name.startswith(".")]
    return "audit.json" in names and all(_OWN.fullmatch(name) for name in names)


def check_audit_folder(folder: Folder, crop_fingerprint: str) -> None:
    """Raise UserError unless the folder is new, empty, an audit's, or that of a run on the same photos."""
    if folder.is_local and Path(folder.base).is_file():
        raise UserError(f"`out` {folder} is a file. Name a folder.")
    try:
        if folder.exists(STUDY_FILE):
            _check_run(folder, crop_fingerprint)
            return
    except OSError as error:
        raise UserError(f"`out` {folder} cannot be reached ({' '.join(str(error).split())}).") from None
    if folder.is_local and Path(folder.base).is_dir():
        others = [path for path in Path(folder.base).iterdir() if not path.name.startswith(".")]
        if others and not holds_audit_alone(folder):
            raise UserError(f"`out` {folder} is not empty and holds neither an audit nor a run. Choose another --out.")


def _check_run(folder: Folder, crop_fingerprint: str) -> None:
    plan = folder.read_json(PLAN_FILE) if folder.exists(PLAN_FILE) else None
    held = plan.get("crop_fingerprint") if isinstance(plan, dict) else None
    if held is None:
        raise UserError(
            f"`out` {folder} holds a run of an older facet, which does not say on which crops. Choose another --out."
        )
    if held != crop_fingerprint:
        raise UserError(f"`out` {folder} holds a run on other photos or crops. Choose another --out.")
