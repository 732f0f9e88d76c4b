"""A finished trial as the content of a tracker's run."""

from __future__ import annotations

from typing import Any

import pandas as pd

from orchestrator.ledger import Record
from orchestrator.tracking.content import CURVES, Confusion, RunContent, Table

_CONFIG = (
    *("condition", "protocol", "seed", "fold", "num_folds", "definition", "rare_class", "model", "train", "image_size"),
    *("weights", "spec_hash", "data_fingerprint", "data_generated", "classes", "num_train", "num_select", "num_eval"),
    *("num_parameters", "workers", "device", "versions"),
)


def run_name(record: Record) -> str:
    """Such as proposed-clean-s3, or proposed-grouped_kfold-s3-f0."""
    fold = f"-f{record['fold']}" if record["num_folds"] > 1 else ""
    return f"{record['condition']}-{record['protocol']}-s{record['seed']}{fold}"


def trial_content(record: Record, predictions: pd.DataFrame) -> RunContent:
    """Curves by epoch and stage, final metrics, scores by class and the confusion matrix; no photo and no photo's name.

    predictions: of this trial, with the columns `true_label` and `predicted_label`.
    """
    from sklearn.metrics import confusion_matrix  # takes a while to import, and a plan does without

    classes, true, answers = list(record["classes"]), predictions["true_label"], predictions["predicted_label"]
    return RunContent(
        id=record["key"],
        name=run_name(record),
        group=record["condition"],
        job_type=record["protocol"],
        finished_at=record["finished_at"],
        config={name: record[name] for name in _CONFIG},
        history=[epoch_values(epoch) for epoch in record["epochs"]],
        summary=final_values(record),
        tables={"class_scores": _class_scores(classes, true, answers)},
        confusion={"confusion": Confusion(classes, confusion_matrix(true, answers, labels=classes).tolist())},
    )


def epoch_values(epoch: dict[str, Any]) -> dict[str, Any]:
    """The epoch from 1, its stage, and every curve twice: under its name, and under <stage>/<name>."""
    values = {name: epoch[name] for name in CURVES}
    of_stage = {f"{epoch['stage']}/{name}": value for name, value in values.items()}
    return {"epoch": epoch["epoch"] + 1, "stage": epoch["stage"], **values, **of_stage}


def final_values(record: Record) -> dict[str, Any]:
    """The metrics of the chosen epoch as final/<metric>, that epoch from 1, and the sums of times."""
    known = {f"final/{name}": value for name, value in record["metrics"].items() if value is not None}
    times = {f"final/{name}": record[name] for name in ("wall_s", "compute_s", "interruptions")}
    return {"best_epoch": record["best_epoch"] + 1, **known, **times}


def _class_scores(classes: list[str], true: pd.Series, answers: pd.Series) -> Table:
    from sklearn.metrics import precision_recall_fscore_support

    precision, recall, f1, support = precision_recall_fscore_support(true, answers, labels=classes, zero_division=0.0)
    answered = [int((answers == name).sum()) for name in classes]
    columns = (classes, precision.tolist(), recall.tolist(), f1.tolist(), support.tolist(), answered)
    names = ("class", "precision", "recall", "f1", "photos", "answered")
    return Table(names, [list(row) for row in zip(*columns, strict=True)])
