"""The study that a spec asks for: its photos, its trials, its run folder. Nothing is computed yet."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets.copies import COPIES_FORMAT
from datasets.cropper import CropConfig
from datasets.errors import UserError
from datasets.fingerprint import fingerprint
from datasets.folder import Folder
from datasets.hashes import HashCache, hash_photos
from datasets.label_patch import LabelPatch, PatchedPhotos, apply_patch, read_patch
from datasets.protocols import ROLES_FORMAT
from datasets.shards import crop_fingerprint
from datasets.sources import SAMPLE, Photo, Source, SourceConfig, open_source
from datasets.splits import split_source
from orchestrator.audit.place import holds_audit_alone
from orchestrator.spec import AUTO, Spec
from search_spaces.conditions import select_conditions
from trainables.job import FORMAT, Cell, TrialJob
from trainables.recipe import ModelConfig, TrainConfig

STUDY_FILE = "study.json"
RUNS = "runs"
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Study:
    """The photos and settings of a spec, named by what they are."""

    spec: Spec
    source: Source
    photos: tuple[Photo, ...]
    hashes: tuple[str, ...]
    """SHA-256 of every photo's file, in order; empty for one that cannot be read."""
    patched: PatchedPhotos
    crop_fingerprint: str
    """Names the crops: the photos as the source has them, and how they are cropped."""
    data_fingerprint: str
    """Names the data that is trained on: the crops, and the label patch where there is one."""
    spec_hash: str
    rare_class: str
    jobs: Mapping[Cell, TrialJob]

    @property
    def cells(self) -> list[Cell]:
        """Every trial, seed by seed, so that an interrupted run leaves whole pairs."""
        return list(self.jobs)

    @property
    def protocols(self) -> tuple[str, ...]:
        """The protocols that are run."""
        return tuple(dict.fromkeys(cell.protocol for cell in self.jobs))

    @property
    def may_refuse(self) -> frozenset[str]:
        """Protocols that are left out, not an error, where the photos turn out not to support them."""
        return frozenset({"clean"} if self.spec.protocols == (AUTO,) else ())

    @property
    def run_folder(self) -> Folder:
        """Where the run is kept."""
        default = Path(RUNS) / f"{self.source.name}-{self.spec.preset}-{self.spec_hash[:8]}"
        return Folder.at(self.spec.out or default)

    @property
    def crop_folder(self) -> Folder:
        """Where the cropped photos are kept."""
        return crops_root(self.spec) / self.crop_fingerprint

    @property
    def hash_cache(self) -> HashCache:
        """Where the hashes of the photos' files are kept."""
        return HashCache.of(crops_root(self.spec), self.source)


def sample_folder(spec: Spec) -> Path:
    """Where the generated sample stands."""
    out = spec.out if spec.out and "://" not in spec.out else None
    return (Path(out).parent if out else Path(RUNS)) / SAMPLE


def crops_root(spec: Spec) -> Folder:
    """Where the cropped sets are kept, one folder a set."""
    return Folder.at(spec.crops) if spec.crops else Folder.at(spec.out or Path(RUNS) / "any").beside("crops")


def make_study(spec: Spec, progress: Progress | None = None, *, keep_hashes: bool = True, train: bool = True) -> Study:
    """Read the source and enumerate the trials. Raises UserError for whatever the photos cannot support.

    `keep_hashes`: whether the hashes of the photos' files are written beside the crops, for the next call. `train`:
    whether there must be something to train; cropping and an audit ask no more of the classes than to be two.
    """
    location = str(sample_folder(spec)) if spec.data == SAMPLE else spec.data
    source = open_source(location)
    photos = split_source(source, SourceConfig.part_of(spec), strict=train)
    rare_class = _rare_class(spec, source) if train else spec.rare_class
    cache = HashCache.of(crops_root(spec), source)
    hashes = hash_photos(source, photos, cache=cache, keep=keep_hashes, progress=progress)
    if not any(hashes):
        raise UserError(f"No photo of `--data {location}` can be read, such as `{photos[0].path}`. Check the paths.")
    crops = crop_fingerprint(photos, hashes, CropConfig.part_of(spec))
    patch = read_patch(spec.label_patch) if train and spec.label_patch else LabelPatch()
    patched = apply_patch(patch, photos, hashes, source.classes)
    data = fingerprint({"crops": crops, "patch": patch.sha256}) if patch.lines else crops
    study = _identity(spec, rare_class, data)
    jobs = {job.cell: job for job in _jobs(spec, study, rare_class)}
    return Study(spec, source, photos, tuple(hashes), patched, crops, data, fingerprint(study), rare_class, jobs)


def _jobs(spec: Spec, study: dict[str, Any], rare_class: str) -> Iterator[TrialJob]:
    conditions = select_conditions(spec.conditions)
    protocols = ("paper", "clean") if spec.protocols == (AUTO,) else spec.protocols
    for seed, protocol in itertools.product(range(spec.seeds), protocols):
        num_folds = spec.folds if protocol == "grouped_kfold" else 1
        for fold, (name, condition) in itertools.product(range(num_folds), conditions.items()):
            cell = Cell(name, protocol, seed, fold)
            identity = study | cell._asdict() | {"name": name, "condition": condition.to_dict()}
            yield TrialJob(
                key=fingerprint(identity | _division(spec, protocol)),
                name=name,
                protocol=protocol,
                seed=seed,
                fold=fold,
                num_folds=num_folds,
                condition=condition,
                model=ModelConfig.part_of(spec),
                train=TrainConfig.part_of(spec),
                rare_class=rare_class,
            )


def _division(spec: Spec, protocol: str) -> dict[str, Any]:
    """What else decides who plays which role under `protocol`."""
    if protocol == "paper":
        return {}
    folds = {"folds": spec.folds} if protocol == "grouped_kfold" else {}
    return {"select_frac": spec.select_frac, "copies": COPIES_FORMAT, "roles": ROLES_FORMAT} | folds


def check_run_folder(study: Study) -> None:
    """Raise UserError if the run folder holds another study, or files that are not a run's."""
    folder = study.run_folder
    if folder.is_local and Path(folder.base).is_file():
        raise UserError(f"`out` {folder} is a file. Name a folder.")
    try:
        if not folder.exists():
            return
    except OSError as error:
        raise UserError(f"`out` {folder} cannot be reached ({' '.join(str(error).split())}).") from None
    if folder.exists(STUDY_FILE):
        held, new = folder.read_json(STUDY_FILE), json.loads(study_text(study))
        if held != new:
            raise UserError(
                f"`out` {folder} holds another spec's run ({_difference(held, new)}). "
                "Choose another --out, or --fresh to set that run aside."
            )
    elif folder.is_local and holds_other_files(folder):
        raise UserError(f"`out` {folder} is not empty and holds no run. Choose another --out.")


def holds_other_files(folder: Folder) -> bool:
    """Whether a local folder that is no run's holds files that are no audit's either."""
    named = any(not path.name.startswith(".") for path in Path(folder.base).iterdir())
    return named and not holds_audit_alone(folder)


def study_text(study: Study) -> str:
    """What `study.json` of a run folder holds: all that decides results, but the grid."""
    held = _identity(study.spec, study.rare_class, study.data_fingerprint)
    return json.dumps(held | {"spec_hash": study.spec_hash}, indent=1, ensure_ascii=False) + "\n"


def _identity(spec: Spec, rare_class: str, data_fingerprint: str) -> dict[str, Any]:
    return spec.study() | {"format": FORMAT, "rare_class": rare_class, "data_fingerprint": data_fingerprint}


def _rare_class(spec: Spec, source: Source) -> str:
    """The source's own spelling of the rare class."""
    for name in source.classes:
        if name.casefold() == spec.rare_class.casefold():
            if len(source.classes) < 3 and any(
                c.rare_class_excluded for c in select_conditions(spec.conditions).values()
            ):
                raise UserError(f"Without `rare_class` {name} a single class is left. Choose conditions that keep it.")
            return name
    if not any(condition.rare_class_excluded for condition in select_conditions(spec.conditions).values()):
        return spec.rare_class
    raise UserError(
        f"`rare_class` {spec.rare_class} is no class of `--data {source.name}`, which has {', '.join(source.classes)}. "
        "Name the class to leave out with --rare-class."
    )


def _difference(old: dict[str, Any], new: dict[str, Any]) -> str:
    if old.get("data_fingerprint") != new["data_fingerprint"] and old.get("CropConfig") == new["CropConfig"]:
        return "other photos, or another label patch"
    for part in ("CropConfig", "ModelConfig", "TrainConfig"):
        for name, value in new[part].items():
            if old.get(part, {}).get(name) != value:
                return f"`{name}` is {old.get(part, {}).get(name)} there and {value} here"
    if old.get("format") != new["format"]:
        return "made by another version of facet"
    return f"`rare_class` is {old.get('rare_class')} there and {new['rare_class']} here"
