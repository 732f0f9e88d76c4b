"""What a run will do, settled before anything is computed: photos, crops, cells, what is left, what fits where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from datasets.cropper import CropConfig
from datasets.errors import UserError
from datasets.fingerprint import fingerprint
from datasets.folder import Folder
from datasets.pipeline import CropResources
from datasets.shards import crop_fingerprint, hash_photos, read_manifest
from datasets.sources import SAMPLE, Photo, Source, SourceConfig, open_source
from datasets.splits import split_source
from orchestrator.cluster import Capacity
from orchestrator.ledger import Ledger
from orchestrator.spec import Spec
from search_spaces.conditions import select_conditions
from search_spaces.grid import Cell
from trainables.job import TrialJob
from trainables.recipe import ModelConfig, TrainConfig
from trainables.weights import describe_weights
from trainables.worker import WorkerLayout, cell_of

PROTOCOL = "paper"
"""Folders as they are, and the best epoch chosen on the reported photos, as published."""
STUDY_FILE = "study.json"
RUNS = "runs"


@dataclass(frozen=True)
class Study:
    """The photos and settings of a spec, named by what they are."""

    spec: Spec
    source: Source
    photos: tuple[Photo, ...]
    data_fingerprint: str
    spec_hash: str
    rare_class: str
    jobs: Mapping[Cell, TrialJob]

    @property
    def cells(self) -> list[Cell]:
        """Every (condition, protocol, seed), seed by seed, so that an interrupted run leaves whole pairs."""
        return list(self.jobs)

    @property
    def run_folder(self) -> Folder:
        """Where the run is kept."""
        default = Path(RUNS) / f"{self.source.name}-{self.spec.preset}-{self.spec_hash[:8]}"
        return Folder.at(self.spec.out or default)

    @property
    def crop_folder(self) -> Folder:
        """Where the cropped photos are kept."""
        root = Folder.at(self.spec.crops) if self.spec.crops else self.run_folder.beside("crops")
        return root / self.data_fingerprint


@dataclass(frozen=True)
class Placement:
    """How the trials and the cropping share the cluster."""

    layout: WorkerLayout
    concurrent_trials: int
    crops: CropResources


def sample_folder(spec: Spec) -> Path:
    """Where the generated sample stands."""
    out = spec.out if spec.out and "://" not in spec.out else None
    return (Path(out).parent if out else Path(RUNS)) / SAMPLE


def make_study(spec: Spec) -> Study:
    """Read the source and enumerate the trials. Raises UserError for whatever the photos cannot support."""
    location = str(sample_folder(spec)) if spec.data == SAMPLE else spec.data
    source = open_source(location)
    photos = split_source(source, SourceConfig.part_of(spec))
    rare_class = _rare_class(spec, source)
    data = crop_fingerprint(photos, hash_photos(photos, source.reader), CropConfig.part_of(spec))
    study = spec.study() | {"rare_class": rare_class, "data_fingerprint": data}
    jobs = {}
    for seed in range(spec.seeds):
        for name, condition in select_conditions(spec.conditions).items():
            identity = {**study, "name": name, "condition": condition.to_dict(), "protocol": PROTOCOL, "seed": seed}
            job = TrialJob(
                key=fingerprint(identity),
                name=name,
                protocol=PROTOCOL,
                seed=seed,
                condition=condition,
                model=ModelConfig.part_of(spec),
                train=TrainConfig.part_of(spec),
                rare_class=rare_class,
            )
            jobs[cell_of(job)] = job
    return Study(spec, source, photos, data, fingerprint(study), rare_class, jobs)


def place(spec: Spec, capacity: Capacity) -> Placement:
    """Fit trials and cropping onto the cluster. Raises UserError for what could never be placed."""
    gpus = spec.gpus_per_trial if spec.gpus_per_trial is not None else min(1.0, capacity.gpus)
    layout = WorkerLayout(
        workers=spec.workers_per_trial,
        cpus_per_worker=spec.cpus_per_worker,
        gpus_per_worker=gpus / spec.workers_per_trial,
    )
    slots = capacity.slots(layout.cpus_per_worker, layout.gpus_per_worker)
    if slots < layout.workers:
        raise UserError(_why_not(layout, gpus, capacity))
    concurrent = min(slots // layout.workers, spec.max_concurrent_trials or slots)
    return Placement(layout, concurrent, _place_crops(spec, capacity))


def check_run_folder(study: Study) -> None:
    """Raise UserError if the run folder holds another study, or files that are not a run's."""
    folder = study.run_folder
    if not folder.exists():
        return
    if folder.exists(STUDY_FILE):
        held = folder.read_bytes(STUDY_FILE).decode().strip()
        if held != study_text(study).strip():
            raise UserError(
                f"`out` {folder} holds another spec's run ({_difference(held, study)}). "
                "Choose another --out, or --fresh to set that run aside."
            )
    elif folder.is_local and any(Path(folder.base).iterdir()):
        raise UserError(f"`out` {folder} is not empty and holds no run. Choose another --out.")


def study_text(study: Study) -> str:
    """What `study.json` of a run folder holds: all that decides results, but the grid."""
    import json

    held = study.spec.study() | {"rare_class": study.rare_class, "data_fingerprint": study.data_fingerprint}
    return json.dumps(held | {"spec_hash": study.spec_hash}, indent=1, ensure_ascii=False) + "\n"


def describe_plan(study: Study, placement: Placement, capacity: Capacity) -> dict[str, str]:
    """The plan, line by line, as `facet plan` prints it."""
    finished = Ledger(study.run_folder).keys() & {job.key for job in study.jobs.values()}
    manifest = read_manifest(study.crop_folder)
    splits = Counter(photo.split for photo in study.photos)
    return {
        "Data": f"{study.source.name}, {len(study.photos)} photos ({', '.join(f'{n} {s}' for s, n in splits.items())})",
        "Classes": ", ".join(study.source.classes) + f" (rare class: {study.rare_class})",
        "Data fingerprint": study.data_fingerprint,
        "Crops": f"{study.crop_folder} ({'there' if manifest else f'to be made by {placement.crops.num_workers} workers'})",
        "Weights": f"{study.spec.backbone}, {describe_weights(study.spec.backbone, study.spec.weights)}",
        "Conditions": ", ".join(dict.fromkeys(job.name for job in study.jobs.values())),
        "Protocol": f"{PROTOCOL} (best epoch chosen on the reported photos, as published)",
        "Trials": f"{len(study.jobs)} ({study.spec.seeds} seeds): {len(finished)} done, {len(study.jobs) - len(finished)} to run",
        "Cluster": capacity.description,
        "Each trial": _describe_layout(placement.layout),
        "At once": f"{placement.concurrent_trials} trials",
        "Run folder": str(study.run_folder),
    }


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
        f"`rare_class` {spec.rare_class} is not a class of `--data {source.name}`, which has {', '.join(source.classes)}. "
        "Name the class to leave out with --rare-class."
    )


def _place_crops(spec: Spec, capacity: Capacity) -> CropResources:
    gpus = spec.gpus_per_crop_worker if spec.gpus_per_crop_worker is not None else min(1.0, capacity.gpus)
    slots = capacity.slots(1.0, gpus)
    wanted = spec.crop_workers or slots
    if slots < max(1, wanted):
        raise UserError(
            f"`crop_workers` {wanted} of 1 core and {gpus:g} GPUs do not fit: {capacity.description}. "
            "Lower --crop-workers or --gpus-per-crop-worker."
        )
    return CropResources(num_workers=wanted, num_gpus=gpus)


def _why_not(layout: WorkerLayout, gpus: float, capacity: Capacity) -> str:
    if gpus > capacity.gpus:
        return (
            f"`gpus_per_trial` asks for {gpus:g} GPUs, but there are {capacity.gpus:g}: {capacity.description}. "
            "Lower --gpus-per-trial (0 trains on the CPU)."
        )
    return (
        f"A trial of {layout.workers} workers with {layout.cpus_per_worker} cores and {layout.gpus_per_worker:g} GPUs each "
        f"does not fit: {capacity.description}. Lower --workers-per-trial, --cpus-per-worker or --gpus-per-trial."
    )


def _describe_layout(layout: WorkerLayout) -> str:
    workers = "in one process" if layout.workers == 1 else f"{layout.workers} workers (DDP)"
    return f"{workers}, {layout.cpus_per_worker} cores and {layout.gpus_per_worker:g} GPUs a worker"


def _difference(held: str, study: Study) -> str:
    import json

    old, new = json.loads(held), json.loads(study_text(study))
    if old.get("data_fingerprint") != new["data_fingerprint"] and old.get("CropConfig") == new["CropConfig"]:
        return "other photos"
    for part in ("CropConfig", "ModelConfig", "TrainConfig"):
        for name, value in new[part].items():
            if old.get(part, {}).get(name) != value:
                return f"`{name}` is {old.get(part, {}).get(name)} there and {value} here"
    return f"`rare_class` is {old.get('rare_class')} there"
