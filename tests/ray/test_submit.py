"""What `ray submit` does with the script (it lands alone in a home folder), and which cluster a run then joins."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ray._private.services import find_gcs_addresses

from datasets.errors import UserError
from orchestrator.cluster import find_address

SCRIPT = Path(__file__).resolve().parents[2] / "orchestrator" / "run_ablation.py"
PRIVATE_RAY = """
import ray
ray.init(address="local", num_cpus=1, include_dashboard=False)
print(ray.get_runtime_context().gcs_address, flush=True)
input()
"""

pytestmark = [pytest.mark.ray, pytest.mark.slow]


@pytest.fixture
def untold(own_ray_folder, tmp_path, monkeypatch) -> Iterator[str]:
    """No variable names a cluster, and nobody noted one where Ray looks. The file in which `ray start` notes it."""
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    (tmp_path / "ray").mkdir()
    return tmp_path / "ray" / "ray_current_cluster"


@pytest.fixture
def silent_address() -> str:
    """An address of this machine at which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def private_address(own_ray_folder) -> Iterator[str]:
    """The address of a Ray that another program started for itself."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen([sys.executable, "-c", PRIVATE_RAY], **pipes) as process:
        yield process.stdout.readline().strip()
        process.stdin.write("\n")  # it leaves, and takes its Ray along


def test_the_script_alone_runs_a_study_on_the_cluster_and_only_once(
    bare_shell, two_workers, tiny_photos, small_run, tmp_path
):
    home = tmp_path / "home"
    shutil.copy(SCRIPT, home)
    command = ["python", "run_ablation.py", "--data", str(tiny_photos), "--out", "out", *small_run]
    first = bare_shell(*command, **two_workers)
    assert first.returncode == 0, first.stderr
    assert f"Using Ray cluster at {two_workers['RAY_ADDRESS']}, 3 nodes, 2 cores, 0 GPUs." in first.stderr
    assert "2 of 2 trials finished (2 in this call)." in first.stdout
    assert (home / "out" / "report.html").stat().st_size > 10_000
    assert "proposed" in (home / "out" / "tables" / "table1.csv").read_text(encoding="utf-8")

    ledger = {path: path.stat().st_mtime_ns for path in (home / "out" / "ledger").iterdir()}
    second = bare_shell(*command, **two_workers)
    assert second.returncode == 0, second.stderr
    assert "2 of 2 trials finished (0 in this call)." in second.stdout
    assert {path: path.stat().st_mtime_ns for path in (home / "out" / "ledger").iterdir()} == ledger


def test_a_program_without_the_token_is_told_what_it_lacks(bare_shell, two_workers, tiny_photos):
    variables = {"RAY_ADDRESS": two_workers["RAY_ADDRESS"], "RAY_NUM_REDIS_GET_RETRIES": "2"}
    result = bare_shell("facet", "plan", "--data", str(tiny_photos), "--weights", "random", **variables)
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1].startswith(f"facet: The Ray cluster at {two_workers['RAY_ADDRESS']} lets ")
    assert "RAY_AUTH_MODE=token" in result.stderr.splitlines()[-1]


def test_another_programs_private_ray_is_left_alone(private_address, untold):
    assert private_address in find_gcs_addresses()  # Ray's own "auto" would join it
    assert find_address("auto") is None


def test_the_cluster_that_ray_address_names_is_joined(two_workers, untold, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", two_workers["RAY_ADDRESS"])
    assert find_address("auto") == two_workers["RAY_ADDRESS"]


def test_the_cluster_that_ray_start_noted_is_joined(two_workers, untold):
    untold.write_text(two_workers["RAY_ADDRESS"])
    assert find_address("auto") == two_workers["RAY_ADDRESS"]


def test_a_stale_note_of_ray_start_is_ignored(untold, silent_address):
    untold.write_text(silent_address)
    assert find_address("auto") is None


def test_a_named_cluster_that_does_not_answer_is_an_error(untold, silent_address, monkeypatch):
    with pytest.raises(UserError, match=f"`address` {silent_address} does not answer"):
        find_address(silent_address)
    monkeypatch.setenv("RAY_ADDRESS", silent_address)
    with pytest.raises(UserError, match=f"RAY_ADDRESS={silent_address} does not answer"):
        find_address("auto")


def test_local_wins_over_what_the_environment_names(untold, silent_address, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", silent_address)
    assert find_address("local") is None


def test_the_command_says_so_and_exits_with_2(bare_shell, tiny_photos, silent_address):
    result = bare_shell("facet", "plan", "--data", str(tiny_photos), "--weights", "random", RAY_ADDRESS=silent_address)
    assert result.returncode == 2
    assert result.stderr.strip() == (
        f"facet: RAY_ADDRESS={silent_address} does not answer. Start the cluster, or use --address local."
    )
