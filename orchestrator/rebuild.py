"""Tables, figures and report from what a run folder holds; the last step of `facet run`, and all of `facet report`."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import pandas as pd

from datasets.errors import UserError
from datasets.folder import Folder
from orchestrator.ledger import Ledger, Record
from orchestrator.progress import duration
from orchestrator.report.build import ReportContext, build_report
from orchestrator.study import STUDY_FILE


def rebuild_report(run_folder: Folder, problems: Mapping[str, str] | None = None) -> dict[str, str]:
    """Write everything that is derived from the ledger; the summary's lines. Raises UserError if there is no run."""
    if not (run_folder.exists(STUDY_FILE) and run_folder.exists("plan.json")):
        raise UserError(f"`{run_folder}` holds no run (no {STUDY_FILE}). Give the folder that `facet run` named.")
    plan, ledger = run_folder.read_json("plan.json"), Ledger(run_folder)
    records = ledger.read_all(plan["keys"])
    ledger.write_merged_predictions(records)
    sessions = run_folder.read_json("sessions.json") if run_folder.exists("sessions.json") else []
    summary = _summary(records, sessions)
    trouble = {f"Not tracked ({name})": text for name, text in (problems or {}).items()}
    study = run_folder.read_json(STUDY_FILE)
    build_report(
        run_folder,
        ReportContext(
            keys=tuple(plan["keys"]),
            title="Ablation study",
            data_name=plan["data_name"],
            generated=plan["generated"],
            spec_hash=study["spec_hash"],
            data_fingerprint=study["data_fingerprint"],
            num_planned=len(plan["keys"]),
            environment=run_folder.read_json("environment.json"),
            detection=_detection(run_folder),
            left_out=plan["left_out"],
            summary=summary,
            notes=[f"{title}: {text}" for title, text in trouble.items()],
        ),
    )
    return _photos(run_folder, plan["left_out"]) | _best(records) | summary | trouble | {"Look at": _places(run_folder)}


def _detection(run_folder: Folder) -> list[dict[str, Any]]:
    if not run_folder.exists("detection.csv"):
        return []
    table = pd.read_csv(io.BytesIO(run_folder.read_bytes("detection.csv")), keep_default_na=False)
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _photos(run_folder: Folder, left_out: Mapping[str, int]) -> dict[str, str]:
    rows = _detection(run_folder)
    totals = {name: sum(row[name] for row in rows) for name in ("photos", "faces", "no_face", "unreadable")}
    text = "{photos}: {faces} with a face, {no_face} without, {unreadable} unreadable".format(**totals)
    return {"Photos": text + "".join(f", {count} files {reason}" for reason, count in left_out.items())}


def _best(records: list[Record]) -> dict[str, str]:
    accuracies: dict[str, list[float]] = {}
    for record in records:
        accuracies.setdefault(record["condition"], []).append(record["metrics"]["accuracy"])
    if not accuracies:
        return {}
    mean, name = max((sum(values) / len(values), name) for name, values in accuracies.items())
    return {"Best condition": f"{name}, {mean:.1%} mean accuracy over {len(accuracies[name])} seeds"}


def _summary(records: list[Record], sessions: list[dict[str, Any]]) -> dict[str, str]:
    """Times, over all calls that computed something."""
    summary = {}
    if any(session["crop_s"] for session in sessions):
        summary["Cropping"] = duration(sum(session["crop_s"] for session in sessions))
    grid_s, num_trials = sum(s["grid_s"] for s in sessions), sum(s["trials"] for s in sessions)
    if num_trials:
        slot_s = sum(s["grid_s"] * s["concurrent"] for s in sessions)
        overhead_s = (slot_s - sum(s["training_s"] for s in sessions)) / num_trials
        at_once = max(session["concurrent"] for session in sessions)
        summary["Grid"] = f"{duration(grid_s)} for {num_trials} trials, {at_once} at a time"
        summary["Training"] = f"{duration(sum(record['compute_s'] for record in records))} of compute"
        summary["Overhead of scheduling"] = (
            f"{overhead_s:.1f} s a trial (time of a trial's place in which nothing trained)"
        )
    return summary


def _places(run_folder: Folder) -> str:
    return f"{run_folder}/report.html (tables/, figures/, models/, predictions.parquet and ledger/ beside it)"
