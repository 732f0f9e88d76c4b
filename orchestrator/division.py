"""How the protocols divide a study's photos: who is trained on, chosen on, reported, or left out, and why."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from datasets.photo import READABLE
from datasets.protocols import UNUSED, PhotoTable, assign_roles, check_protocol, describe
from datasets.shards import read_rows
from orchestrator.study import Study
from trainables.job import Part

PROTOCOLS_FILE = "protocols.json"


@dataclass(frozen=True)
class Division:
    """N photos that could be read, in the order of the crops.

    label_N: class index after the label patch. roles: by protocol, seed and fold, (N,) int8 of datasets/protocols.py.
    account: by protocol, how many photos play which role, and how many are left out by which rule.
    """

    label_N: np.ndarray
    roles: dict[Part, np.ndarray]
    account: dict[str, Any]


def divide(study: Study, photograph: np.ndarray) -> Division:
    """The division of a study whose crops are whole. Raises UserError where the photos cannot support a protocol.

    photograph: of every photo of the crops, equal for copies of one photograph (see datasets/copies).
    """
    statuses = read_rows(study.crop_folder, ["status"]).column("status").to_pylist()
    readable = np.flatnonzero([status in READABLE for status in statuses])
    used = ~np.asarray(study.patched.dropped)[readable]
    table = photo_table(study, readable, photograph[readable])
    kept = readable[used]
    photos = photo_table(study, kept, photograph[kept])
    roles, account = {}, {}
    for protocol in study.spec.protocols:
        check(study, photos, protocol)
        account[protocol] = describe(photos, protocol, **_settings(study))
        account[protocol]["patch"] = {name: count for name, count in study.patched.counts.items() if count}
        for part in dict.fromkeys(cell.part for cell in study.cells if cell.protocol == protocol):
            role_N = np.full(len(readable), UNUSED, np.int8)
            role_N[used] = assign_roles(photos, protocol, seed=part[1], fold=part[2], **_settings(study))
            roles[part] = role_N
    return Division(table.label, roles, account)


def check_before_cropping(study: Study) -> None:
    """Raise UserError for a protocol that the photos could not support even if none of them were copies."""
    kept = np.flatnonzero(~np.asarray(study.patched.dropped))
    photos = photo_table(study, kept, kept)
    for protocol in study.spec.protocols:
        check(study, photos, protocol)


def check(study: Study, photos: PhotoTable, protocol: str) -> None:
    """Raise UserError where `photos` cannot support `protocol`."""
    check_protocol(photos, protocol, source_name=study.source.name, **_settings(study))


def photo_table(study: Study, rows: np.ndarray, photograph: np.ndarray) -> PhotoTable:
    """The photos `rows` of the study, as protocols see them."""
    index_of = {name: index for index, name in enumerate(study.source.classes)}
    photos = [study.photos[row] for row in rows]
    return PhotoTable(
        path=np.array([photo.path for photo in photos], dtype=str),
        label=np.array([index_of[study.patched.labels[row]] for row in rows], dtype=np.int64),
        split=np.array([photo.split for photo in photos], dtype=str),
        subject=np.array([photo.subject for photo in photos], dtype=object),
        photograph=photograph,
        kept_conflict=np.asarray(study.patched.kept)[rows],
        classes=study.source.classes,
    )


def write_account(study: Study, division: Division) -> None:
    """`protocols.json` of the run folder."""
    text = json.dumps(division.account, indent=1, ensure_ascii=False) + "\n"
    study.run_folder.write_text(PROTOCOLS_FILE, text)


def _settings(study: Study) -> dict[str, Any]:
    return {"num_folds": study.spec.folds, "select_frac": study.spec.select_frac}
