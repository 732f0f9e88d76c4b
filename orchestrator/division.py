"""How the protocols divide a study's photos: who is trained on, chosen on, reported, or left out, and why."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from datasets.errors import UserError
from datasets.photo import READABLE
from datasets.protocols import UNUSED, PhotoTable, assign_roles, check_protocol, describe
from orchestrator.study import Study
from trainables.job import Part

PROTOCOLS_FILE = "protocols.json"


@dataclass(frozen=True)
class Division:
    """N photos that could be read, in the order of the crops.

    label_N: class index after the label patch. roles: by protocol, seed and fold, (N,) int8 of datasets/protocols.py.
    account: by protocol, how many photos play which role (under the first seed and fold), and how many are left out by
    which rule. refused: by protocol that the photos do not support, a sentence that says why.
    """

    label_N: np.ndarray
    roles: dict[Part, np.ndarray]
    account: dict[str, Any]
    refused: dict[str, str]


def divide(study: Study, statuses: Sequence[str], photograph: np.ndarray) -> Division:
    """The division of a study by its crops. Raises UserError where the photos cannot support a protocol asked for.

    Of every photo, in order: its status, and a number that is equal for copies of one photograph (datasets/copies).
    """
    readable = np.flatnonzero([status in READABLE for status in statuses])
    used = ~np.asarray(study.patched.dropped)[readable]
    table = photo_table(study, readable, photograph[readable])
    kept = readable[used]
    photos = photo_table(study, kept, photograph[kept])
    roles: dict[Part, np.ndarray] = {}
    account: dict[str, Any] = {}
    refused: dict[str, str] = {}
    for protocol in study.protocols:
        try:
            check(study, photos, protocol)
        except UserError as error:
            if protocol not in study.may_refuse:
                raise
            refused[protocol] = f"Protocol {protocol} is left out. {error}"
            continue
        for part in dict.fromkeys(cell.part for cell in study.cells if cell.protocol == protocol):
            used_roles = assign_roles(photos, protocol, seed=part[1], fold=part[2], **_settings(study))
            account.setdefault(protocol, describe(photos, used_roles, protocol))
            roles[part] = np.full(len(readable), UNUSED, np.int8)
            roles[part][used] = used_roles
    return Division(table.label, roles, account, refused)


def without_refused(study: Study, division: Division) -> Study:
    """The study without the trials of protocols that its photos do not support."""
    return replace(study, jobs={cell: job for cell, job in study.jobs.items() if cell.protocol not in division.refused})


def check_before_cropping(study: Study) -> None:
    """Raise UserError for a protocol that the photos could not support even if none of them were copies."""
    kept = np.flatnonzero(~np.asarray(study.patched.dropped))
    photos = photo_table(study, kept, kept)
    for protocol in set(study.protocols) - study.may_refuse:
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
    patch = {name: count for name, count in study.patched.counts.items() if count}
    account = {"protocols": division.account, "refused": division.refused, "label_patch": patch}
    study.run_folder.write_text(PROTOCOLS_FILE, json.dumps(account, indent=1, ensure_ascii=False) + "\n")


def _settings(study: Study) -> dict[str, Any]:
    return {"num_folds": study.spec.folds, "select_frac": study.spec.select_frac}
