"""`facet plan`: what a run will do, how long it takes, and whether it fits. Nothing is trained, or kept."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path

from datasets.errors import UserError
from orchestrator.hypotheses.model import load_hypotheses
from orchestrator.hypotheses.power_lines import assume, power_lines, prospects
from orchestrator.hypotheses.registry import chosen
from orchestrator.plan import describe_plan, plan_document
from orchestrator.planning.outlook import look_ahead
from orchestrator.planning.probing import MOST_PROCESSES, Probes
from orchestrator.progress import LiveView
from orchestrator.run import prepare
from orchestrator.spec import Spec


def plan_only(
    spec: Spec,
    *,
    check_folder: bool = True,
    verbose: bool = False,
    probe: bool = True,
    from_run: str | None = None,
    json_file: str | None = None,
    accuracy: float | None = None,
    deviation: float | None = None,
) -> dict[str, str]:
    """The plan's lines. Raises UserError for what cannot be run.

    check_folder: whether the run folder must fit the spec. probe: whether some steps are tried on this machine.
    from_run: a run folder whose times, and whose spread of answers, count. json_file: where the plan is written as JSON
    too. accuracy, deviation: how right answers will be, and how much that varies over seeds; see `power_lines.assume`.
    """
    hypotheses = load_hypotheses(spec.hypotheses)
    assumed = assume(accuracy, deviation, from_run, hypotheses)
    with LiveView() as live, Probes(_processes(spec)) if probe else nullcontext() as probes:
        study, capacity, placement = prepare(spec, live, verbose=verbose, check_folder=check_folder, dry=True)
        if probes is not None:
            live.say("Trying some training steps ...")
        outlook = look_ahead(study, placement, capacity, probes=probes, from_run=from_run)
    hypotheses = chosen(study.run_folder, spec.hypotheses)
    shown = prospects(study, hypotheses, assumed)
    if json_file is not None:
        power = {protocol: one.document() for protocol, one in shown.items()}
        text = (
            json.dumps(plan_document(study, placement, capacity, outlook, power), indent=1, ensure_ascii=False) + "\n"
        )
        try:
            Path(json_file).write_text(text, encoding="utf-8")
        except OSError as error:
            raise UserError(f"`--json` {json_file} cannot be written ({error.strerror}). Name another file.") from None
    return describe_plan(study, placement, capacity, outlook, power_lines(study, hypotheses, shown))


def _processes(spec: Spec) -> int:
    """How many trials may run at once on this machine, before it is known what there is beside cores."""
    import joblib

    cores = max(1, joblib.cpu_count() // spec.cpus_per_worker)
    return min(cores, MOST_PROCESSES, spec.max_concurrent_trials or cores)
