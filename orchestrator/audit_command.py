"""`facet audit`: crops what is not cropped yet, and says what the photos can prove before any training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from datasets.folder import Folder
from datasets.shards import read_manifest
from orchestrator.audit.document import SplitOrigin
from orchestrator.audit.examine import AUDIT_FILE, Audit, audit_crops
from orchestrator.audit.files import AUDIT_PAGE, SHEETS_FOLDER, publish, publish_sheets
from orchestrator.audit.findings import FINDINGS_FILE
from orchestrator.audit.place import STUDY_FILE, check_audit_folder
from orchestrator.audit.proposal import PROPOSED_FILE
from orchestrator.audit.step import split_origin
from orchestrator.cluster import connect
from orchestrator.cropping import crop_study, whole_crops
from orchestrator.detection.files import write_crop_report
from orchestrator.progress import LiveView
from orchestrator.quiet import quiet
from orchestrator.report.audit_page import audit_tables, render_audit
from orchestrator.report.audit_words import fact_sentences, finding_sentences
from orchestrator.report.wording import counted
from orchestrator.report.write import write_tables
from orchestrator.run import prepare
from orchestrator.run_files import locked
from orchestrator.spec import Spec
from orchestrator.study import RUNS, Study


@dataclass(frozen=True)
class AuditResult:
    """`lines`: for the terminal. `clean`: whether there is no finding."""

    lines: list[str]
    clean: bool


def audit_only(spec: Spec, *, verbose: bool) -> AuditResult:
    """Audit the photos of `spec`; nothing is trained, and their classes need not be fit for it. Raises UserError."""
    with LiveView() as live:
        study, _, placement = prepare(spec, live, verbose=verbose, check_folder=False, train=False)
        folder = audit_folder(study)
        check_audit_folder(folder, study.crop_fingerprint)
        with locked(folder):
            if read_manifest(study.crop_folder) is None:
                with quiet(not verbose):
                    connect(spec.address, verbose=verbose)
                    crop_study(study, placement, live)
                with whole_crops(study.crop_folder):
                    write_crop_report(study.crop_folder)
            with whole_crops(study.crop_folder):
                progress = live.counter("Comparing", "photos")
                audit = audit_crops(study.crop_folder, origin=_origin(study, folder), progress=progress)
            return AuditResult(_write(audit, folder), audit.clean)


def audit_folder(study: Study) -> Folder:
    """Where the audit is written: `out`, by default runs/<data>-audit."""
    return Folder.at(study.spec.out or Path(RUNS) / f"{study.source.name}-audit")


def _origin(study: Study, folder: Folder) -> SplitOrigin:
    """A split that facet would draw is none of the photos' own, unless a run in this folder trains on it."""
    origin = split_origin(study)
    return "none" if origin == "drawn" and not folder.exists(STUDY_FILE) else origin


def _write(audit: Audit, folder: Folder) -> list[str]:
    """All files; the summary, line by line."""
    document, of_run = audit.document, folder.exists(STUDY_FILE)
    patch = publish(audit, folder, of_run=of_run)
    sheets = audit.folder if of_run else folder / SHEETS_FOLDER  # no photo gets into a run folder
    if not of_run:
        publish_sheets(audit, sheets)
        write_tables(audit_tables(document), folder)
        folder.write_text(AUDIT_PAGE, render_audit(document, sheets_at=SHEETS_FOLDER))
    shown = counted(len(document["sheets"]["files"]), "contact sheet")
    pages = [f"{folder}/{name}" for name in ([] if of_run else [AUDIT_PAGE])]
    edited = " (label_patch.csv there was edited and is left as it is)" if not of_run and patch == PROPOSED_FILE else ""
    return [
        f"Audit of {counted(document['data']['photos'], 'photo')} of {document['data']['name']}:",
        *(f"- {sentence}" for sentence in finding_sentences(document)),
        "",
        *fact_sentences(document),
        *([f"Copies side by side: {shown} in {sheets}. They show photos."] if document["sheets"]["files"] else []),
        f"Every pair: {FINDINGS_FILE}; what could be done: {patch}{edited}; all numbers: {AUDIT_FILE}; in {folder}",
        *(f"Look at: {page}" for page in pages),
    ]
