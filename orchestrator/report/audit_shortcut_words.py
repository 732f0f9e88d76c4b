"""What the shortcut check found, in sentences made from `audit.json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.report.detection import ALL_CLASSES, ALL_SPLITS
from orchestrator.report.wording import p_value, percent

Document = Mapping[str, Any]


def flagged_rows(document: Document) -> list[dict[str, Any]]:
    """The rows of the shortcut table that are warned of, one a class or split that is told."""
    return _main_rows([row for row in document["tables"]["shortcuts"] if row["flagged"] == "yes"])


def shortcut_sentences(document: Document) -> list[str]:
    """A sentence a class or split that is flagged."""
    sentences = []
    for row in flagged_rows(document):
        everyone = row["target"] in (ALL_CLASSES, ALL_SPLITS)
        what = f"the {row['question']}" if everyone else f"{row['question']} “{row['target']}”"
        meaning = (
            "Pixels carry traces of it, which a model can learn in place of faces."
            if row["question"] == "class"
            else "The splits' files were not made alike: reported photos may not be of the kind that was trained on."
        )
        sentences.append(f"Warning, a shortcut: {what} can be told by file metadata alone, {_told(row)}. {meaning}")
    return sentences


def image_sentences(document: Document) -> list[str]:
    """What brightness, sharpness or the face's size tells: one sentence, or none."""
    rows = _main_rows([row for row in document["tables"]["shortcuts"] if row["features"] == "image"])
    told = "; ".join(f"{row['question']} “{row['target']}”, {_told(row)}" for row in rows)
    return [f"Told by brightness, sharpness or the face's size, which is no finding: {told}."] if told else []


def _main_rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Single classes that were told; where there is none, the best row of all classes together."""
    result = []
    for question in ("class", "split"):
        told = [row for row in rows if row["question"] == question and row["told"] == "yes"]
        single = [row for row in told if row["target"] not in (ALL_CLASSES, ALL_SPLITS)]
        result += single or sorted(told, key=lambda row: -row["balanced_accuracy"])[:1]
    return result


def _told(row: Mapping[str, Any]) -> str:
    p_text = p_value(row["p_value"])
    contrast = f" ({row['contrast']})" if row["contrast"] else ""
    return (
        f"balanced accuracy {percent(row['balanced_accuracy'])} where chance has {percent(row['chance'])}, corrected p "
        f"{p_text if p_text.startswith('<') else f'= {p_text}'}, best by {row['feature']}{contrast}"
    )
