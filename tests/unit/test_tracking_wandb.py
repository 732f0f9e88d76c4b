"""W&B runs as files: what its own reader finds, and what becomes of a crash, a second call and a dead network."""

import json
import socket
import subprocess
import sys
import time
from collections import Counter

import pytest

from datasets.folder import Folder
from orchestrator.spec import Spec
from orchestrator.tracking import TRACKED_FILE, Tracker, wandb_log, wandb_runs
from orchestrator.tracking.child import ChildFailed, Children
from orchestrator.tracking.trial import trial_content
from tests.unit.report_fixtures import make_predictions
from tests.unit.tracking_fixtures import KEY, crop_set, fake_wandb, finished_run, full_record, write_report


def track(ledger, **flags):
    """One call: all finished trials and the summary; what the summary lines would say."""
    spec = Spec(wandb=flags.pop("wandb", "offline"), tensorboard=False, **flags)
    with Tracker(spec, ledger, sorted(ledger.keys())) as tracker:
        pass
    crops = Folder.at(ledger.run_folder.beside("crops").base)
    return dict(tracker.problems) | tracker.log_summary(crops)


def read_back(folder) -> dict:
    """The records of a run's file, by W&B's own reader: run, history, summary, metric, files."""
    command = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", str(folder)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder).stdout.splitlines()
    records = [json.loads(line) for line in lines]
    summary: dict = {}
    for record in records:
        summary |= record.get("summary", {}).get("update", {})
    return {
        "run": next(record["run"] for record in records if record["type"] == "run"),
        "history": [record["history"]["item"] for record in records if record["type"] == "history"],
        "metrics": [record["metric"] for record in records if record["type"] == "metric"],
        "summary": summary,
        "types": Counter(record["type"] for record in records),
    }


def runs_of(folder) -> list:
    return sorted((folder / "wandb").glob("offline-run-*"))


def trial_and_summary(folder) -> list:
    return sorted(runs_of(folder), key=lambda run: not run.name.endswith("-proposed00000000"))


@pytest.fixture(scope="module")
def tracked(tmp_path_factory):
    """A run folder after one call offline."""
    folder = tmp_path_factory.mktemp("runs") / "one"
    ledger = finished_run(folder)
    write_report(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WANDB_API_KEY", KEY)
        patch.setenv("WANDB_MODE", "disabled")  # of some other work of the user's
        assert track(ledger) == {}
    return folder


def test_wandb_reads_back_the_trial_with_every_epoch(tracked):
    trial, _ = trial_and_summary(tracked)
    held = read_back(trial)
    told = held["run"]
    assert (told["run_group"], told["job_type"], told["run_id"]) == ("proposed", "paper", "proposed00000000")
    assert (told["project"], told["config"]["update"]["seed"]) == ("facet-ablation", 0)
    epochs = [row for row in held["history"] if "stage" in row]
    assert [(row["epoch"], row["stage"], row["val_accuracy"]) for row in epochs] == [
        (1, "head", 0.3),
        (2, "finetune", 0.5),
        (3, "finetune", 0.7),
    ]
    assert {metric.get("name", metric.get("glob_name")) for metric in held["metrics"]} >= {"val_loss", "head/*"}
    assert held["summary"]["final/accuracy"] == 0.7
    scores = json.loads((trial / "files" / held["summary"]["class_scores.path"]).read_text())
    assert [row[0] for row in scores["data"]] == ["anger", "joy", "sadness"]
    counts = json.loads((trial / "files" / held["summary"]["confusion_table.path"]).read_text())
    assert (counts["columns"], len(counts["data"])) == (["Actual", "Predicted", "nPredictions"], 9)


def test_wandb_reads_back_the_comparison(tracked):
    _, summary = trial_and_summary(tracked)
    held = read_back(summary)
    assert (held["run"]["job_type"], held["run"]["config"]["update"]["trials"]) == ("summary", 1)
    assert held["summary"]["verdicts/A1/paper/verdict"] == "undecided"
    table = json.loads((summary / "files" / held["summary"]["tables/table5.path"]).read_text())
    assert table["data"][0][:2] == ["A1", "Faces help"]
    assert [path.suffix for path in (summary / "files" / "media" / "images").rglob("*.*")] == [".png"]


def test_what_could_be_sent_tells_no_photo_no_path_no_host_and_no_key(tracked):
    written = b"".join(path.read_bytes() for path in (tracked / "wandb").rglob("*") if path.is_file())
    everything = written + (tracked / TRACKED_FILE).read_bytes()
    for secret in (b"people", str(tracked).encode(), b"/tmp/", socket.gethostname().encode() + b'"', KEY.encode()):
        assert secret not in everything
    assert read_back(runs_of(tracked)[0])["run"]["host"] == "facet"
    assert read_back(runs_of(tracked)[0])["types"]["artifact"] == 0  # they would name a folder of this machine


def test_wandb_sync_takes_the_folders(tracked):
    command = [sys.executable, "-m", "wandb", "sync", "--dry-run", str(tracked / "wandb")]
    said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tracked)
    assert "Would sync 2 run(s)" in said.stdout + said.stderr


def test_second_call_writes_nothing_and_starts_no_program(tmp_path, monkeypatch):
    ledger = finished_run(tmp_path)
    write_report(tmp_path)
    assert track(ledger) == {}
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "wandb").rglob("*")}
    monkeypatch.setattr(Children, "run", lambda *args, **options: pytest.fail("a program was started"))
    assert track(ledger) == {}
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "wandb").rglob("*")} == before


def test_a_crash_before_it_is_noted_makes_no_second_run(tmp_path):
    ledger = finished_run(tmp_path, seeds=2)
    write_report(tmp_path)
    track(ledger)
    names = [run.name for run in runs_of(tmp_path)]
    (tmp_path / TRACKED_FILE).unlink()
    (tmp_path / "wandb" / ".partial-abc").mkdir()  # of a program that was killed
    stale = tmp_path / "wandb" / "offline-run-20200101_000000-proposed00000000"
    stale.mkdir()
    track(ledger)
    assert [run.name for run in runs_of(tmp_path)] == names
    assert not (tmp_path / "wandb" / ".partial-abc").exists()


def test_a_changed_report_replaces_the_summary_run_alone(tmp_path):
    ledger = finished_run(tmp_path)
    write_report(tmp_path)
    track(ledger)
    (trial, summary), table = trial_and_summary(tmp_path), tmp_path / "tables" / "table5.csv"
    before = next(trial.glob("*.wandb")).stat().st_mtime_ns
    table.write_text(table.read_text().replace("undecided", "supported"))
    track(ledger)
    assert read_back(summary)["summary"]["verdicts/A1/paper/verdict"] == "supported"
    assert next(trial.glob("*.wandb")).stat().st_mtime_ns == before
    assert len(runs_of(tmp_path)) == 2


def test_faces_go_along_only_if_asked_for(tmp_path):
    ledger = finished_run(tmp_path / "run")
    write_report(tmp_path / "run")
    crop_set(tmp_path / "crops")
    track(ledger)
    assert not list((tmp_path / "run" / "wandb").rglob("*wrong*"))
    track(ledger, wandb_images=True)
    faces = list((tmp_path / "run" / "wandb").rglob("images/wrong/*.png"))
    assert len(faces) == 5  # 6 are wrong; on one of them no face was found
    assert b"people" not in b"".join(path.read_bytes() for path in (tmp_path / "run" / "wandb").rglob("*.wandb"))


def test_online_sends_every_run_once_and_saves_the_workspace(tmp_path, monkeypatch):
    ledger = finished_run(tmp_path, seeds=2)
    write_report(tmp_path)
    with fake_wandb() as server:
        monkeypatch.setenv("WANDB_BASE_URL", server.url)
        monkeypatch.setenv("WANDB_API_KEY", KEY)
        assert track(ledger, wandb="online") == {}
        assert {"proposed00000000", "proposed10000000"} < server.runs.keys()
        assert len(server.runs) == 3
        assert server.runs["proposed10000000"]["groupName"] == "proposed"
        assert [server.history["proposed00000000"][place]["epoch"] for place in range(3)] == [1, 2, 3]
        assert any(name.startswith("media/table/class_scores") for name in server.files)
        (view,) = server.views
        assert (view["entityName"], view["displayName"]) == ("me", "Ablation study feedc0de")
        said = len(server.said)
        assert track(ledger, wandb="online") == {}
        assert len(server.said) == said
        everything = "".join(server.said) + repr(server.files)
    for secret in ("people", str(tmp_path), sys.prefix, socket.gethostname() + '"', KEY):
        assert secret not in everything


def test_sent_again_a_run_is_the_same_run(tmp_path, monkeypatch):
    run, runs = one_run(tmp_path)
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    with fake_wandb() as server:
        monkeypatch.setenv("WANDB_BASE_URL", server.url)
        for _ in range(2):
            runs.write([run])
            runs.send([run])
            assert runs.is_sent(run)
            assert set(server.runs) == {run.id}
            assert [row.get("epoch") for row in server.history[run.id].values()] == [1, 2, 3, None]


def test_without_a_network_the_run_goes_on_and_a_later_call_sends(tmp_path, monkeypatch):
    ledger = finished_run(tmp_path)
    write_report(tmp_path)
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")  # nobody listens
    problems = track(ledger, wandb="online")
    assert problems == {
        "wandb-online": "the server cannot be reached; runs wait in wandb/, and the next call sends them"
    }
    assert len(runs_of(tmp_path)) == 2
    with fake_wandb() as server:
        monkeypatch.setenv("WANDB_BASE_URL", server.url)
        assert track(ledger, wandb="online") == {}
        assert len(server.runs) == 2
    assert KEY not in (tmp_path / TRACKED_FILE).read_text()


def test_a_server_that_never_answers_is_given_up(tmp_path, monkeypatch):
    run, runs = one_run(tmp_path)
    runs.write([run])
    monkeypatch.setattr(wandb_runs, "START_S", 1.0)
    monkeypatch.setattr(wandb_runs, "EACH_S", 1.0)
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(ChildFailed, match="no answer within 2 s"):
            runs.send([run])
    assert not runs.is_sent(run)


def one_run(folder) -> tuple:
    record = full_record()
    return trial_content(record, make_predictions([record])), wandb_runs.WandbRuns(folder, "p", Children())


def test_a_program_can_be_ended_from_another_thread():
    import threading

    children = Children()
    threading.Timer(0.5, children.stop).start()
    with pytest.raises(ChildFailed, match="stopped"):
        children.run([sys.executable, "-c", "import time; time.sleep(600)"], timeout_s=500, online=False)
    with pytest.raises(ChildFailed, match="stopped"):
        children.run([sys.executable, "-c", "pass"], timeout_s=500, online=False)


def test_whatever_a_tracker_raises_the_run_goes_on(tmp_path, monkeypatch):
    ledger = finished_run(tmp_path)
    monkeypatch.setattr(wandb_log, "trial_content", lambda *args: 1 / 0)
    assert track(ledger) == {"wandb-offline": "division by zero"}


def test_closing_does_not_wait_for_a_tracker_that_hangs(tmp_path, monkeypatch):
    from orchestrator.tracking import tracker as module

    ledger = finished_run(tmp_path)
    monkeypatch.setattr(module, "CLOSE_TIMEOUT_S", 0.5)
    monkeypatch.setattr(wandb_log, "trial_content", lambda *args: time.sleep(3))
    assert track(ledger)["tracking"] == "not finished after 0.5 s; the next call goes on"
