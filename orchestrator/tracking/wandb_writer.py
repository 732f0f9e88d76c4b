"""A program: reads runs as JSON lines (RunContent.to_dict) and writes each as W&B writes a run without network.

Run as a file, so that it imports nothing but W&B: `python wandb_writer.py FOLDER PROJECT PREFIX < lines`. Each run
appears in FOLDER whole, under its final name, or not at all; an earlier one of the same id is replaced. What is only
begun lies in folders whose names start with PREFIX. The program knows no key.
"""

from __future__ import annotations

import base64
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import wandb


def main() -> None:
    """Write the runs of standard input."""
    folder, project, prefix = Path(sys.argv[1]), *sys.argv[2:]
    for line in sys.stdin:
        write_run(json.loads(line), folder, project, prefix)


def write_run(content: dict[str, Any], folder: Path, project: str, prefix: str) -> None:
    """One run, as folder/offline-run-<time>-<id>."""
    with tempfile.TemporaryDirectory(prefix=prefix, dir=folder) as scratch:
        _log(content, scratch, project)
        (written,) = Path(scratch).glob("*/offline-run-*")
        for name in ("logs", "tmp"):  # they name folders of this machine
            shutil.rmtree(written / name, ignore_errors=True)
        for earlier in folder.glob(f"offline-run-*-{content['id']}"):
            shutil.rmtree(earlier)
        written.rename(folder / content["folder"])


def _log(content: dict[str, Any], scratch: str, project: str) -> None:
    run = wandb.init(
        project=project,
        id=content["id"],
        name=content["name"],
        group=content["group"],
        job_type=content["job_type"],
        config=content["config"],
        dir=scratch,
        mode="offline",
        settings=_settings(),
    )
    if content["history"]:
        run.define_metric("epoch", hidden=True)
        curves = [name for name in content["history"][0] if "/" not in name and name not in ("epoch", "stage")]
        stages = dict.fromkeys(epoch["stage"] for epoch in content["history"])
        for name in (*curves, *(f"{stage}/*" for stage in stages)):
            run.define_metric(name, step_metric="epoch")
    for epoch in content["history"]:
        run.log(epoch)
    media = _media(run, content, scratch)
    if media:
        run.log(media)
    run.summary.update(content["summary"])
    run.finish()


def _settings() -> wandb.Settings:
    return wandb.Settings(
        console="off",
        disable_git=True,
        host="facet",  # else the name of this machine
        save_code=False,
        silent=True,
        x_disable_machine_info=True,
        x_disable_meta=True,  # paths and command line stay here
        x_disable_stats=True,
        x_save_requirements=False,
    )


def _media(run: wandb.Run, content: dict[str, Any], scratch: str) -> dict[str, Any]:
    """Tables, charts and pictures by key."""
    step = len(content["history"])
    media: dict[str, Any] = {}
    for key, table in content["tables"].items():
        mixed = wandb.Table(columns=table["columns"], data=table["rows"], allow_mixed_types=True)
        media[key] = _bound(run, mixed, key, step)
    for key, confusion in content["confusion"].items():
        media[key] = _chart(run, confusion, key, step)
    for key, pictures in content["pictures"].items():
        media[key] = [_image(picture, scratch) for picture in pictures]
    return media


def _bound(run: wandb.Run, table: wandb.Table, key: str, step: int) -> wandb.Table:
    """The table as a file of the run. Logged as it is, W&B would also stage it as an artifact in the home folder, under
    an absolute path: the run could then be sent from this machine alone.
    """
    table.bind_to_run(run, key, step)
    return table


def _chart(run: wandb.Run, confusion: dict[str, Any], key: str, step: int) -> Any:
    names = confusion["classes"]
    rows: list[list[Any]] = [
        [true, answer, count]
        for true, counts in zip(names, confusion["counts_KK"], strict=True)
        for answer, count in zip(names, counts, strict=True)
    ]
    fields = {name: name for name in ("Actual", "Predicted", "nPredictions")}
    table = _bound(run, wandb.Table(columns=[*fields], data=[*rows]), f"{key}_table", step)
    return wandb.plot_table("wandb/confusion_matrix/v1", table, fields, {"title": "Confusion matrix"})


def _image(picture: dict[str, str], scratch: str) -> wandb.Image:
    """From a file, which is copied as it is."""
    encoded = base64.b64decode(picture["encoded"])
    suffix = ".png" if encoded.startswith(b"\x89PNG") else ".jpg"
    with tempfile.NamedTemporaryFile(suffix=suffix, dir=scratch, delete=False) as file:
        file.write(encoded)
    return wandb.Image(file.name, caption=picture["caption"] or None)


if __name__ == "__main__":
    main()
