"""Small run folders, as `facet run` leaves them, for the tests of `facet compare`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from datasets.folder import Folder
from orchestrator.hypotheses.model import Hypotheses, load_hypotheses
from orchestrator.hypotheses.registry import register
from orchestrator.ledger import PREDICTIONS_SCHEMA, Ledger
from orchestrator.spec import Spec
from tests.unit.report_fixtures import make_predictions, make_record

PHOTOS = 120


def labels(num: int = PHOTOS) -> list[str]:
    return ["anger", "joy", "joy", "joy", "sadness", "joy"] * (num // 6)


def trials(right: int, seeds: int = 6, conditions: Sequence[str] = ("proposed",), **changes: Any) -> list[dict]:
    """A trial a condition and seed, the first `right` photos right, one more under every second seed."""
    truth = changes.pop("true_labels", labels())
    return [
        make_record(name, seed, right + seed % 2, true_labels=truth, **changes)
        for name in conditions
        for seed in range(seeds)
    ]


def write_run(
    folder: Path,
    records: Sequence[dict],
    *,
    planned: int | None = None,
    width: int = 100,
    backbone: str = "tf_efficientnet_lite0",
    photo: str = "{}.png",
    data: str = "faces",
    fingerprint: str = "crops",
    image_size: int = 64,
    hypotheses: Hypotheses | None = None,
    **recipe: Any,
) -> str:
    """The folder's path. photo: how reported photos are named by their place. width: of every photo, pixels."""
    run, spec = Folder.at(folder), Spec(backbone=backbone, image_size=image_size, data="/home/me/faces", **recipe)
    predictions = make_predictions(records)
    predictions["photo"] = predictions["photo"].map(lambda name: photo.format(name.removesuffix(".png")))
    for number, record in enumerate(records):
        key = f"{folder.name}{number}"
        mine = [predictions[name] == record[name] for name in ("condition", "protocol", "seed", "fold")]
        rows = predictions[mine[0] & mine[1] & mine[2] & mine[3]]
        held = {name: value for name, value in record.items() if name != "labels"}
        held |= {"key": key, "predictions": f"predictions/{key}.parquet", "excluded": None}
        table = pa.Table.from_pandas(rows, schema=PREDICTIONS_SCHEMA, preserve_index=False)
        Ledger(run).write(held, table, table[:0])
    keys = [f"{folder.name}{number}" for number in range(planned or len(records))]
    plan = {
        "keys": keys,
        "data_name": data,
        "generated": False,
        "left_out": {},
        "crops": None,
        "crop_fingerprint": fingerprint,
    }
    study = spec.study() | {"data_fingerprint": fingerprint, "spec_hash": "0123", "format": 1}
    for name, content in (("plan", plan), ("study", study), ("environment", {"torch": "2.15.0"})):
        run.write_text(f"{name}.json", json.dumps(content))
    run.write_text("spec.yaml", yaml.safe_dump(dict(spec.to_dict())))
    shown = predictions.drop_duplicates("photo")
    lines = [f"{row.photo},{row.true_label},test,ok,{width},80,1,1,50,50,0.99,1,0" for row in shown.itertuples()]
    head = "path,label,split,status,width,height,left,top,right,bottom,probability,num_faces,rotation"
    run.write_text("photos.csv", "\n".join([head, *lines]) + "\n")
    register(run, hypotheses or load_hypotheses(None), 0)
    return str(folder)
