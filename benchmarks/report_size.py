"""How long a report takes to build, and how large its page is, for a study of 600 trials on 1,000 photos.

    python benchmarks/report_size.py
    python benchmarks/report_size.py --seeds 6 --folds 5                       as many, of protocol grouped_kfold
    python benchmarks/report_size.py --conditions 4 --seeds 6 --photos 200     a small one

Writes a ledger of invented trials into a temporary folder and builds its report. Prints the seconds of each step by the
clock and by the processor (a busy machine stretches the first alone); the last line is JSON.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from datasets.folder import Folder
from orchestrator.hypotheses.model import load_hypotheses
from orchestrator.hypotheses.registry import Registered
from orchestrator.ledger import PREDICTIONS_SCHEMA, Ledger
from orchestrator.report import build
from orchestrator.report.build import ReportContext, build_report
from search_spaces.conditions import all_conditions
from trainables.condition import Condition

CLASSES = ("anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise")
RARE = "fear"
SHARES = (0.1, 0.05, 0.03, 0.42, 0.2, 0.12, 0.08)
Step = tuple[float, float]
"""Seconds by the clock, and of the processor."""


def invent_study(
    folder: Folder, *, conditions: int, seeds: int, folds: int, photos: int, epochs: int
) -> tuple[str, ...]:
    """A ledger of that many trials, under protocol grouped_kfold if there are folds, else paper; their keys."""
    draws = np.random.default_rng(0)
    labels = draws.choice(len(CLASSES), photos, p=SHARES)
    named = [*all_conditions().items()][:conditions]
    named += [(f"variant_{place}", Condition(crop=place % 2 == 0)) for place in range(conditions - len(named))]
    ledger, keys, protocol = Ledger(folder), [], "paper" if folds == 1 else "grouped_kfold"
    for place, (name, condition) in enumerate(named):
        for seed, fold in itertools.product(range(seeds), range(folds)):
            skill = float(np.clip(0.6 + 0.01 * place + draws.normal(0, 0.02), 0.2, 0.95))
            mine = np.arange(photos) % folds == fold
            cell = {
                "condition": name,
                "protocol": protocol,
                "seed": seed,
                "fold": fold,
            }
            record, answered, excluded = invent_trial(cell, condition, labels, mine, skill, epochs, draws)
            ledger.write(record | {"num_folds": folds}, answered, excluded)
            keys.append(record["key"])
    return tuple(keys)


def invent_trial(
    cell: dict[str, Any],
    condition: Condition,
    labels: np.ndarray,
    mine: np.ndarray,
    skill: float,
    epochs: int,
    draws: np.random.Generator,
) -> tuple[dict[str, Any], pa.Table, pa.Table]:
    """A record, its predictions, and those on photos of the class left out.

    `mine`: which photos it reports; `skill`: its accuracy, about.
    """
    places, labels = np.flatnonzero(mine), labels[mine]
    classes = [label for label in CLASSES if not (condition.rare_class_excluded and label == RARE)]
    known = np.array([label in classes for label in CLASSES])[labels]
    logits_NK = draws.normal(0, 1, (len(labels), len(classes))).astype(np.float32)
    place_of = np.array([classes.index(label) if label in classes else 0 for label in CLASSES])[labels]
    right = draws.random(len(labels)) < skill
    logits_NK[np.flatnonzero(right), place_of[right]] += 6.0
    answers = np.array(classes)[logits_NK.argmax(axis=1)]
    key = f"{cell['condition']}-{cell['seed']}-{cell['fold']}"
    rows = pa.table(
        {
            "photo": [f"Test/{CLASSES[label]}/{place:05d}.jpg" for place, label in zip(places, labels, strict=True)],
            **{column: [value] * len(labels) for column, value in cell.items()},
            "true_label": np.array(CLASSES)[labels],
            "predicted_label": answers,
            "face_found": [True] * len(labels),
            "logits": list(logits_NK),
        },
        schema=PREDICTIONS_SCHEMA,
    )
    accuracy = float((answers == np.array(CLASSES)[labels])[known].mean())
    counts = {label: round(5000 * share) for label, share in zip(CLASSES, SHARES, strict=True) if label in classes}
    record = {
        **cell,
        "key": key,
        "definition": dict(condition.to_dict()),
        "model": {"backbone": "efficientnet_b0"},
        "weights": "invented",
        "data_fingerprint": "invented",
        "classes": classes,
        "num_train": sum(counts.values()),
        "num_select": 0,
        "train_counts": counts,
        "select_counts": {},
        "num_eval": int(known.sum()),
        "num_eval_with_face": int(known.sum()),
        "num_dropped": 0,
        "epochs": [invent_epoch(number, epochs, condition.staged, accuracy, draws) for number in range(epochs)],
        "best_epoch": epochs - 1,
        "metrics": {"accuracy": accuracy, "accuracy_with_face": accuracy, "macro_f1": accuracy - 0.1, "loss": 1.0},
        "wall_s": 100.0,
        "compute_s": 90.0 if condition.staged else 120.0,
        "interruptions": 0,
        "workers": 1,
        "device": "none",
        "versions": {"python": "3"},
        "finished_at": "2026-01-02T03:04:05Z",
        "predictions": f"predictions/{key}.parquet",
        "excluded": None if known.all() else f"predictions/{key}.excluded.parquet",
    }
    return record, rows.filter(pa.array(known)), rows.filter(pa.array(~known))


def invent_epoch(number: int, epochs: int, staged: bool, accuracy: float, draws: np.random.Generator) -> dict[str, Any]:
    """A curve that ends at that accuracy."""
    stage = ("head" if number < epochs // 4 else "finetune") if staged else "end_to_end"
    reached = accuracy * (1 - 0.6 * np.exp(-4 * (number + 1) / epochs)) + draws.normal(0, 0.01)
    return {
        "epoch": number,
        "stage": stage,
        "train_loss": 2.0 / (number + 1),
        "train_accuracy": float(min(reached + 0.05, 1.0)),
        "val_loss": 2.2 / (number + 1),
        "val_accuracy": float(reached),
        "val_macro_f1": float(reached) - 0.1,
        "wall_s": 5.0,
        "compute_s": 4.5 if staged else 6.0,
    }


@contextmanager
def timed_steps() -> Iterator[dict[str, Step]]:
    """What `build_report` calls, timed by name while this is open."""
    spent: dict[str, Step] = defaultdict(lambda: (0.0, 0.0))
    steps = [(build, name) for name, value in vars(build).items() if _is_step(value)]
    steps += [(Ledger, "read_all"), (Ledger, "read_predictions")]
    saved = [(owner, name, getattr(owner, name)) for owner, name in steps]
    try:
        for owner, name, function in saved:
            setattr(owner, name, _timed(name, function, spent))
        yield spent
    finally:
        for owner, name, function in saved:
            setattr(owner, name, function)


def _is_step(value: object) -> bool:
    within = str(getattr(value, "__module__", "")).startswith("orchestrator.report.")
    return within and callable(value) and not isinstance(value, type) and value is not build_report


def _timed(name: str, function: Callable[..., Any], spent: dict[str, Step]) -> Callable[..., Any]:
    def run(*arguments: Any, **options: Any) -> Any:
        clock_s, processor_s = time.perf_counter(), time.process_time()
        result = function(*arguments, **options)
        so_far = spent[name]
        spent[name] = (so_far[0] + time.perf_counter() - clock_s, so_far[1] + time.process_time() - processor_s)
        return result

    return run


def main() -> None:
    """Invent, build and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("conditions", 20), ("seeds", 30), ("folds", 1), ("photos", 1000), ("epochs", 20)):
        parser.add_argument(f"--{name}", type=int, default=default)
    sizes = vars(parser.parse_args())
    with tempfile.TemporaryDirectory() as path:
        folder = Folder.at(Path(path))
        keys = invent_study(folder, **sizes)
        context = ReportContext(
            keys=keys, title="Invented", data_name="invented", generated=True, spec_hash="none",
            data_fingerprint="none", num_planned=len(keys), registered=Registered(load_hypotheses(None)),
        )  # fmt: skip
        clock_s, processor_s = time.perf_counter(), time.process_time()
        with timed_steps() as steps:
            build_report(folder, context)
        clock_s, processor_s = time.perf_counter() - clock_s, time.process_time() - processor_s
        page_bytes = (Path(path) / "report.html").stat().st_size
    for name, (by_clock, by_processor) in sorted(steps.items(), key=lambda item: -item[1][0]):
        print(f"{by_clock:7.2f} s  {by_processor:7.2f} s of the processor  {name}")
    numbers = {"seconds": round(clock_s, 2), "processor_seconds": round(processor_s, 2), "page_bytes": page_bytes}
    print(json.dumps({"trials": len(keys), "photos": sizes["photos"], **numbers}))


if __name__ == "__main__":
    main()
