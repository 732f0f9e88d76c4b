"""Hand-made trials for the tests of the report: records as orchestrator/records.py makes them, and predictions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from orchestrator.hypotheses.model import load_hypotheses
from orchestrator.hypotheses.registry import Registered
from orchestrator.report.context import ReportContext
from orchestrator.report.results import Results, make_results
from search_spaces.conditions import all_conditions
from trainables.condition import Condition

CLASSES = ("anger", "joy", "sadness")
TRUE_LABELS = ("anger",) * 4 + ("joy",) * 12 + ("sadness",) * 4
"""20 reported photos; always answering joy scores 0.6."""


def make_record(
    condition: str,
    seed: int,
    num_right: int = 14,
    *,
    protocol: str = "paper",
    val_accuracies: Sequence[float] = (0.3, 0.5, 0.7),
    true_labels: Sequence[str] = TRUE_LABELS,
    classes: Sequence[str] = CLASSES,
    **changes: Any,
) -> dict[str, Any]:
    """A record that carries its labels under `labels`, for `make_predictions`. The first photos are the right ones."""
    definition = all_conditions().get(condition, Condition())
    wrong = [classes[(list(classes).index(label) + 1) % len(classes)] for label in true_labels]
    accuracy = num_right / len(true_labels)
    record = {
        "key": f"{condition}-{protocol}-{seed}",
        "condition": condition,
        "protocol": protocol,
        "seed": seed,
        "fold": 0,
        "num_folds": 1,
        "definition": dict(definition.to_dict()),
        "model": {"backbone": "tiny"},
        "weights": "none",
        "data_fingerprint": "abc",
        "classes": list(classes),
        "num_train": 100,
        "num_select": 0,
        "select_counts": {},
        "train_counts": {"anger": 20, "joy": 60, "sadness": 20} if classes == CLASSES else dict.fromkeys(classes, 10),
        "num_eval": len(true_labels),
        "num_eval_with_face": len(true_labels),
        "num_dropped": 0,
        "epochs": [make_epoch(number, value, definition.staged) for number, value in enumerate(val_accuracies)],
        "best_epoch": len(val_accuracies) - 1,
        "metrics": {"accuracy": accuracy, "accuracy_with_face": accuracy, "macro_f1": accuracy / 2, "loss": 1.0},
        "wall_s": 3.0 * len(val_accuracies),
        "compute_s": (1.0 if definition.staged else 2.0) * len(val_accuracies),
        "interruptions": 0,
        "workers": 1,
        "device": "cpu (x86_64)",
        "versions": {"python": "3.11.7", "torch": "2.15.0"},
        "finished_at": "2026-01-02T03:04:05Z",
        "labels": (list(true_labels), [*true_labels[:num_right], *wrong[num_right:]]),
    }
    return record | changes


def make_epoch(number: int, val_accuracy: float, staged: bool) -> dict[str, Any]:
    stage = ("head" if number < 1 else "finetune") if staged else "end_to_end"
    seconds = {"wall_s": 3.0, "compute_s": 1.0 if staged else 2.0}
    losses = {"train_loss": 1.0 / (number + 1), "val_loss": 1.2, "train_accuracy": 0.5}
    return {"epoch": number, "stage": stage, "val_accuracy": val_accuracy, "val_macro_f1": 0.3} | losses | seconds


def make_predictions(records: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """One row a record and photo."""
    columns = [
        "condition",
        "protocol",
        "seed",
        "fold",
        "photo",
        "true_label",
        "predicted_label",
        "face_found",
        "logits",
    ]
    rows = [
        (
            record["condition"],
            record["protocol"],
            record["seed"],
            record["fold"],
            f"{place}.png" if record["num_folds"] == 1 else f"{record['fold']}-{place}.png",
            true,
            answer,
            True,
            _logits(record["classes"], true, answer),
        )
        for record in records
        for place, (true, answer) in enumerate(zip(*record["labels"], strict=True))
    ]
    return pd.DataFrame(rows, columns=columns)


def _logits(classes: Sequence[str], true: str, answer: str) -> list[float]:
    """Highest for the answer, then for the true class: what is left when the answer is masked is right."""
    return [2.0 * (name == answer) + (name == true) for name in classes]


def results_of(records: Sequence[dict[str, Any]]) -> Results:
    return make_results(records, make_predictions(records))


def make_study(num_seeds: int, times: int = 1) -> list[dict[str, Any]]:
    """The proposed condition ahead of every other, by more than seeds differ, on `times` 20 photos."""
    worse = ("minus_crop", "minus_attention", "minus_staging", "plus_rare_class", "eca_mtcnn", "baseline_cnn")
    records = []
    for seed in range(num_seeds):
        photos = {"true_labels": TRUE_LABELS * times}
        records.append(make_record("proposed", seed, 17 * times + seed % 2, **photos))
        right, late = 13 * times + seed % 2, (0.3, 0.4, 0.5)
        records += [make_record(name, seed, right, val_accuracies=late, **photos) for name in worse]
    return records


def make_context(**changes: Any) -> ReportContext:
    fields: dict[str, Any] = {
        "keys": (),
        "title": "A study",
        "data_name": "faces",
        "generated": False,
        "spec_hash": "0123",
        "data_fingerprint": "abc",
        "num_planned": 4,
        "registered": Registered(load_hypotheses(None), 0, "2026-01-02T00:00:00Z"),
    }
    return ReportContext(**(fields | changes))


def make_photos(counts: dict[tuple[str, str], tuple[int, int]], **columns: Any) -> pd.DataFrame:
    """Rows of photos.csv: (found, photos) by class and split, the found ones first. `columns` are added."""
    rows = [
        {"path": f"{split}/{label}/{place}.jpg", "label": label, "split": split, "status": "ok"}
        | ({} if place < found else {"status": "no_face"})
        for (label, split), (found, photos) in counts.items()
        for place in range(photos)
    ]
    frame = pd.DataFrame(rows).assign(width=100, height=80, left=10.0, top=5.0, right=40.0, bottom=45.0)
    frame["probability"] = [1 - place / 1000 for place in range(len(frame))]
    frame.loc[frame["status"] != "ok", ["left", "top", "right", "bottom", "probability"]] = float("nan")
    return frame.assign(**columns)
