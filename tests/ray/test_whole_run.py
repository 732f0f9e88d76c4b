"""The command from outside: what it leaves, what a second call does, what an interruption costs."""

import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from orchestrator.report.columns import TIMED_COLUMNS

pytestmark = [pytest.mark.ray, pytest.mark.slow]

ARGUMENTS = [
    *("--conditions", "proposed,eca_mtcnn", "--seeds", "2", "--protocols", "paper,clean"),
    *("--epochs", "2", "--head-epochs", "1"),
    *("--image-size", "32", "--weights", "random", "--address", "local"),
]
FACET = [sys.executable, "-m", "orchestrator.cli"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory, tiny_photos) -> tuple[Path, str]:
    """A run folder, and what the command said in the end."""
    out = tmp_path_factory.mktemp("runs") / "one"
    command = [*FACET, "run", "--data", str(tiny_photos), "--out", str(out), *ARGUMENTS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr
    return out, done.stdout


def tables_of(run_folder: Path) -> dict[str, str]:
    """The CSV tables without the columns of measured times, byte for byte."""
    tables = {}
    for path in sorted((run_folder / "tables").glob("*.csv")):
        table = pd.read_csv(io.StringIO(path.read_text()), dtype=str, keep_default_na=False)
        tables[path.name] = table.drop(columns=[name for name in table if name in TIMED_COLUMNS]).to_csv()
    return tables


def test_run_folder_holds_all_that_was_promised(finished):
    out, said = finished
    promised = [
        *("spec.yaml", "environment.json", "predictions.parquet", "report.html", "optuna.db", "photos.csv"),
        *("excluded.parquet", "protocols.json"),
        *(f"tables/table{number}.{kind}" for number in range(1, 6) for kind in ("csv", "md", "tex")),
        *(f"tables/{name}.csv" for name in ("claims", "exclusion", "forced", "detection", "convergence", "effects")),
        *("audit.json", "findings.csv", "label_patch.proposed.csv"),
        *("tables/audit_leaks.csv", "tables/audit_shortcuts.csv"),
        *(f"figures/figure{number}.{kind}" for number in range(3, 9) for kind in ("png", "svg")),
        *(
            f"models/{name}/{file}"
            for name in ("proposed", "eca_mtcnn-clean")
            for file in ("model.safetensors", "config.json")
        ),
    ]
    assert [name for name in promised if not (out / name).exists()] == []
    assert not (out / "label_patch.csv").exists()
    assert len(list((out / "ledger").glob("*.json"))) == 8
    assert len(list((out / "tensorboard").iterdir())) == 8
    assert len(list((out / "wandb").glob("offline-run-*"))) == 8 + 1  # and the summary
    assert list((out / "checkpoints").glob("*")) == [] if (out / "checkpoints").exists() else True
    assert "8 of 8 trials finished (8 in this call)." in said
    assert "Overhead of scheduling" in said
    assert "Photos: 36: " in said
    assert said.startswith("Audit: ")
    assert "Photos to look at: " in said
    (crops,) = (path.parent for path in (out.parent / "crops").glob("*/manifest.json"))
    assert {"photos.csv", "detection.csv", "least_certain.png", "audit"} <= {path.name for path in crops.iterdir()}
    assert [path.name for path in out.rglob("*.png") if path.parent.name != "figures"] == []
    assert f"{out}/report.html" in said


def test_table_one_has_its_columns_and_a_row_a_condition(finished):
    table = pd.read_csv(finished[0] / "tables" / "table1.csv")
    needed = ["condition", "protocol", "seeds", "accuracy_mean", "accuracy_low", "accuracy_high"]
    assert {*needed, "macro_f1_mean", "paper_accuracy"} <= set(table.columns)
    assert table["condition"].tolist() == ["eca_mtcnn", "eca_mtcnn", "proposed", "proposed"]
    assert table["protocol"].tolist() == ["paper", "clean"] * 2
    assert table["seeds"].tolist() == [2] * 4


def test_predictions_name_photos_relative_to_the_source(finished, tiny_photos):
    rows = pd.read_parquet(finished[0] / "predictions.parquet")
    assert len(rows) == 2 * 2 * (12 + 10)
    assert all((tiny_photos / path).exists() for path in rows["photo"])
    assert (rows["logits"].map(len) == rows["condition"].map({"eca_mtcnn": 6, "proposed": 5})).all()


def test_photos_of_the_class_left_out_are_answered_too(finished):
    rows = pd.read_parquet(finished[0] / "excluded.parquet")
    assert set(rows["condition"]) == {"proposed"}
    assert set(rows["true_label"]) == {"fear"}
    assert len(rows) == 2 * 2 * 2


def test_no_path_and_no_host_reaches_a_tracker(finished, tiny_photos):
    logged = [
        path for folder in ("wandb", "tensorboard") for path in (finished[0] / folder).rglob("*") if path.is_file()
    ]
    events = b"".join(path.read_bytes() for path in logged if path.suffix == ".wandb" or "tfevents" in path.name)
    assert len(events) > 1000
    assert str(tiny_photos).encode() not in events


def test_second_run_computes_nothing(finished, tiny_photos):
    out, _ = finished
    before = {path: path.stat().st_mtime_ns for path in (out / "ledger").glob("*.json")}
    command = [*FACET, "run", "--data", str(tiny_photos), "--out", str(out), *ARGUMENTS]
    again = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert "8 of 8 trials finished (0 in this call)." in again.stdout
    assert {path: path.stat().st_mtime_ns for path in (out / "ledger").glob("*.json")} == before
    assert len(json.loads((out / "sessions.json").read_text())) == 1
    assert len(list((out / "wandb").glob("offline-run-*"))) == 8 + 1


def test_another_spec_does_not_touch_the_run(finished, tiny_photos):
    command = [*FACET, "run", "--data", str(tiny_photos), "--out", str(finished[0]), *ARGUMENTS, "--jitter", "0.1"]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert refused.returncode == 2
    assert "holds another spec's run (`jitter` is 0.2 there and 0.1 here)" in refused.stderr


def test_more_seeds_keep_the_trials_that_there_are(finished, tiny_photos, tmp_path):
    import shutil

    out = tmp_path / "grown"
    shutil.copytree(finished[0], out)
    arguments = ["--conditions", "proposed", "--seeds", "3"]
    crops = ["--crops", str(finished[0].parent / "crops")]
    command = [*FACET, "run", "--data", str(tiny_photos), "--out", str(out), *ARGUMENTS, *arguments, *crops]
    grown = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert "6 of 6 trials finished (2 in this call)." in grown.stdout, grown.stderr
    assert pd.read_csv(out / "tables" / "table1.csv")["seeds"].tolist() == [3, 3]


def test_interrupted_run_ends_with_the_tables_of_an_uninterrupted_one(finished, tiny_photos, tmp_path):
    out = tmp_path / "two"  # its crops are made anew: the same tables from nothing
    command = [*FACET, "run", "--data", str(tiny_photos), "--out", str(out), *ARGUMENTS]
    said = interrupted(command, out / "ledger", num_trials=1, how=signal.SIGINT)
    assert "Interrupted. Finished trials are kept" in said
    assert "Traceback" not in said
    kept = {path.name: path.stat().st_mtime_ns for path in (out / "ledger").glob("*.json")}
    interrupted(command, out / "ledger", num_trials=len(kept) + 1, how=signal.SIGKILL)
    resumed = subprocess.run(command, capture_output=True, text=True, timeout=400)
    assert resumed.returncode == 0, resumed.stderr
    assert "8 of 8 trials finished (8 in this call)" not in resumed.stdout
    assert {name: (out / "ledger" / name).stat().st_mtime_ns for name in kept} == kept
    assert tables_of(out) == tables_of(finished[0])


def heed_ctrl_c() -> None:
    """A shell starts what runs in its background deaf to Ctrl-C, and so are the children of tests that run there."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def interrupted(command: list[str], ledger: Path, *, num_trials: int, how: signal.Signals) -> str:
    """Run `command` until so many trials are in the ledger, then stop it; what it said."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, preexec_fn=heed_ctrl_c, **pipes) as running:
        deadline = time.monotonic() + 300
        while len(list(ledger.glob("*.json"))) < num_trials:
            assert running.poll() is None, running.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        running.send_signal(how)
        _, said = running.communicate(timeout=120)
    assert running.returncode == (130 if how is signal.SIGINT else -how), said
    return said
