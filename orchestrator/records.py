"""From a finished trial to its ledger record and its table of predictions."""

from __future__ import annotations

import platform
import time
from collections.abc import Sequence
from importlib import metadata
from typing import Any

import numpy as np
import pyarrow as pa

from orchestrator.ledger import FORMAT, PREDICTIONS_SCHEMA, Record
from trainables.job import Answers, TrialJob, TrialOutcome

RECORDED_PACKAGES = (
    "facet-ablation",
    "torch",
    "torchvision",
    "timm",
    "facenet-pytorch",
    "ray",
    "optuna",
    "numpy",
    "scikit-learn",
    "pillow",
)


def make_record(
    job: TrialJob, outcome: TrialOutcome, *, provenance: dict[str, Any], device: str, workers: int
) -> Record:
    """The ledger record of a finished trial. `provenance`: what the whole run shares (spec hash, data, weights)."""
    return {
        "format": FORMAT,
        "key": job.key,
        "condition": job.name,
        "protocol": job.protocol,
        "seed": job.seed,
        "fold": job.fold,
        "num_folds": job.num_folds,
        "definition": job.condition.to_dict(),
        "rare_class": job.rare_class,
        "model": job.model.to_dict(),
        "train": job.train.to_dict(),
        **provenance,
        "classes": list(outcome.classes),
        **_sizes(outcome),
        **_course(outcome),
        "metrics": _metrics(outcome),
        "workers": workers,
        "device": device,
        "versions": versions(),
        "finished_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "predictions": f"predictions/{job.key}.parquet",
        "excluded": f"predictions/{job.key}.excluded.parquet" if outcome.excluded.paths else None,
    }


def _sizes(outcome: TrialOutcome) -> dict[str, Any]:
    return {
        "num_train": sum(outcome.train_counts.values()),
        "num_select": sum(outcome.select_counts.values()),
        "num_eval": len(outcome.reported.paths),
        "num_eval_with_face": sum(outcome.reported.found),
        "num_dropped": outcome.num_dropped,
        "num_parameters": outcome.num_parameters,
        "train_counts": outcome.train_counts,
        "select_counts": outcome.select_counts,
    }


def _course(outcome: TrialOutcome) -> dict[str, Any]:
    state = outcome.state
    return {
        "epochs": [record.to_dict() for record in state.epochs],
        "best_epoch": state.best_epoch,
        "wall_s": sum(record.wall_s for record in state.epochs),
        "compute_s": sum(record.compute_s for record in state.epochs),
        "interruptions": state.interruptions,
    }


def _metrics(outcome: TrialOutcome) -> dict[str, float | None]:
    reported = outcome.reported
    right = _predicted(outcome.classes, reported) == np.array(reported.labels)
    found = np.array(reported.found)
    return {
        "accuracy": outcome.accuracy,
        "accuracy_with_face": float(right[found].mean()) if found.any() else None,
        "macro_f1": outcome.macro_f1,
        "loss": outcome.loss,
    }


def make_predictions(job: TrialJob, classes: Sequence[str], answers: Answers) -> pa.Table:
    """One row a photo, of the epoch chosen, with the columns of PREDICTIONS_SCHEMA."""
    num_rows = len(answers.paths)
    return pa.table(
        {
            "photo": list(answers.paths),
            "condition": [job.name] * num_rows,
            "protocol": [job.protocol] * num_rows,
            "seed": [job.seed] * num_rows,
            "fold": [job.fold] * num_rows,
            "true_label": list(answers.labels),
            "predicted_label": _predicted(classes, answers).tolist(),
            "face_found": list(answers.found),
            "logits": answers.logits_EK.tolist(),
        },
        schema=PREDICTIONS_SCHEMA,
    )


def versions() -> dict[str, str]:
    """Python and the packages that decide numbers."""
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in RECORDED_PACKAGES}


def _predicted(classes: Sequence[str], answers: Answers) -> np.ndarray:
    return np.array(classes)[answers.logits_EK.argmax(dim=1).numpy()]
