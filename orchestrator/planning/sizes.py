"""How many photos a trial trains on and answers, as far as it can be told before the photos are examined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from datasets.errors import UserError
from datasets.protocols import REPORT, SELECT, TRAIN, assign_roles
from orchestrator.division import check, photo_table
from orchestrator.study import Study
from trainables.job import TrialJob


@dataclass(frozen=True, slots=True)
class Rows:
    """Photos of a trial: trained on once an epoch, and answered once an epoch to choose it."""

    train: int
    select: int


@dataclass(frozen=True)
class Sizes:
    """Rows of every trial. rows: by protocol, and whether the rare class is left out."""

    rows: Mapping[tuple[str, bool], Rows]

    def of(self, job: TrialJob) -> Rows | None:
        """None where the photos do not support the trial's protocol, so that it will be left out."""
        return self.rows.get((job.protocol, job.condition.rare_class_excluded))


def estimate_sizes(study: Study) -> Sizes:
    """Counted under the first seed and fold as if no photo were a copy of another: what a protocol leaves out for that
    is known after the audit, so the counts are at most a little high.
    """
    kept = np.flatnonzero(~study.patched.dropped)
    photos = photo_table(study, kept, kept)
    rare = photos.label == list(photos.classes).index(study.rare_class) if study.rare_class in photos.classes else False
    rows = {}
    for protocol in study.protocols:
        try:
            check(study, photos, protocol)
            folds, select_frac = study.spec.folds, study.spec.select_frac
            roles = assign_roles(photos, protocol, seed=0, fold=0, num_folds=folds, select_frac=select_frac)
        except UserError:
            if protocol not in study.may_refuse:
                raise
            continue
        chosen_on = SELECT if (roles == SELECT).any() else REPORT
        for excluded in (False, True):
            counted = ~(rare & np.bool_(excluded))
            rows[protocol, excluded] = Rows(*(int(((roles == role) & counted).sum()) for role in (TRAIN, chosen_on)))
    return Sizes(rows)
