"""A run folder with hand-made finished trials, a crop set for it, and a W&B server that notes what it is told."""

from __future__ import annotations

import gzip
import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from datasets.cropper import CropConfig
from datasets.folder import Folder
from datasets.shards import SCHEMA, CropManifest, write_manifest, write_shard
from orchestrator.ledger import PREDICTIONS_SCHEMA, Ledger
from tests.unit.report_fixtures import make_predictions, make_record

KEY = "0123456789abcdef0123456789abcdef01234567"


def finished_run(folder: Path, *, seeds: int = 1, conditions: tuple[str, ...] = ("proposed",)) -> Ledger:
    """Trials of three epochs, the first of which trains the head; photos are called people/<place>.png."""
    ledger = Ledger(Folder.at(folder))
    for condition in conditions:
        for seed in range(seeds):
            record = full_record(condition, seed)
            rows = make_predictions([record]).assign(photo=lambda rows: "people/" + rows["photo"])
            table = pa.Table.from_pandas(rows[PREDICTIONS_SCHEMA.names], PREDICTIONS_SCHEMA, preserve_index=False)
            del record["labels"]
            ledger.write(record, table, PREDICTIONS_SCHEMA.empty_table())
    return ledger


def full_record(condition: str = "proposed", seed: int = 0, **changes: Any) -> dict[str, Any]:
    """As orchestrator/records.py makes it, with all that trackers read."""
    record = make_record(condition, seed)
    record["epochs"] = [epoch | {"learning_rate": 0.001} for epoch in record["epochs"]]
    more = {
        "key": f"{condition}{seed}".ljust(16, "0"),
        "finished_at": f"2026-01-02T03:04:{seed:02d}Z",
        "rare_class": "fear",
        "train": {"epochs": 3, "head_epochs": 1},
        "image_size": 64,
        "spec_hash": "feedc0de00000000",
        "data_generated": True,
        "num_parameters": 1000,
        "predictions": f"predictions/{condition}{seed}.parquet",
        "excluded": None,
    }
    return record | more | changes


def write_report(folder: Path) -> None:
    """Some of what a report leaves in a run folder: tables, one of which names photos, and a figure."""
    run_folder = Folder.at(folder)
    table1 = "condition,protocol,seeds,accuracy_mean,accuracy_low,accuracy_high,macro_f1_mean\n"
    run_folder.write_text("tables/table1.csv", table1 + "proposed,paper,1,0.7,0.5,0.85,0.35\n")
    table5 = "assumption,claim,protocol,p_value,verdict,reason\n"
    run_folder.write_text("tables/table5.csv", table5 + "A1,Faces help,paper,0.25,undecided,1 seed: too few.\n")
    run_folder.write_text("tables/hard.csv", "photo,class,wrong\npeople/3.png,NA,6\n")
    run_folder.write_text("photos.csv", photos_csv())
    picture = io.BytesIO()
    Image.new("RGB", (8, 8), "white").save(picture, "PNG")
    run_folder.write_bytes("figures/figure3.png", picture.getvalue())


def photos_csv() -> str:
    """One row a photo of `finished_run`."""
    columns = "path,label,split,status,width,height,left,top,right,bottom,probability,num_faces,rotation\n"
    return columns + "".join(f"people/{place}.png,joy,test,ok,9,9,1,1,5,5,0.9,1,0\n" for place in range(20))


def crop_set(folder: Path) -> Folder:
    """Crops of those photos, each of a grey of its own; on the last no face was found."""
    rows = [
        {"path": f"people/{place}.png", "label": "joy", "split": "test", "status": "ok" if place < 19 else "no_face"}
        | {"face": grey_png(place) if place < 19 else None, "frame": grey_png(200)}
        for place in range(20)
    ]
    crops = Folder.at(folder)
    table = pa.Table.from_pylist(rows, SCHEMA)
    names = [write_shard(crops, index, table.slice(start, 7)) for index, start in enumerate(range(0, 20, 7))]
    manifest = CropManifest("abc", "people", False, dict(CropConfig().to_dict()), ["joy"], 20, {"ok": 19}, names, {})
    write_manifest(crops, manifest)
    return crops


def grey_png(shade: int) -> bytes:
    picture = io.BytesIO()
    Image.fromarray(np.full((8, 8, 3), shade, np.uint8)).save(picture, "PNG")
    return picture.getvalue()


class FakeWandb:
    """Takes runs as api.wandb.ai does, as far as `wandb sync` and a saved workspace go, and keeps what it was sent."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.runs: dict[str, dict[str, Any]] = {}
        self.history: dict[str, dict[int, Any]] = {}
        self.files: dict[str, bytes] = {}
        self.views: list[dict[str, Any]] = []
        self.url = ""

    def answer(self, query: str, given: dict[str, Any]) -> dict[str, Any]:
        """To one GraphQL query."""
        if "upsertBucket" in query:
            told = {name: value for name, value in given.items() if value is not None}
            self.runs.setdefault(given["name"], {}).update(told)
            project = {"id": "UA==", "name": given["project"], "entity": {"id": "RQ==", "name": "me"}}
            bucket = {"id": "Qg==", "name": given["name"], "displayName": given["displayName"], "project": project}
            return {"upsertBucket": {"bucket": {"config": "{}", "historyLineCount": None, **bucket}, "inserted": True}}
        if "createRunFiles" in query:
            files = [{"name": name, "uploadUrl": f"{self.url}/upload/{name}"} for name in given["files"]]
            return {"createRunFiles": {"runID": "Qg==", "uploadHeaders": [], "files": files}}
        if "upsertView" in query:
            self.views.append(given)
            return {"upsertView": {"view": {"id": "view-1", "name": given["name"]}, "inserted": True}}
        if "serverInfo" in query:
            return {"serverInfo": {"features": []}}
        return {"viewer": {"id": "V", "entity": "me", "username": "me", "flags": "{}", "teams": {"edges": []}}}

    def stream(self, run_id: str, told: dict[str, Any]) -> None:
        """Lines of a run's history, each at its place."""
        lines = told.get("files", {}).get("wandb-history.jsonl", {"offset": 0, "content": []})
        for place, line in enumerate(lines["content"], lines["offset"]):
            self.history.setdefault(run_id, {})[place] = json.loads(line)


@contextmanager
def fake_wandb() -> Iterator[FakeWandb]:
    """That server, on a port of this machine."""
    state = FakeWandb()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(state))
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(state: FakeWandb) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None: ...

        def read(self) -> bytes:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            state.said.append(f"{self.path} {body.decode(errors='replace')}")
            return body

        def reply(self, answer: object) -> None:
            content = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_PUT(self) -> None:
            state.files[self.path.removeprefix("/upload/")] = self.read()
            self.reply({})

        def do_POST(self) -> None:
            body = self.read()
            if self.path == "/graphql":
                asked = json.loads(body)
                self.reply({"data": state.answer(asked["query"], asked.get("variables") or {})})
                return
            if self.path.endswith("/file_stream"):
                state.stream(self.path.split("/")[-2], json.loads(body))
            self.reply({})

    return Handler
