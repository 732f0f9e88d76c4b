"""The one writer of a run folder while trials run: an actor on the driver's machine.

Trials may run on machines that share no disk with the driver; what they produce travels through Ray to this actor.
"""

from __future__ import annotations

import json
from typing import Any

from safetensors.torch import save as to_safetensors

from datasets.folder import Folder
from orchestrator.ledger import Ledger, Record
from orchestrator.records import make_predictions, make_record
from trainables.job import TrialJob, TrialOutcome


class RunRecorder:
    """Writes checkpoints, models, predictions and, last, the ledger record of every trial."""

    def __init__(self, run_folder: Folder, provenance: dict[str, Any]) -> None:
        self._folder, self._provenance = run_folder, provenance
        self._ledger = Ledger(run_folder)

    def load_checkpoint(self, key: str) -> bytes | None:
        """What an interrupted trial left, or None."""
        name = f"checkpoints/{key}.pt"
        return self._folder.read_bytes(name) if self._folder.exists(name) else None

    def save_checkpoint(self, key: str, content: bytes) -> None:
        """Replace the trial's checkpoint."""
        self._folder.write_bytes(f"checkpoints/{key}.pt", content)

    def finish(self, job: TrialJob, outcome: TrialOutcome, device: str, workers: int) -> None:
        """Keep a finished trial: the model if it is its condition's best, then predictions, then the record."""
        record = make_record(job, outcome, provenance=self._provenance, device=device, workers=workers)
        self._keep_best_model(record, outcome)
        excluded = make_predictions(job, outcome.classes, outcome.excluded)
        self._ledger.write(record, make_predictions(job, outcome.classes, outcome.reported), excluded)
        self._folder.delete(f"checkpoints/{job.key}.pt")

    def _keep_best_model(self, record: Record, outcome: TrialOutcome) -> None:
        """The trial of highest accuracy on the photos that its epoch was chosen on; of equals the lowest seed, fold.

        `models/<condition>/` for protocol paper, `models/<condition>-<protocol>/` for others.
        """
        protocol = record["protocol"]
        folder = self._folder / "models" / (record["condition"] + ("" if protocol == "paper" else f"-{protocol}"))
        if folder.exists("config.json"):
            held = folder.read_json("config.json")
            if self._ledger.has(held["trial"]) and _rank(held) >= _rank(_model_config(record)):
                return
        folder.write_bytes("model.safetensors", to_safetensors(_contiguous(outcome.state.best_weights)))
        folder.write_text("config.json", json.dumps(_model_config(record), indent=1, ensure_ascii=False) + "\n")


def _rank(config: dict[str, Any]) -> tuple[float, int, int]:
    return config["accuracy_chosen_on"], -config["seed"], -config["fold"]


def _model_config(record: Record) -> dict[str, Any]:
    """All that is needed to rebuild the network and read its outputs."""
    copied = (
        "condition",
        "protocol",
        "seed",
        "fold",
        "definition",
        "model",
        "classes",
        "weights",
        "data_fingerprint",
        "versions",
    )
    return {
        "trial": record["key"],
        **{name: record[name] for name in copied},
        "image_size": record["image_size"],
        "input": "face crop" if record["definition"]["crop"] else "full frame",
        "accuracy": record["metrics"]["accuracy"],
        "accuracy_chosen_on": record["epochs"][record["best_epoch"]]["val_accuracy"],
        "best_epoch": record["best_epoch"],
        "note": "The trial of highest accuracy on the photos that its epoch was chosen on (protocol paper: the "
        "reported ones); tables/table1.csv has the mean over seeds.",
    }


def _contiguous(weights: dict[str, Any]) -> dict[str, Any]:
    return {name: tensor.contiguous() for name, tensor in weights.items()}
