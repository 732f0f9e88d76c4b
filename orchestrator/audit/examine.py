"""The audit of a finished set of crops, made once and kept beside them."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from datasets.copies import Photographs, find_photographs
from datasets.errors import UserError
from datasets.folder import Folder
from datasets.shards import read_manifest, read_rows
from orchestrator.audit.document import FORMAT, Document, SplitOrigin, make_document, settings
from orchestrator.audit.findings import FINDINGS_FILE, find_pairs, photographs_of, read_findings, to_findings_csv
from orchestrator.audit.place import AUDIT_FOLDERS
from orchestrator.audit.proposal import LABEL_PATCH_FILE, digest, propose, to_patch_csv
from orchestrator.audit.rows import AuditRows, read_audit_rows
from orchestrator.audit.sheets import chosen_pairs, draw_sheets, sheet_name

AUDIT_FILE = "audit.json"
_SHEET = re.compile(r"copies-\d+\.png")
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Audit:
    """`photographs`: of all photos of the set, in the order of its rows. `findings`: every pair of copies. `document`:
    all numbers, as `audit.json` holds them. `folder`: where files and contact sheets lie, beside the crops.
    """

    photographs: Photographs
    findings: pd.DataFrame
    document: Document
    folder: Folder

    @property
    def clean(self) -> bool:
        """Whether there is no finding: no pair of copies, no subject in several splits."""
        return bool(self.document["clean"])


def audit_crops(crop_folder: Folder, *, origin: SplitOrigin = "given", progress: Progress | None = None) -> Audit:
    """The audit of a finished set of crops: read where it stands beside them, else made and written there.

    `origin`: where the photos' splits come from. `progress`: called with the photos compared and all of them. Raises
    FileNotFoundError without a manifest, and OSError or pyarrow.ArrowException where a shard is damaged.
    """
    folder = crop_folder / AUDIT_FOLDERS[origin]
    kept = _read_kept(crop_folder, folder, origin)
    return kept if kept is not None else _make(crop_folder, folder, origin, progress)


def _read_kept(crop_folder: Folder, folder: Folder, origin: SplitOrigin) -> Audit | None:
    manifest = read_manifest(crop_folder)
    if manifest is None or not folder.exists(AUDIT_FILE):
        return None
    try:
        document, fingerprint = folder.read_json(AUDIT_FILE), manifest.fingerprint
        made_from = (document["data"]["fingerprint"], document["data"]["splits_origin"])
        if document["format"] != FORMAT or document["settings"] != settings() or made_from != (fingerprint, origin):
            return None
        if not _is_whole(folder, document):
            return None
        findings = read_findings(folder)
        paths = read_rows(crop_folder, ["path"]).column("path").to_pylist()
        return Audit(photographs_of(findings, paths), findings, document, folder)
    except (FileNotFoundError, UserError, LookupError, TypeError):  # damaged, or of an older kind: made again
        return None


def _is_whole(folder: Folder, document: Document) -> bool:
    """Whether every file that `audit.json` names is there, and the tables are as they were written."""
    tables = {FINDINGS_FILE: document["findings"], LABEL_PATCH_FILE: document["label_patch"]}
    return {*tables, *document["sheets"]["files"]} <= set(folder.names()) and all(
        digest(folder.read_bytes(name)) == told["sha256"] for name, told in tables.items()
    )


def _make(crop_folder: Folder, folder: Folder, origin: SplitOrigin, progress: Progress | None) -> Audit:
    manifest = read_manifest(crop_folder)
    if manifest is None:
        raise FileNotFoundError(f"{crop_folder} holds no finished set of crops.")
    rows = read_audit_rows(crop_folder, split=origin != "none")
    photographs = _compare(rows, progress)
    photos = rows.photos.assign(photograph=photographs.group)
    findings = find_pairs(photos, photographs)
    proposal = propose(photos, photographs.group)
    texts = {FINDINGS_FILE: to_findings_csv(findings), LABEL_PATCH_FILE: to_patch_csv(proposal)}
    document = make_document(photos, photographs, manifest, origin=origin)
    folder.delete(AUDIT_FILE)  # first: it would tell of files that are no longer there
    document |= {
        "findings": {"rows": len(findings), "sha256": digest(texts[FINDINGS_FILE].encode())},
        "label_patch": {"rows": len(proposal), "sha256": digest(texts[LABEL_PATCH_FILE].encode())},
        "sheets": _write_sheets(crop_folder, folder, photos, findings),
    }
    for name, text in texts.items():
        folder.write_text(name, text)
    folder.write_text(AUDIT_FILE, document_text(document))  # last: with it the audit is whole
    return Audit(photographs, findings, document, folder)


def document_text(document: Document) -> str:
    """`audit.json`."""
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def delete_sheets(folder: Folder) -> None:
    """Delete the contact sheets that an audit wrote into this folder."""
    for name in folder.names(".png"):
        if _SHEET.fullmatch(name):
            folder.delete(name)


def _compare(rows: AuditRows, progress: Progress | None) -> Photographs:
    """Photos without pixels are copies of nothing: they are not trained on."""
    readable = rows.photos["readable"].to_numpy()
    hashes = {
        name: np.where(readable, rows.photos[name].fillna(""), "").tolist() for name in ("file_sha256", "pixel_sha256")
    }
    signatures = [one if known else None for one, known in zip(rows.signatures, readable, strict=True)]
    return find_photographs(hashes["file_sha256"], hashes["pixel_sha256"], signatures, progress=progress)


def _write_sheets(crop_folder: Folder, folder: Folder, photos: pd.DataFrame, findings: pd.DataFrame) -> dict:
    delete_sheets(folder)
    pairs, names = chosen_pairs(photos, findings), []
    for number, sheet in enumerate(draw_sheets(crop_folder, photos, pairs), start=1):
        buffer = io.BytesIO()
        sheet.save(buffer, "PNG")
        names.append(sheet_name(number))
        folder.write_bytes(names[-1], buffer.getvalue())
    return {"files": names, "photographs": len(pairs)}
