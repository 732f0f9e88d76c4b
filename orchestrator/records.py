"""From a finished trial to its ledger record and its table of predictions."""

from __future__ import annotations

import platform
import time
from importlib import metadata
from typing import Any

import numpy as np
import pyarrow as pa

from orchestrator.ledger import FORMAT, PREDICTIONS_SCHEMA, Record
from trainables.job import TrialJob, TrialOutcome

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
    state, logits = outcome.state, outcome.state.best_logits_EK
    assert logits is not None
    right = _predicted(outcome) == np.array(outcome.eval_labels)
    found = np.array(outcome.eval_found)
    return {
        "format": FORMAT,
        "key": job.key,
        "condition": job.name,
        "protocol": job.protocol,
        "seed": job.seed,
        "definition": job.condition.to_dict(),
        "rare_class": job.rare_class,
        "model": job.model.to_dict(),
        "train": job.train.to_dict(),
        **provenance,
        "classes": list(outcome.classes),
        "num_train": outcome.num_train,
        "num_eval": len(outcome.eval_paths),
        "num_eval_with_face": int(found.sum()),
        "num_parameters": outcome.num_parameters,
        "epochs": [record.to_dict() for record in state.epochs],
        "best_epoch": state.best_epoch,
        "metrics": {
            "accuracy": state.best.val_accuracy,
            "accuracy_with_face": float(right[found].mean()) if found.any() else None,
            "macro_f1": state.best.val_macro_f1,
            "loss": state.best.val_loss,
        },
        "wall_s": sum(record.wall_s for record in state.epochs),
        "compute_s": sum(record.compute_s for record in state.epochs),
        "interruptions": state.interruptions,
        "workers": workers,
        "device": device,
        "versions": versions(),
        "finished_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "predictions": f"predictions/{job.key}.parquet",
    }


def make_predictions(job: TrialJob, outcome: TrialOutcome) -> pa.Table:
    """One row a reported photo, of the best epoch, with the columns of PREDICTIONS_SCHEMA."""
    logits, num_rows = outcome.state.best_logits_EK, len(outcome.eval_paths)
    assert logits is not None
    return pa.table(
        {
            "photo": list(outcome.eval_paths),
            "condition": [job.name] * num_rows,
            "protocol": [job.protocol] * num_rows,
            "seed": [job.seed] * num_rows,
            "true_label": list(outcome.eval_labels),
            "predicted_label": _predicted(outcome).tolist(),
            "face_found": list(outcome.eval_found),
            "logits": logits.tolist(),
        },
        schema=PREDICTIONS_SCHEMA,
    )


def versions() -> dict[str, str]:
    """Python and the packages that decide numbers."""
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in RECORDED_PACKAGES}


def _predicted(outcome: TrialOutcome) -> np.ndarray:
    assert outcome.state.best_logits_EK is not None
    return np.array(outcome.classes)[outcome.state.best_logits_EK.argmax(dim=1).numpy()]
