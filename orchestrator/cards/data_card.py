"""`data_card.md`: what the photos of a run are, after Gebru et al. (2021), Datasheets for datasets, arXiv:1803.09010.

The layout is that of dataset cards of the Hugging Face Hub. No photo and no path is named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from huggingface_hub import DatasetCardData

from orchestrator.cards.markdown import Ready, render, table, view
from orchestrator.cards.statement import DataStatement
from orchestrator.report.audit_page import audit_tables
from orchestrator.report.audit_words import fact_sentences, finding_sentences
from orchestrator.report.context import ReportContext
from orchestrator.report.detection import ALL_CLASSES, ALL_SPLITS, classes_of, detection_table
from orchestrator.report.detection_words import findings, share_line
from orchestrator.report.notes import PROTOCOLS

DATA_CARD = "data_card.md"
_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"))
RULES = {
    "conflict": "Copies with several classes",
    "leak": "Copies of reported photos",
    "subject": "People who are also reported",
    "copy": "Further copies",
    "val_not_used": "Val split, not used",
}


@dataclass(frozen=True)
class CardProtocol:
    """How one protocol divides the photos."""

    name: str
    meaning: str
    photos: int
    roles: Ready
    left_out: Ready


def data_card(
    context: ReportContext, statement: DataStatement, *, study: Mapping[str, Any], protocols: Mapping[str, Any]
) -> str:
    """The card. study, protocols: what `study.json` and `protocols.json` hold, empty where there are none."""
    photos, audit = context.photos, context.audit
    return render(
        "data_card.md.j2",
        header=Ready(_header(context)),
        context=context,
        statement=statement,
        classes=[] if photos is None else classes_of(photos),
        num_photos=None if photos is None else len(photos),
        detection=None if photos is None else view("detection", detection_table(photos)),
        share="" if photos is None else share_line(photos),
        found=[] if photos is None else findings(photos),
        findings=[] if audit is None else finding_sentences(audit),
        facts=[] if audit is None else fact_sentences(audit),
        audited=[] if audit is None else _audit_views(audit),
        origin="" if audit is None else audit["data"]["splits_origin"],
        subjects=None if audit is None else audit["counts"]["subjects"],
        crop=study.get("CropConfig", {}),
        rare_class=study.get("rare_class", ""),
        patch=protocols.get("label_patch", {}),
        refused=list(protocols.get("refused", {}).values()),
        protocols=[_protocol(held) for held in protocols.get("protocols", {}).values()],
    )


def _audit_views(audit: Mapping[str, Any]) -> list[Ready]:
    """Conflicts, leaks, the ceiling of each split over all classes, and what photos of each class are like."""
    tables = audit_tables(audit)
    ceiling, photos = tables["audit_ceiling"], tables["audit_photos"]
    shown = {
        "audit_conflicts": tables["audit_conflicts"],
        "audit_leaks": tables["audit_leaks"],
        "audit_ceiling": ceiling[ceiling["class"] == ALL_CLASSES],
        "audit_photos": photos[photos["split"] == ALL_SPLITS],
    }
    return [view(name, frame) for name, frame in shown.items() if len(frame)]


def _header(context: ReportContext) -> str:
    data = DatasetCardData(
        pretty_name=" ".join(context.data_name.split()),
        task_categories=["image-classification"],
        size_categories=None if context.photos is None else [size_category(len(context.photos))],
        tags=["facial-expression-recognition", *(["synthetic"] if context.generated else [])],
    )
    return data.to_yaml()


def size_category(num_photos: int) -> str:
    """As the Hub calls it: `n<1K`, `1K<n<10K` and so on."""
    return next((name for limit, name in _SIZES if num_photos < limit), "10M<n<100M")


def _protocol(held: Mapping[str, Any]) -> CardProtocol:
    roles, left_out = held["roles"], held["left_out"]
    classes = list(roles["report"])
    rows = [[name, *(roles[role][name] for role in ("train", "select", "report"))] for name in classes]
    total = ["all classes", *(sum(roles[role].values()) for role in ("train", "select", "report"))]
    rules = {rule: counts for rule, counts in left_out.items() if sum(counts.values())}
    out = [[name, *(counts[name] for counts in rules.values())] for name in classes] if rules else []
    return CardProtocol(
        held["protocol"],
        PROTOCOLS.get(held["protocol"], ""),
        held["photos"],
        table(["Class", "Train", "Choose the epoch", "Report"], [*rows, total]),
        table(["Class", *(RULES.get(rule, rule) for rule in rules)], out) if rules else Ready(),
    )
