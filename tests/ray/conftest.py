"""What the tests with a Ray cluster share: a few generated photos, clusters of their own, and a clean command line."""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from datasets.sample import CLASS_NAMES, write_sample


@pytest.fixture(scope="session")
def small_run() -> list[str]:
    """Flags of a run of two trials that take seconds; `--data` and `--out` are to be added."""
    return [
        *("--conditions", "baseline_cnn,proposed", "--seeds", "1", "--epochs", "2", "--head-epochs", "1"),
        *("--protocols", "paper"),
        *("--image-size", "32", "--weights", "random", "--wandb", "off"),
    ]


@pytest.fixture(scope="session")
def tiny_photos(tmp_path_factory) -> Path:
    """36 generated photos: per class 4 to train on and 2 to test on."""
    folder = tmp_path_factory.mktemp("photos") / "tiny"
    write_sample(
        folder, train_per_class=dict.fromkeys(CLASS_NAMES, 4), test_per_class=dict.fromkeys(CLASS_NAMES, 2), seed=3
    )
    return folder


@pytest.fixture(scope="module")
def own_ray_folder() -> Iterator[Path]:
    """Where this module's clusters keep their files and note their address, out of the way of everyone's `auto`."""
    folder = Path(tempfile.mkdtemp(prefix="facet-", dir="/tmp"))  # short: it holds Unix sockets
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_TMPDIR", str(folder))
        yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def two_workers(own_ray_folder) -> Iterator[dict[str, str]]:
    """The variables that let a program join a cluster of two nodes with one core each, and a head without any."""
    token = own_ray_folder / "token"
    token.write_text(secrets.token_hex(32))
    access = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token)}
    command = [sys.executable, str(Path(__file__).with_name("start_cluster.py"))]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=os.environ | access, **pipes) as process:
        yield access | {"RAY_ADDRESS": process.stdout.readline().strip()}


@pytest.fixture(scope="module")
def local_ray(own_ray_folder) -> Iterator[None]:
    """A Ray in this process, of two cores and one GPU that is only counted."""
    import ray

    ray.init(
        address="local", num_cpus=2, num_gpus=1, include_dashboard=False, logging_level="ERROR", log_to_driver=False
    )
    yield
    ray.shutdown()


@pytest.fixture
def bare_shell(tmp_path) -> Callable[..., subprocess.CompletedProcess]:
    """`bare_shell("facet", "plan", RAY_ADDRESS=...)`: runs it at home in an empty home folder, with no other variable.

    The home folder is `tmp_path / "home"`; this Python's programs are on PATH.
    """
    home = tmp_path / "home"
    home.mkdir()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}"

    def run(*command: str, timeout_s: float = 240, **variables: str) -> subprocess.CompletedProcess:
        env = {"HOME": str(home), "PATH": path, **variables}
        return subprocess.run(command, cwd=home, env=env, capture_output=True, text=True, timeout=timeout_s)

    return run
