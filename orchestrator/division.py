"""How the protocols divide a study's photos: who is trained on, chosen on, reported, or left out, and why."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from datasets.errors import UserError
from datasets.fingerprint import fingerprint, fingerprint_of_rows
from datasets.left_out import independent_groups, linked_subjects
from datasets.patch_file import patch_content
from datasets.photo import OK, READABLE
from datasets.protocols import REPORT, SELECT, TRAIN, UNUSED, PhotoTable, assign_roles, check_protocol, describe
from orchestrator.hypotheses.draws import write_draws
from orchestrator.study import Study
from trainables.job import Cell, Part

PROTOCOLS_FILE = "protocols.json"
APPLIED_PATCH_FILE = "label_patch.applied.csv"


@dataclass(frozen=True)
class Division:
    """N photos that could be read, in the order of the crops; U of them are used, the label patch drops the others.

    label_N: class index after the patch. used_N, found_U: (N,) and (U,) bool, the second whether a face was found.
    photos: the U photos as protocols see them. digest: names all that decides roles but the settings of protocols.
    account: by protocol, how many photos play which role (under the first seed and fold), and how many are left out by
    which rule. refused: by protocol that the photos do not support, a sentence that says why.
    """

    label_N: np.ndarray
    used_N: np.ndarray
    found_U: np.ndarray
    photos: PhotoTable
    digest: str
    account: dict[str, Any] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


def divide(study: Study, statuses: Sequence[str], photograph: np.ndarray) -> Division:
    """The division of a study by its crops. Raises UserError where the photos cannot support a protocol asked for.

    Of every photo, in order: its status, and a number that is equal for copies of one photograph (datasets/copies).
    """
    readable = np.flatnonzero([status in READABLE for status in statuses])
    used = ~study.patched.dropped[readable]
    table = photo_table(study, readable, photograph[readable])
    # People are followed through photos that the patch drops too: a dropped copy may be what names the person.
    photos = replace(table, subject=linked_subjects(table)).take(used)
    found = np.array([statuses[row] == OK for row in readable.tolist()], bool)[used]
    division = Division(table.label, used, found, photos, _digest(photos))
    for protocol in study.protocols:
        try:
            check(study, photos, protocol)
            part = next(cell.part for cell in study.cells if cell.protocol == protocol)
            roles_U = _assign(study, division, part)
        except UserError as error:
            if protocol not in study.may_refuse:
                raise
            division.refused[protocol] = f"Protocol {protocol} is left out. {error}"
            continue
        division.account[protocol] = describe(photos, roles_U, protocol)
    return division


def roles_of(study: Study, division: Division, cells: Iterable[Cell]) -> dict[Part, np.ndarray]:
    """By protocol, seed and fold of `cells`: (N,) int8, the role of each photo. Raises UserError."""
    roles = {}
    for part in dict.fromkeys(cell.part for cell in cells):
        roles[part] = np.full(len(division.used_N), UNUSED, np.int8)
        roles[part][division.used_N] = _assign(study, division, part)
    return roles


def _assign(study: Study, division: Division, part: Part) -> np.ndarray:
    protocol, seed, fold = part
    roles_U = assign_roles(division.photos, protocol, seed=seed, fold=fold, **_settings(study))
    if study.spec.no_face == "drop":
        _check_faces(division, roles_U, part)
    return roles_U


def _check_faces(division: Division, roles_U: np.ndarray, part: Part) -> None:
    """Raise UserError where a class has photos in a role, but none with a face."""
    for role, purpose in ((TRAIN, "to train on"), (SELECT, "to choose the epoch on"), (REPORT, "to report")):
        for index, name in enumerate(division.photos.classes):
            mine = (roles_U == role) & (division.photos.label == index)
            if mine.any() and not division.found_U[mine].any():
                raise UserError(
                    f"`no_face` drop leaves class `{name}` no photo {purpose} under protocol `{part[0]}` "
                    f"(seed {part[1]}, fold {part[2]}): none of its {mine.sum()} there has a face. Write --no-face "
                    "full_frame, remove the class, or leave out the protocol."
                )


def _digest(photos: PhotoTable) -> str:
    """Of paths, labels, splits, people and copies: the same photos divided otherwise are other trials."""
    photograph = np.unique(photos.photograph, return_inverse=True)[1]
    columns = (photos.path, photos.label, photos.split, photos.subject, photograph, photos.kept_conflict)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return fingerprint_of_rows({"classes": list(photos.classes)}, "photos", (list(row) for row in rows))


def settled(study: Study, division: Division) -> Study:
    """The study without the trials of protocols that its photos do not support, and with the division in the keys of
    those that depend on it.
    """
    jobs = {
        cell: job if cell.protocol == "paper" else replace(job, key=fingerprint({job.key: division.digest}))
        for cell, job in study.jobs.items()
        if cell.protocol not in division.refused
    }
    return replace(study, jobs=jobs)


def check_before_cropping(study: Study) -> None:
    """Raise UserError for a protocol that the photos could not support even if none of them were copies."""
    kept = np.flatnonzero(~study.patched.dropped)
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
        kept_conflict=study.patched.kept[rows],
        classes=study.source.classes,
    )


def write_account(study: Study, division: Division) -> None:
    """`protocols.json` and `photo_groups.csv` of the run folder, and the label patch as it was applied."""
    patch = {name: count for name, count in study.patched.counts.items() if count}
    if study.spec.label_patch:
        study.run_folder.write_bytes(APPLIED_PATCH_FILE, patch_content(study.spec.label_patch))
    write_draws(study.run_folder, division.photos.path.tolist(), independent_groups(division.photos))
    account = {"protocols": division.account, "refused": division.refused, "label_patch": patch}
    study.run_folder.write_text(PROTOCOLS_FILE, json.dumps(account, indent=1, ensure_ascii=False) + "\n")


def _settings(study: Study) -> dict[str, Any]:
    return {"num_folds": study.spec.folds, "select_frac": study.spec.select_frac}
