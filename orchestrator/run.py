"""A whole run, step by step: photos, crops, audit, protocols, trials, tables, figures, report."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from datasets.folder import Folder
from datasets.sample import write_sample
from datasets.shards import read_manifest, read_rows
from datasets.sources import SAMPLE
from orchestrator.audit.step import audit_run
from orchestrator.cluster import Capacity, connect, find_address, local_capacity, quiet_environment
from orchestrator.cropping import check_readable, crop_study, whole_crops
from orchestrator.division import Division, check_before_cropping, divide, settled, write_account
from orchestrator.energy import energy_of
from orchestrator.hypotheses.model import check_classes, load_hypotheses
from orchestrator.hypotheses.registry import chosen, register
from orchestrator.ledger import Ledger
from orchestrator.placement import Placement, place
from orchestrator.progress import LiveView
from orchestrator.quiet import quiet
from orchestrator.run_files import Session, locked, note_session, set_aside, write_detection, write_identity
from orchestrator.spec import Spec
from orchestrator.study import STUDY_FILE, Study, check_run_folder, make_study, sample_folder
from orchestrator.tracking import Tracker, check_tracking
from trainables.job import Cell
from trainables.weights import ensure_weights

if TYPE_CHECKING:  # torch and Tune take seconds to import, and cropping and plans do without
    from orchestrator.schedule import Failure


@dataclass
class RunResult:
    """What a call of `facet run` did."""

    run_folder: Folder
    num_planned: int
    num_finished: int
    num_run: int = 0
    failures: list[Failure] = field(default_factory=list)
    log: str = ""
    summary: dict[str, str] = field(default_factory=dict)


def run_study(
    spec: Spec,
    *,
    fresh: bool = False,
    strict_audit: bool = False,
    verbose: bool = False,
    view: LiveView | None = None,
) -> RunResult:
    """Do what `spec` says and is not done yet, then write all tables, figures and the report.

    `fresh`: rename an earlier run in the run folder first. `strict_audit`: raise FindingsError before training if the
    audit has a finding. Raises UserError before anything is computed, where the spec cannot be run, and after cropping,
    where the photos cannot support a protocol asked for. A trial that fails is in the result's `failures`; all others
    are kept.
    """
    quiet_environment()
    check_tracking(spec)
    with view or LiveView() as live:
        study, capacity, placement = prepare(spec, live, verbose=verbose, check_folder=not fresh)
        if fresh and study.run_folder.exists():
            with locked(study.run_folder):  # never under a call that still works in it
                set_aside(study.run_folder)
        with locked(study.run_folder):
            return _run_locked(study, capacity, placement, live, strict_audit=strict_audit, verbose=verbose)


def _run_locked(
    study: Study, capacity: Capacity, placement: Placement, live: LiveView, *, strict_audit: bool, verbose: bool
) -> RunResult:
    session, ledger = Session(cluster=capacity.description), Ledger(study.run_folder)
    if not study.run_folder.exists(STUDY_FILE):
        write_identity(study, capacity)
    before = ledger.keys()
    register(study.run_folder, chosen(study.run_folder, study.spec.hypotheses), trials_finished=len(before))
    with quiet(not verbose) as log:
        try:
            cropped = _crop_if_needed(study, capacity, placement, session, live, verbose=verbose)
            division = _divide(study, live, strict_audit=strict_audit)
            study = settled(study, division)
            write_identity(study, capacity)
            todo = [cell for cell, job in study.jobs.items() if job.key not in before]
            result = RunResult(study.run_folder, len(study.jobs), len(study.jobs) - len(todo), len(todo), log=log)
            with Tracker(study.spec, ledger, [job.key for job in study.jobs.values()]) as tracker:
                if todo:
                    from orchestrator.training import train_cells

                    if not cropped:  # else it has been said
                        live.say(f"Using {capacity.description}.")
                    connect(study.spec.address, verbose=verbose)
                    result.failures = train_cells(
                        study, division, todo, placement=placement, session=session, live=live, tracker=tracker
                    )
        finally:
            note_session(study, ledger, session, before)
    result.num_finished = len({job.key for job in study.jobs.values()} & ledger.keys())
    from orchestrator.rebuild import rebuild_report

    result.summary = rebuild_report(study.run_folder, problems=dict(tracker.problems))
    result.summary |= tracker.log_summary(study.crop_folder)
    return result


def _crop_if_needed(
    study: Study, capacity: Capacity, placement: Placement, session: Session, live: LiveView, *, verbose: bool
) -> bool:
    """Whether there was something to crop."""
    if read_manifest(study.crop_folder) is not None:
        return False
    started = time.monotonic()
    live.say(f"Using {capacity.description}.")
    connect(study.spec.address, verbose=verbose)
    with energy_of(session.add_energy):
        _, session.cropped = crop_study(study, placement, live)
    session.crop_s = time.monotonic() - started
    return True


def _divide(study: Study, live: LiveView, *, strict_audit: bool) -> Division:
    """Audit the crops, and divide them by what the audit found."""
    with whole_crops(study.crop_folder):
        check_readable(study)
        write_detection(study)
        photographs = audit_run(study, live, strict=strict_audit).photographs
        statuses = read_rows(study.crop_folder, ["status"]).column("status").to_pylist()
    division = divide(study, statuses, photographs.group)
    write_account(study, division)
    for sentence in division.refused.values():
        live.say(sentence)
    return division


def prepare(
    spec: Spec, live: LiveView, *, verbose: bool, check_folder: bool = True, train: bool = True, dry: bool = False
) -> tuple[Study, Capacity, Placement]:
    """Settle what can be settled before anything is computed; the generated sample is drawn if it is asked for.

    `train`: whether models are wanted, and so their starting weights. `dry`: nothing will be computed, and nothing is
    to be written. Raises UserError for whatever is wrong.
    """
    hypotheses = load_hypotheses(spec.hypotheses) if train else None
    if train:
        ensure_weights(spec.backbone, spec.weights, offline=spec.offline)
    if spec.data == SAMPLE:
        write_sample(sample_folder(spec), progress=live.counter("Drawing the sample", "photos"))
    study = make_study(spec, live.counter("Reading", "photos"), keep_hashes=not dry, train=train)
    if hypotheses is not None:
        check_classes(hypotheses, spec.hypotheses, study.source.classes)
        check_before_cropping(study)
    if check_folder:
        check_run_folder(study)
    capacity = _capacity(spec, verbose=verbose)
    return study, capacity, place(spec, capacity)


def _capacity(spec: Spec, *, verbose: bool) -> Capacity:
    """What is there, without starting a local Ray before it is needed."""
    import ray

    if ray.is_initialized() or find_address(spec.address) is not None:
        return connect(spec.address, verbose=verbose)
    return local_capacity()


def describe_result(result: RunResult) -> list[str]:
    """The closing summary: the audit's findings, what was done, and where to look."""
    lines = [f"Audit: {result.summary['Audit']}"] if "Audit" in result.summary else []
    lines += [f"{result.num_finished} of {result.num_planned} trials finished ({result.num_run} in this call)."]
    lines += [f"{title}: {text}" for title, text in result.summary.items() if title != "Audit"]
    lines += [f"FAILED {_name(failure.cell)}: {failure.reason}" for failure in result.failures]
    if result.failures:
        lines.append(f"What Ray and the trials wrote: {result.log}")
    return lines


def _name(cell: Cell) -> str:
    fold = f", fold {cell.fold}" if cell.protocol == "grouped_kfold" else ""
    return f"{cell.condition} ({cell.protocol}, seed {cell.seed}{fold})"
