"""The audit as a step of a run: after cropping, before training."""

from __future__ import annotations

from datasets.errors import FindingsError
from orchestrator.audit.document import SplitOrigin
from orchestrator.audit.examine import Audit, audit_crops
from orchestrator.audit.files import publish, withdraw_sheets
from orchestrator.audit.findings import FINDINGS_FILE
from orchestrator.progress import LiveView
from orchestrator.report.audit_words import finding_sentences
from orchestrator.study import Study


def audit_run(study: Study, live: LiveView, *, strict: bool = False) -> Audit:
    """Audit the study's crops, or read the audit that stands beside them; write it into the run folder and say it.

    `strict`: raise FindingsError if there is a finding. No picture gets into the run folder, and contact sheets that
    `facet audit` left there are taken out; they stand beside the crops.
    """
    audit = audit_crops(study.crop_folder, origin=split_origin(study), progress=live.counter("Comparing", "photos"))
    patch = publish(audit, study.run_folder)
    if withdraw_sheets(study.run_folder):
        live.say(f"Contact sheets of the audit are now in {audit.folder} alone: no photo stays in a run folder.")
    for sentence in finding_sentences(audit.document):
        live.say(f"Audit: {sentence}")
    if strict and not audit.clean:
        raise FindingsError(
            f"The audit has findings, and --strict-audit stops before training. See {FINDINGS_FILE} and {patch} in "
            f"{study.run_folder}, and the pictures in {audit.folder}. Mend the photos, or run without --strict-audit."
        )
    return audit


def split_origin(study: Study) -> SplitOrigin:
    """Whether the source gave the splits that the study trains and reports on."""
    return "given" if any(photo.split is not None for photo in study.source.photos) else "drawn"
