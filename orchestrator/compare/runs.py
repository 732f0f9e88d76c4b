"""The two run folders of a comparison, as they are read. Nothing is written into them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import yaml

from datasets.errors import UserError
from datasets.folder import Folder
from orchestrator.detection.photos import BOX, read_photos_csv
from orchestrator.division import APPLIED_PATCH_FILE, PROTOCOLS_FILE
from orchestrator.hypotheses.draws import read_draws
from orchestrator.hypotheses.registry import Registered, read_registered
from orchestrator.ledger import Ledger, Record
from orchestrator.report.results import Results, make_results
from orchestrator.study import STUDY_FILE

STUDY_PARTS = {"CropConfig", "ModelConfig", "TrainConfig"}
"""Of `study.json`: what is compared field by field."""
_PHOTO_COLUMNS = ["path", "label", "split", "status", "width", "height", *BOX]


@dataclass(frozen=True, eq=False)
class Run:
    """All that a comparison reads of one run. `name` is the folder's own, without where it lies."""

    name: str
    study: Mapping[str, Any]
    plan: Mapping[str, Any]
    spec: Mapping[str, Any]
    environment: Mapping[str, str]
    protocols: Mapping[str, Any]
    """`protocols.json`; empty where there is none."""
    patch: bytes
    """The label patch as it was applied; empty where there is none."""
    registered: Registered
    draw_of: Mapping[str, str]
    photos: pd.DataFrame | None
    """`photos.csv`; None where there is none."""
    results: Results

    @property
    def records(self) -> tuple[Record, ...]:
        """Every finished trial of the plan."""
        return self.results.records

    @property
    def num_planned(self) -> int:
        """Trials of the plan."""
        return len(self.plan["keys"])

    @property
    def seeds(self) -> list[int]:
        """Of the finished trials, ascending."""
        return sorted({record["seed"] for record in self.records})


def read_pair(first: str, second: str) -> tuple[Run, Run]:
    """The runs of two folders, which may be one. Raises UserError where one is no run or has nothing finished."""
    folders = [Folder.at(location) for location in (first, second)]
    runs = [_read(folder, name) for folder, name in zip(folders, ("RUN_A", "RUN_B"), strict=True)]
    return runs[0], runs[1]


def is_inside(folder: Folder, outer: Folder) -> bool:
    """Whether `folder` is `outer` or lies in it, links followed."""
    if folder.is_local != outer.is_local:
        return False
    mine, theirs = (os.path.realpath(one.base) if one.is_local else one.base for one in (folder, outer))
    return mine == theirs or mine.startswith(theirs.rstrip("/") + "/")


def _read(folder: Folder, argument: str) -> Run:
    try:
        if not (folder.exists(STUDY_FILE) and folder.exists("plan.json")):
            raise UserError(
                f"{argument} `{folder}` holds no run (no {STUDY_FILE}). Give the folder that `facet run` named."
            )
        return _read_run(folder, argument)
    except UserError:
        raise
    except OSError as error:
        raise UserError(
            f"{argument} `{folder}` cannot be read ({_one_line(error)}). Check the folder, or run `facet run` on it "
            "again, which makes what is missing."
        ) from None
    except (KeyError, IndexError, TypeError, ValueError, yaml.YAMLError) as error:
        # A file that `facet run` wrote holds something else, whatever the reader of it stumbles over.
        raise UserError(
            f"{argument} `{folder}` is damaged: a file in it does not hold what `facet run` writes "
            f"({type(error).__name__}: {_one_line(error)}). Run `facet run` on it again, or take a sound copy."
        ) from None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _read_run(folder: Folder, argument: str) -> Run:
    plan, study, ledger = folder.read_json("plan.json"), folder.read_json(STUDY_FILE), Ledger(folder)
    if "crop_fingerprint" not in plan or not study.keys() >= STUDY_PARTS:
        raise UserError(f"{argument} `{folder}` was written by an older version of facet. Run the study again.")
    records = ledger.read_all(plan["keys"])
    results = make_results(records, ledger.read_predictions(records))
    if not results.groups:
        raise UserError(
            f"{argument} `{folder}` has no finished condition yet ({len(records)} of {len(plan['keys'])} trials). "
            "Compare it once `facet run` has gone on."
        )
    return Run(
        name=folder.base.rpartition("/")[2],
        study=study,
        plan=plan,
        spec=yaml.safe_load(folder.read_bytes("spec.yaml")),
        environment=folder.read_json("environment.json"),
        protocols=folder.read_json(PROTOCOLS_FILE) if folder.exists(PROTOCOLS_FILE) else {},
        patch=folder.read_bytes(APPLIED_PATCH_FILE) if folder.exists(APPLIED_PATCH_FILE) else b"",
        registered=read_registered(folder),
        draw_of=read_draws(folder),
        photos=_read_photos(folder),
        results=results,
    )


def _read_photos(folder: Folder) -> pd.DataFrame | None:
    """`photos.csv`; None where there is none. Raises KeyError where it lacks a column."""
    photos = read_photos_csv(folder)
    return None if photos is None else photos[_PHOTO_COLUMNS]
