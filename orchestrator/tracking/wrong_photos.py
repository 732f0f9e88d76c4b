"""For --wandb-images alone: the face crops that a condition answers wrongly, without their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from datasets.folder import Folder
from datasets.shards import read_manifest, read_shard
from orchestrator.tracking.content import Picture
from orchestrator.tracking.private import alias

MOST = 32
"""Photos a condition and protocol."""


def wrong_photos(predictions: pd.DataFrame, crops: Folder, data_fingerprint: str) -> dict[str, list[Picture]]:
    """By condition and protocol, at most MOST faces that most seeds answer wrongly, with both labels.

    predictions: of the chosen epochs, with the columns of PREDICTIONS_SCHEMA. A photo without a found face is left out:
    its crop would be the whole photo. Empty where the crops are gone.
    """
    chosen = {
        f"wrong/{condition}-{protocol}": _most_wrong(rows)
        for (condition, protocol), rows in predictions.groupby(["condition", "protocol"])
    }
    faces = _faces(crops, {path for rows in chosen.values() for path in rows["photo"]})
    pictures = {
        key: [
            _picture(row, faces[row["photo"]], data_fingerprint)
            for row in rows.to_dict("records")
            if row["photo"] in faces
        ]
        for key, rows in chosen.items()
    }
    return {key: several for key, several in pictures.items() if several}


def _most_wrong(rows: pd.DataFrame) -> pd.DataFrame:
    """One row a photo: photo, true_label, answer (the commonest wrong one), wrong and asked (seeds)."""
    wrong = rows[rows["face_found"] & (rows["predicted_label"] != rows["true_label"])]
    asked = rows.groupby("photo").size()
    by_photo = wrong.groupby("photo").agg(
        true_label=("true_label", "first"),
        answer=("predicted_label", lambda answers: answers.mode().iloc[0]),
        wrong=("predicted_label", "size"),
    )
    by_photo = by_photo.assign(asked=asked.reindex(by_photo.index)).reset_index()
    return by_photo.sort_values(["wrong", "photo"], ascending=[False, True]).head(MOST)


def _faces(crops: Folder, wanted: set[str]) -> dict[str, bytes]:
    """The encoded faces of these paths; shard by shard, since all together may not fit into memory."""
    manifest = read_manifest(crops)
    faces: dict[str, bytes] = {}
    for shard in manifest.shards if manifest and wanted else ():
        if wanted.isdisjoint(read_shard(crops, shard, ["path"]).column("path").to_pylist()):
            continue
        rows = read_shard(crops, shard, ["path", "face"]).to_pylist()
        faces |= {row["path"]: row["face"] for row in rows if row["path"] in wanted and row["face"]}
    return faces


def _picture(row: Mapping[Any, Any], face: bytes, data_fingerprint: str) -> Picture:
    seeds = f"{row['wrong']} of {row['asked']} seeds"
    name = alias(data_fingerprint, row["photo"])
    return Picture(face, f"{row['true_label']}, answered {row['answer']} ({seeds}) #{name}")
