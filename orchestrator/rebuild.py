"""Tables, figures and report from what a run folder holds; the last step of `facet run`, and all of `facet report`."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import pandas as pd

from datasets.errors import UserError
from datasets.folder import Folder
from orchestrator.audit.files import read_document
from orchestrator.detection.files import where_to_look
from orchestrator.detection.photos import read_photos_csv
from orchestrator.division import PROTOCOLS_FILE
from orchestrator.energy import describe_energy
from orchestrator.hypotheses.draws import read_draws
from orchestrator.hypotheses.registry import read_registered
from orchestrator.ledger import Ledger, Record
from orchestrator.progress import duration
from orchestrator.report.audit_words import headline
from orchestrator.report.build import ReportContext, build_report
from orchestrator.report.detection_words import counts_line, warnings
from orchestrator.report.results import protocol_rank
from orchestrator.report.wording import counted, listing, percent_interval
from orchestrator.report.wrong_page import WRONG_PAGE, write_wrong_page
from orchestrator.study import STUDY_FILE

_RULES = {
    "conflict": "copies of one photograph with different classes",
    "leak": "copies of reported photos",
    "subject": "people who are also in reported photos",
    "copy": "further copies of a photograph",
    "val_not_used": "val split, not used",
}


def rebuild_report(run_folder: Folder, problems: Mapping[str, str] | None = None) -> dict[str, str]:
    """Write everything that is derived from the ledger; the summary's lines. Raises UserError if there is no run."""
    if not (run_folder.exists(STUDY_FILE) and run_folder.exists("plan.json")):
        raise UserError(f"`{run_folder}` holds no run (no {STUDY_FILE}). Give the folder that `facet run` named.")
    plan, ledger = run_folder.read_json("plan.json"), Ledger(run_folder)
    if "crop_fingerprint" not in plan:
        raise UserError(f"`{run_folder}` was written by an older version of facet. Run the study in a new folder.")
    records = ledger.read_all(plan["keys"])
    run_folder.delete(WRONG_PAGE)  # it shows photos: there only where it was just asked for
    ledger.write_merged_predictions(records)
    sessions = run_folder.read_json("sessions.json") if run_folder.exists("sessions.json") else []
    summary = _summary(records, sessions)
    trouble = {f"Not tracked ({name})": text for name, text in (problems or {}).items()}
    study, photos = run_folder.read_json(STUDY_FILE), read_photos_csv(run_folder)
    audit = _audit_of(run_folder, plan["crop_fingerprint"])
    crops = _crops_of(run_folder, plan["crops"], plan["crop_fingerprint"])
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
            registered=read_registered(run_folder),
            draw_of=read_draws(run_folder),
            environment=run_folder.read_json("environment.json"),
            photos=photos,
            audit=audit,
            crops=_crops_on_page(plan["crops"], plan["crop_fingerprint"]),
            left_out=plan["left_out"],
            summary=summary,
            notes=[*_division_notes(run_folder), *(f"{title}: {text}" for title, text in trouble.items())],
        ),
    )
    lines = {} if audit is None else {"Audit": headline(audit)}
    lines |= _photos(photos, plan["left_out"], crops) | _best(run_folder) | _verdicts(run_folder)
    return lines | summary | trouble | {"Look at": _places(run_folder)}


def _verdicts(run_folder: Folder) -> dict[str, str]:
    """The verdicts by protocol, in the words of table 5; and what makes them exploratory."""
    lines = {}
    for protocol, rows in _table(run_folder, "table5").groupby("protocol", sort=False):
        by_verdict = rows.groupby("verdict", sort=False)["assumption"].agg(list)
        lines[f"Verdicts ({protocol})"] = ", ".join(
            f"{listing(names)} {verdict}" for verdict, names in by_verdict.items()
        )
    registered = read_registered(run_folder)
    return lines | ({"Hypotheses": registered.note} if registered.note else {})


def _audit_of(run_folder: Folder, data_fingerprint: str) -> dict[str, Any] | None:
    """`audit.json` of these very photos."""
    document = read_document(run_folder)
    return document if document is not None and document["data"]["fingerprint"] == data_fingerprint else None


def _division_notes(run_folder: Folder) -> list[str]:
    """What the protocols left out, and what the label patch changed."""
    if not run_folder.exists(PROTOCOLS_FILE):
        return []
    held = run_folder.read_json(PROTOCOLS_FILE)
    notes = list(held["refused"].values())
    if held["label_patch"]:
        changes = listing([f"{count} {name}" for name, count in held["label_patch"].items()])
        notes.append(f"The label patch changes the data of every protocol, paper among them: {changes}.")
    for protocol, account in held["protocols"].items():
        counts = [f"{count} ({_RULES[rule]})" for rule, count in account["num_left_out"].items() if count]
        if counts:
            notes.append(f"Protocol {protocol} leaves out {listing(counts)} of {account['photos']} photos.")
    return notes


def show_wrong_photos(run_folder: Folder) -> dict[str, str]:
    """Write the local page of photos that every condition gets wrong, after `rebuild_report`; the summary's line.

    Raises FailedError where the crops are gone.
    """
    plan = run_folder.read_json("plan.json")
    return {
        "Wrong photos": write_wrong_page(run_folder, _crops_of(run_folder, plan["crops"], plan["crop_fingerprint"]))
    }


def _crops_of(run_folder: Folder, crops: str | None, crop_fingerprint: str) -> Folder:
    return (run_folder.beside("crops") if crops is None else Folder.at(crops)) / crop_fingerprint


def _crops_on_page(crops: str | None, crop_fingerprint: str) -> str:
    """Where the crops lie, for the page: without any absolute path."""
    return f"../crops/{crop_fingerprint}" if crops is None else crop_fingerprint


def _photos(photos: pd.DataFrame | None, left_out: Mapping[str, int], crops: Folder) -> dict[str, str]:
    if photos is None:
        return {}
    text = counts_line(photos) + "".join(f", {count} files {reason}" for reason, count in left_out.items())
    found = {"Detection": " ".join(sentences)} if (sentences := warnings(photos)) else {}
    sheets = {"Photos to look at": where} if (where := where_to_look(photos, crops)) else {}
    return {"Photos": text} | found | sheets


def _best(run_folder: Folder) -> dict[str, str]:
    """By protocol the condition of the highest mean accuracy in table 1, with its interval; of equals the first."""
    rows, lines = _table(run_folder, "table1").to_dict("records"), {}
    for protocol in sorted({row["protocol"] for row in rows}, key=protocol_rank):
        best = max((row for row in rows if row["protocol"] == protocol), key=lambda row: row["accuracy_mean"])
        accuracy = percent_interval(best["accuracy_mean"], best["accuracy_general_low"], best["accuracy_general_high"])
        over = "other photos" if best["seeds"] == 1 else "other seeds and photos"
        seeds = counted(best["seeds"], "seed")
        lines[f"Best condition ({protocol})"] = f"{best['condition']}, accuracy {accuracy} for {over}, {seeds}"
    return lines


def _table(run_folder: Folder, name: str) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(run_folder.read_bytes(f"tables/{name}.csv")))


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
    energy = describe_energy(sessions)
    return summary | ({"Energy": energy} if energy else {})


def _places(run_folder: Folder) -> str:
    return f"{run_folder}/report.html (tables/, figures/, models/, predictions.parquet and ledger/ beside it)"
