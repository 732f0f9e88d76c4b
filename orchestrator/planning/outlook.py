"""What a run will take, put together: trials left, hours, memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from datasets.shards import read_manifest
from orchestrator.audit.place import PLAN_FILE
from orchestrator.cluster import Capacity
from orchestrator.ledger import Ledger
from orchestrator.placement import Placement
from orchestrator.planning.earlier import EarlierRun, named_earlier_run, own_earlier_run
from orchestrator.planning.hours import Hours, estimate_hours
from orchestrator.planning.measured import Need, ProbeRequest
from orchestrator.planning.memory import Memory, machines_of, photo_bytes, this_machine
from orchestrator.planning.pace import Pace, epochs_of, from_probe
from orchestrator.planning.probing import Probed, ProbeError, Probes
from orchestrator.planning.sizes import Sizes, estimate_sizes
from orchestrator.spec import read_yaml
from orchestrator.study import Study
from trainables.job import Cell, TrialJob

NO_PROBE, NOTHING_LEFT = "no step was tried (--no-probe)", "nothing is left to train"


@dataclass(frozen=True)
class Outlook:
    """What is done, what is left, and what that takes."""

    done: frozenset[Cell]
    sizes: Sizes
    hours: Hours
    memory: Memory


def look_ahead(
    study: Study, placement: Placement, capacity: Capacity, *, probes: Probes | None = None, from_run: str | None = None
) -> Outlook:
    """What is left of the study, and what it takes. Nothing is written.

    probes: processes that try some steps; None: nothing is tried. from_run: a run folder whose times count, in place of
    the study's own. Raises UserError for a `from_run` that tells nothing.
    """
    done, sizes = finished_cells(study), estimate_sizes(study)
    todo = [job for cell, job in study.jobs.items() if cell not in done and sizes.of(job) is not None]
    earlier = own_earlier_run(study, placement)
    if from_run is not None:
        earlier = named_earlier_run(from_run, study, placement)
    places = min(placement.concurrent_trials, len(todo))
    probed, why = _probe(study, todo, sizes, placement, probes, places) if todo else (None, "")
    pace = _pace(earlier, todo, sizes) or (from_probe(probed) if probed else None)
    if not todo:
        hours = Hours(None, why=NOTHING_LEFT)
    elif pace is None:
        hours = Hours(None, why=f"not estimated: {why}, and no earlier run tells. Name one with --from-run RUN_DIR")
    else:
        hours = estimate_hours(todo, sizes, pace, places=places, crop_s=_crop_seconds(study, earlier))
    need = probed.need if probed else None
    why_not = f"not measured: {why}" if todo else NOTHING_LEFT
    return Outlook(done, sizes, hours, _memory(study, placement, capacity, need, why_not))


def finished_cells(study: Study) -> frozenset[Cell]:
    """The study's trials that its run folder holds.

    Keys of protocols other than paper contain how the photos are divided, which is known after the audit: those that
    the last call asked for count, if it divided by the same settings.
    """
    folder, ledger = study.run_folder, Ledger(study.run_folder)
    wanted = {job.key for job in study.jobs.values()}
    if folder.exists(PLAN_FILE) and _divided_alike(study):
        wanted |= set(folder.read_json(PLAN_FILE)["keys"])
    return frozenset({Cell.of(ledger.read(key)) for key in ledger.keys() & wanted} & study.jobs.keys())


def _divided_alike(study: Study) -> bool:
    """Whether the last call's spec says the same of `folds` and `select_frac`."""
    if not study.run_folder.is_local or not study.run_folder.exists("spec.yaml"):
        return True
    held = read_yaml(study.run_folder.path("spec.yaml"))
    return all(held.get(name) == getattr(study.spec, name) for name in ("folds", "select_frac"))


def _pace(earlier: EarlierRun, todo: Sequence[TrialJob], sizes: Sizes) -> Pace | None:
    """That of the earlier run, if it has trials like all that are left."""
    if not earlier.records:
        return None
    pace = earlier.pace()
    rows = [(job, sizes.of(job)) for job in todo]
    return pace if all(size and pace.trial(job, size) for job, size in rows) else None


def _crop_seconds(study: Study, earlier: EarlierRun) -> float | None:
    """Seconds that cropping takes; None where no rate is known."""
    if read_manifest(study.crop_folder) is not None:
        return 0.0
    rate = earlier.crop_rate()
    return len(study.photos) / rate if rate else None


def _probe(
    study: Study,
    todo: Sequence[TrialJob],
    sizes: Sizes,
    placement: Placement,
    probes: Probes | None,
    places: int,
) -> tuple[Probed | None, str]:
    """What a probe found; or why there was none."""
    if probes is None:
        return None, NO_PROBE
    if placement.layout.gpus_per_worker and not _sees_gpu():
        return None, "the trials run on GPUs, and this machine shows none to try a step on"
    _, free = this_machine()

    def room(need: Need) -> int:
        return 1 + max(0, free - need.own) // need.own

    try:
        return probes.ask(probe_requests(study, todo, sizes, placement, places), room), ""
    except ProbeError as error:
        return None, str(error)


def probe_requests(
    study: Study, todo: Sequence[TrialJob], sizes: Sizes, placement: Placement, places: int
) -> list[ProbeRequest]:
    """What to try, once for each trial that will run at once: the steps that the trials left consist of."""
    spec, layout = study.spec, placement.layout
    variants = dict.fromkeys(
        ("eca_blocks" if job.condition.attention == "eca_blocks" else "eca", "head" if head else "end_to_end")
        for job in todo
        for head in epochs_of(job)
    )
    rows = [size for size in map(sizes.of, todo) if size is not None]
    batch = min(spec.batch_size, max(size.train for size in rows))
    fields = {
        "image_size": spec.image_size,
        "num_classes": len(study.source.classes),
        "batch_rows": max(2, -(-batch // layout.workers)),
        "eval_rows": max(1, -(-max(size.select for size in rows) // layout.workers)),
        "variants": sorted(variants),  # the heaviest stage first
        "model": todo[0].model.replace(weights="random"),
        "train": todo[0].train,
        "threads": layout.cpus_per_worker,
    }
    gpus = layout.gpus_per_worker
    devices = [f"cuda:{int(index * layout.workers * gpus)}" if gpus else "cpu" for index in range(places)]
    return [ProbeRequest.model_validate({**fields, "device": device}) for device in devices]


def _sees_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def _memory(study: Study, placement: Placement, capacity: Capacity, need: Need | None, why: str) -> Memory:
    layout = placement.layout
    if need is None:
        return Memory(None, why=why)
    return Memory(
        need,
        photos=photo_bytes(len(study.photos), study.spec.image_size),
        machines=machines_of(capacity, placement),
        team=layout.workers,
        workers_per_gpu=max(1, int(1 / layout.gpus_per_worker)) if layout.gpus_per_worker else 1,
    )
