"""`models/<folder>/README.md`: what a kept model is good for, after Mitchell et al. (2019), Model cards for model
reporting, doi:10.1145/3287560.3287596. The layout is that of model cards of the Hugging Face Hub.

The numbers are those of the condition over all its seeds: the kept model is the best of them, and its own are
optimistic.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from huggingface_hub import EvalResult, ModelCardData

from orchestrator.cards.markdown import Ready, render, table, view
from orchestrator.cards.statement import DataStatement
from orchestrator.report.context import ReportContext
from orchestrator.report.intervals import Interval, seed_interval, wilson_interval
from orchestrator.report.notes import PROTOCOLS
from orchestrator.report.results import Group, Results
from orchestrator.report.skill import beats_majority
from orchestrator.report.wording import counted, number, percent, percent_interval
from search_spaces.conditions import title_of

MODEL_CARD = "README.md"
TASK = "image-classification"
_TRAINING = {True: "staged: first the classifier alone, then everything", False: "end to end, everything at once"}


@dataclass(frozen=True)
class ModelFacts:
    """What a card says of the condition of a model, from the finished trials of the run."""

    group: Group
    metrics: Ready
    classes: Ready
    confusion: Ready
    calibration: dict[str, Any]
    beats_majority: bool


def model_card(
    config: Mapping[str, Any],
    results: Results,
    context: ReportContext,
    tables: Mapping[str, pd.DataFrame],
    statement: DataStatement,
) -> str:
    """The card of the model that `config` (its config.json) describes.

    tables: by name, those about answers among them.
    """
    group = results.group(config["condition"], config["protocol"])
    facts = None if group is None else _facts(group, tables, context.draw_of)
    record = None if group is None else group.records[0]
    return render(
        "model_card.md.j2",
        header=Ready(_header(config, group, context)),
        title=title_of(config["condition"]),
        config=config,
        context=context,
        statement=statement,
        protocol_meaning=PROTOCOLS.get(config["protocol"], ""),
        training=_TRAINING[bool(config["definition"]["staged"])],
        group=group,
        facts=facts,
        record=record,
        recipe=[] if record is None else list(record.get("train", {}).items()),
        trained_on=[] if record is None else [(name, f"{count:g}") for name, count in record["train_counts"].items()],
        seeds="" if group is None else counted(len(group.seeds), "seed"),
        own_accuracy=percent(config["accuracy"]),
        chosen_accuracy=percent(config["accuracy_chosen_on"]),
        conflicts=0 if context.audit is None else context.audit["counts"]["conflicts"]["photographs"],
        leaks=0 if context.audit is None else context.audit["counts"]["leaks"]["photographs"],
        audited=context.audit is not None,
    )


def _header(config: Mapping[str, Any], group: Group | None, context: ReportContext) -> str:
    name = f"{config['condition']}-{config['protocol']}"
    metrics = [] if group is None else _evaluations(group, context)
    data = ModelCardData(
        pipeline_tag=TASK,
        tags=[
            "facial-expression-recognition",
            "efficientnet",
            "pytorch",
            *(["synthetic"] if context.generated else []),
        ],
        metrics=["accuracy", "f1"],
        model_name=name if metrics else None,
        eval_results=metrics or None,
    )
    return data.to_yaml()


def _evaluations(group: Group, context: ReportContext) -> list[EvalResult]:
    means = {"accuracy": ("Accuracy", group.accuracy_interval.mean), "f1": ("Macro F1", _macro_f1(group).mean)}
    seeds = counted(len(group.seeds), "seed")
    return [
        EvalResult(
            task_type=TASK,
            task_name="Facial expression recognition",
            dataset_type="imagefolder",
            dataset_name=" ".join(context.data_name.split()),
            dataset_args={"protocol": group.protocol, "fingerprint": context.data_fingerprint},
            metric_type=kind,
            metric_name=f"{heading}, mean of the condition over {seeds}",
            metric_value=round(value, 6),
        )
        for kind, (heading, value) in means.items()
        if not math.isnan(value)
    ]


def _facts(group: Group, tables: Mapping[str, pd.DataFrame], draw_of: Mapping[str, str]) -> ModelFacts:
    mine = {name: _of(tables[name], group) for name in ("calibration", "class_scores", "confusion")}
    calibration = {str(name): value for name, value in mine["calibration"].to_dict("records")[0].items()}
    return ModelFacts(
        group,
        _metrics(group, calibration),
        view("class_scores", mine["class_scores"].assign(title=group.title)),
        _confusion(mine["confusion"], group.classes),
        {
            "temperature": number(calibration["temperature_mean"], 2),
            "ece": percent(calibration["ece_mean"]),
            "expected": percent(calibration["ece_expected_mean"]),
            "ece_after": percent(calibration["ece_after_mean"]),
            "gap": calibration["gap_mean"],
        },
        beats_majority(group, draw_of),
    )


def _of(frame: pd.DataFrame, group: Group) -> pd.DataFrame:
    return frame[(frame["condition"] == group.condition) & (frame["protocol"] == group.protocol)]


def _metrics(group: Group, calibration: Mapping[str, Any]) -> Ready:
    accuracy, macro_f1 = group.accuracy_interval, _macro_f1(group)
    photos = wilson_interval(round(accuracy.mean * group.photos), group.photos)
    nll = [calibration[f"nll_{name}"] for name in ("mean", "low", "high")]
    ece = [calibration[f"ece_{name}"] for name in ("mean", "low", "high")]
    over = f"{accuracy.kind}, {counted(len(group.seeds), 'seed')}"
    rows = [
        ("Accuracy", percent_interval(accuracy.mean, accuracy.low, accuracy.high), over),
        ("Accuracy", percent_interval(accuracy.mean, photos.low, photos.high), f"{photos.kind}, {group.photos} photos"),
        ("Macro F1", percent_interval(macro_f1.mean, macro_f1.low, macro_f1.high), macro_f1.kind),
        ("Majority baseline", percent(group.majority_accuracy), f"always “{group.majority_class}”"),
        ("Expected calibration error", percent_interval(ece[0], ece[1], ece[2]), calibration["interval"]),
        ("Negative log-likelihood", _with_bounds(nll), calibration["interval"]),
    ]
    return table(["Metric", "Mean (95 % interval)", "Interval over"], rows)


def _with_bounds(values: list[float]) -> str:
    mean, low, high = (number(value, 3) for value in values)
    return f"{mean} ({low} to {high})" if low else mean


def _macro_f1(group: Group) -> Interval:
    return seed_interval(list(group.metric("macro_f1").values())).clipped()


def _confusion(frame: pd.DataFrame, classes: list[str]) -> Ready:
    counts = {(row["true_class"], row["answer"]): row["count"] for row in frame.to_dict("records")}
    rows = [[true, *(counts[true, answer] for answer in classes)] for true in classes]
    return table(["True class, answered:", *classes], rows)
