"""What an audit leaves in a folder that may be passed on: numbers and names, and, if asked for, its contact sheets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from datasets.errors import UserError
from datasets.folder import Folder
from orchestrator.audit.examine import AUDIT_FILE, Audit, delete_sheets, document_text
from orchestrator.audit.findings import FINDINGS_FILE
from orchestrator.audit.proposal import LABEL_PATCH_FILE, write_proposal

SHEETS_FOLDER = "sheets"
AUDIT_PAGE = "audit.html"


def publish(audit: Audit, folder: Folder, *, of_run: bool) -> str:
    """Write `findings.csv`, the proposal and `audit.json` into `folder`; the name of the proposal's file.

    `of_run`: whether it is a run folder.
    """
    before = read_document(folder)
    known = "" if before is None else before["label_patch"]["sha256"]
    folder.write_text(FINDINGS_FILE, audit.folder.read_bytes(FINDINGS_FILE).decode())
    text = audit.folder.read_bytes(LABEL_PATCH_FILE).decode()
    patch = write_proposal(folder, text, proposed_before=known, of_run=of_run)
    folder.write_text(AUDIT_FILE, document_text(audit.document))
    return patch


def publish_sheets(audit: Audit, folder: Folder) -> None:
    """Copy the contact sheets, which show photos, into `folder`, in place of those of an earlier audit."""
    delete_sheets(folder)
    for name in audit.document["sheets"]["files"]:
        folder.write_bytes(name, audit.folder.read_bytes(name))


def withdraw_sheets(folder: Folder) -> bool:
    """Delete the page and the contact sheets that an audit left in what is now a run folder, whose report has the audit
    and which holds no photo; whether there were sheets.
    """
    folder.delete(AUDIT_PAGE)
    sheets = folder / SHEETS_FOLDER
    before = sheets.names(".png")
    delete_sheets(sheets)
    if folder.is_local and Path(sheets.base).is_dir() and not any(Path(sheets.base).iterdir()):
        Path(sheets.base).rmdir()
    return before != sheets.names(".png")


def read_document(folder: Folder) -> dict[str, Any] | None:
    """`audit.json` of a folder; None where there is none, or none that can be read."""
    try:
        document = folder.read_json(AUDIT_FILE) if folder.exists(AUDIT_FILE) else None
        return document if document is None or {"label_patch", "tables", "sheets"} <= set(document) else None
    except (UserError, TypeError):
        return None
