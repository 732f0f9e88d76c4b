"""What a fault costs while faces are cropped: the shards in flight, and no byte of the set in the end."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from datasets import pipeline
from datasets.sample import CLASS_NAMES, write_sample
from datasets.shards import PHOTO_COLUMNS
from datasets.sources import Photo
from tests.ray import crop_program

pytestmark = [pytest.mark.ray, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = [sys.executable, str(Path(__file__).with_name("crop_program.py"))]
KILL_RAYLET = [sys.executable, str(Path(__file__).with_name("kill_raylet.py"))]
FACET = [sys.executable, "-m", "orchestrator.cli"]
NUM_PHOTOS = 96


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    """96 generated photos, which make six shards of 16."""
    folder = tmp_path_factory.mktemp("many") / "photos"
    write_sample(
        folder, train_per_class=dict.fromkeys(CLASS_NAMES, 12), test_per_class=dict.fromkeys(CLASS_NAMES, 4), seed=5
    )
    return folder


@pytest.fixture
def program(own_ray_folder, photos, tmp_path, monkeypatch):
    """`program(name, *how)` starts the program, which writes the set `tmp_path / name / set`."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    def start(name: str, *how: str) -> subprocess.Popen:
        (tmp_path / name).mkdir(exist_ok=True)
        command = [*PROGRAM, str(photos), str(tmp_path / name / "set"), *how]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")

    return start


@pytest.fixture(scope="module")
def undisturbed(photos, tmp_path_factory) -> dict[str, bytes]:
    """The files of the set as one process makes them, photo after photo."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline._Work, "crop", in_this_process)
        crop_program.crop(str(photos), folder / "set", num_workers=1, pause_s=0)
    assert detections(folder) == NUM_PHOTOS
    return files_in(folder / "set")


def in_this_process(work: pipeline._Work, photos: Sequence[Photo]) -> Iterator[pa.Table]:
    """What `work` does through Ray."""
    cropper = pipeline.ArrowCropper(work.cfg, work.reader, work.load)
    for photo in photos:
        yield cropper({name: np.array([getattr(photo, name)], object) for name in PHOTO_COLUMNS})


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}


def detections(folder: Path, by: object = "*") -> int:
    """How many photos were looked at, by one process or by all."""
    return sum(path.stat().st_size for path in folder.glob(f"calls-{by}"))


def test_killed_node_costs_no_photo_and_changes_no_byte(program, undisturbed, tmp_path):
    with program("node", "kill-node") as running:
        said, errors = running.communicate(timeout=240)
    assert running.returncode == 0, errors[-3000:]
    assert files_in(tmp_path / "node" / "set") == undisturbed
    num_calls = detections(tmp_path / "node")
    assert said.index("A node is dead.") < said.index(f"{NUM_PHOTOS} of {NUM_PHOTOS}")
    assert NUM_PHOTOS <= num_calls <= NUM_PHOTOS + 3 * 16  # what was in flight on the node, done again


def test_killed_driver_costs_the_shards_in_flight(program, undisturbed, tmp_path):
    folder = tmp_path / "driver" / "set"
    with program("driver") as running:
        deadline = time.monotonic() + 200
        while not (folder / "part-00001.parquet").exists():
            assert running.poll() is None, running.stderr.read()[-3000:]
            assert time.monotonic() < deadline
            time.sleep(0.02)
        running.send_signal(signal.SIGKILL)
        running.communicate(timeout=60)
    kept = {path.name: path.stat().st_mtime_ns for path in folder.glob("part-*.parquet")}
    with program("driver") as again:
        _, errors = again.communicate(timeout=200)
    assert again.returncode == 0, errors[-3000:]
    assert files_in(folder) == undisturbed
    assert {name: (folder / name).stat().st_mtime_ns for name in kept} == kept
    assert detections(tmp_path / "driver", by=again.pid) == NUM_PHOTOS - 16 * len(kept)


def test_cluster_without_a_place_for_a_worker_is_named_and_waited_for(program, undisturbed, tmp_path):
    with program("room", "no-room") as running:
        said, errors = running.communicate(timeout=240)
    assert running.returncode == 0, errors[-3000:]
    assert "waiting for a machine with 1 core for a cropping worker. None has joined." in said
    assert files_in(tmp_path / "room" / "set") == undisturbed


def test_loss_of_ray_ends_in_a_sentence_and_a_second_call_goes_on(own_ray_folder, photos, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("RAY_health_check_period_ms", "500")  # or Ray takes 15 s to notice
    monkeypatch.setenv("RAY_health_check_failure_threshold", "3")
    arguments = ["crop", "--data", str(photos), "--out", str(tmp_path / "run"), "--image-size", "32"]
    arguments += ["--address", "local"]
    lost = subprocess.run([*KILL_RAYLET, *arguments], capture_output=True, text=True, timeout=280)
    assert lost.returncode == 1, lost.stderr
    assert "Traceback" not in lost.stderr
    assert re.search(r"^facet: (This process .* lost its Ray|Cropping stopped, since Ray)", lost.stderr, re.MULTILINE)
    assert re.search("goes on from there|run again to go on", lost.stderr)
    again = subprocess.run([*FACET, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert again.returncode == 0, again.stderr
    assert f"Photos: {NUM_PHOTOS}" in again.stdout
