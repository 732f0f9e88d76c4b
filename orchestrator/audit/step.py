"""The audit as a step of a run: after cropping, before training."""

from __future__ import annotations

from datasets.copies import CopyPair
from datasets.errors import FindingsError
from datasets.label_patch import PatchedPhotos
from datasets.photo import READABLE
from datasets.shards import read_rows
from orchestrator.audit.document import SplitOrigin
from orchestrator.audit.examine import Audit, audit_crops
from orchestrator.audit.files import publish, withdraw_sheets
from orchestrator.audit.findings import FINDINGS_FILE
from orchestrator.progress import LiveView
from orchestrator.report.audit_words import finding_sentences
from orchestrator.report.wording import listing
from orchestrator.study import Study


def audit_run(study: Study, live: LiveView, *, strict: bool = False) -> Audit:
    """Audit the study's crops, or read the audit that stands beside them; write it into the run folder and say it.

    `strict`: raise FindingsError if there is a finding that the study's label patch does not settle. No picture gets
    into the run folder, and contact sheets that `facet audit` left there are taken out; they stand beside the crops.
    """
    audit = audit_crops(study.crop_folder, origin=split_origin(study), progress=live.counter("Comparing", "photos"))
    patch = publish(audit, study.run_folder, of_run=True)
    if withdraw_sheets(study.run_folder):
        live.say(f"Contact sheets of the audit are now in {audit.folder} alone: no photo stays in a run folder.")
    for sentence in finding_sentences(audit.document):
        live.say(f"Audit: {sentence}")
    if strict and (left := _unsettled(audit, study)):
        raise FindingsError(
            f"The audit has findings ({left}), and --strict-audit stops before training. See {FINDINGS_FILE} and "
            f"{patch} in {study.run_folder}, and the pictures in {audit.folder}. Mend the photos, settle copies by "
            "--label-patch, or run without --strict-audit."
        )
    return audit


def _unsettled(audit: Audit, study: Study) -> str:
    """What is found and not settled by the study's label patch, in words; empty if there is nothing. Shortcuts are
    warnings: no patch could mend them.
    """
    pairs = sum(not _settled(pair, study.patched) for pair in audit.photographs.pairs)
    found = [
        (pairs, "pair of copies", "pairs of copies"),
        (_subjects_left(study), "subject in several splits", "subjects in several splits"),
    ]
    return listing([f"{count} {one if count == 1 else many}" for count, one, many in found if count])


def _settled(pair: CopyPair, patched: PatchedPhotos) -> bool:
    """Whether one of the two is dropped, or both are decided on and agree, or are to stay although they do not."""
    if patched.dropped[pair.a] or patched.dropped[pair.b]:
        return True
    agree = patched.labels[pair.a] == patched.labels[pair.b] or (patched.kept[pair.a] and patched.kept[pair.b])
    return bool(patched.decided[pair.a] and patched.decided[pair.b] and agree)


def _subjects_left(study: Study) -> int:
    """Subjects in several splits, counted over readable photos that the patch does not drop."""
    photos = read_rows(study.crop_folder, ["subject", "split", "status"]).to_pandas()
    photos = photos[photos["status"].isin(READABLE) & ~study.patched.dropped]
    return int((photos.groupby("subject")["split"].nunique() > 1).sum())


def split_origin(study: Study) -> SplitOrigin:
    """Whether the source gave the splits that the study trains and reports on."""
    return "given" if any(photo.split is not None for photo in study.source.photos) else "drawn"
