"""What several tests need: small photos, small arrays, a job to train, and a watch over the environment."""

import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import numpy as np
import pytest
import torch
from PIL import Image

from datasets.store import PhotoArrays
from trainables.condition import Condition
from trainables.job import TrialJob
from trainables.recipe import ModelConfig, TrainConfig

ROOT = Path(__file__).resolve().parents[1]
os.environ["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] = "0"  # read when Ray is imported; see orchestrator/cluster.py
OWN_VARIABLES = frozenset({"PYTEST_CURRENT_TEST", "CRC32C_SW_MODE"})
"""Set by pytest itself, and by the checksum library of an object store's client when it is imported."""

hypothesis.settings.register_profile("facet", deadline=None, database=None, derandomize=True, max_examples=30)
hypothesis.settings.load_profile("facet")


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """As trials train: one thread each, so that sums are taken in one order."""
    torch.set_num_threads(1)


THROUGH = frozenset(
    [
        "audit_command",
        "audit_crops",
        "batch_search",
        "cards",
        "cli",
        "compare",
        "copies",
        "crop_set",
        "detector",
        "every_answer",
        "factorial",
        "fuzz_photos",
        "geometry",
        "imports",
        "mtcnn_loops",
        "odd_inputs",
        "optuna_study",
        "page_browser",
        "paper_check_command",
        "paper_check_properties",
        "planning",
        "protocols",
        "rebuild",
        "report_markdown",
        "report_page",
        "report_tables",
        "table_files",
        "training",
        "tracking_content",
        "tracking_wandb",
    ]
)
"""Unit tests that go through other programs, the detector's networks, training, or whole reports: minutes, no Ray."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The import tests come last: what they look at runs beside the others (see `fresh_interpreter`)."""
    items.sort(key=lambda item: item.path.name == "test_imports.py")
    for item in items:
        if item.path.parent.name == "unit" and item.path.stem.removeprefix("test_") in THROUGH:
            item.add_marker("through")


@pytest.fixture(scope="session", autouse=True)
def fresh_interpreter(request, tmp_path_factory) -> Iterator[tuple[subprocess.Popen, Path] | None]:
    """Imports every module in an empty folder while the other tests run; None if test_imports.py is not run."""
    if all(item.path.name != "test_imports.py" for item in request.session.items):
        yield None
        return
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("empty")
    variables = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(home)}
    command = [sys.executable, str(ROOT / "tests" / "unit" / "import_everything.py")]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=folder, env=variables, **pipes) as process:
        yield process, folder
        process.kill()


@pytest.fixture
def own_environment(no_leaked_environment: None) -> Iterator[None]:
    """For commands that run in this process: they set what Ray reads when it is imported, and a process would end."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(autouse=True)
def no_leaked_environment() -> Iterator[None]:
    """Fails a test that leaves an environment variable set, changed or removed, and puts it back."""
    before = dict(os.environ)
    yield
    changed = {name for name in before.keys() | os.environ.keys() if before.get(name) != os.environ.get(name)}
    leaked = sorted(changed - OWN_VARIABLES)
    for name in leaked:
        os.environ.pop(name, None)
        if name in before:
            os.environ[name] = before[name]
    assert not leaked, f"The test left these environment variables changed: {leaked}. Use monkeypatch.setenv."


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real photos beside the checkout."""
    places = (ROOT.parent / "shared" / "data", ROOT / "shared" / "data")
    found = [place for place in places if place.is_dir()]
    if not found:
        pytest.skip(f"the real photos are kept outside the repository, and {places[0]} does not exist here")
    return found[0]


def jpeg_bytes(shade: int, *, side: int = 24) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), (shade, 128, 255 - shade)).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture
def photo_tree(tmp_path) -> Callable[..., Path]:
    """`photo_tree("joy/a.jpg", "notes.txt")` writes these files, tiny JPEGs where the name says so; the folder."""

    def write(*paths: str, root: str = "photos") -> Path:
        for shade, path in enumerate(paths):
            file = tmp_path / root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(jpeg_bytes(shade % 256) if file.suffix.lower() in (".jpg", ".jpeg") else b"not a photo")
        return tmp_path / root

    return write


@pytest.fixture(scope="session")
def tiny_arrays() -> PhotoArrays:
    """24 photos, 15 of them to train on: noise, tinted by class so that there is something to learn. Read only."""
    rng = np.random.default_rng(0)
    label = np.arange(24) % 3
    tint = np.eye(3)[label][:, None, None, :] * 120
    frame_u8 = (rng.integers(0, 136, (24, 32, 32, 3)) + tint).astype(np.uint8)
    return PhotoArrays(
        face_u8=frame_u8[:, ::-1].copy(),
        frame_u8=frame_u8,
        landmarks=rng.random((24, 5, 2), dtype=np.float32),
        found=np.arange(24) % 8 != 7,
        label=label.astype(np.int64),
        split=np.array(["train"] * 15 + ["test"] * 9),
        path=np.array([f"{index:02d}.jpg" for index in range(24)]),
        classes=("anger", "fear", "joy"),
    )


@pytest.fixture(scope="session")
def tiny_job() -> Callable[..., TrialJob]:
    """`tiny_job(condition, epochs=3)` is a job from random weights that takes a second; keywords are TrainConfig's."""

    def make(condition: Condition | None = None, *, seed: int = 0, **train: object) -> TrialJob:
        return TrialJob(
            key="key",
            name="name",
            protocol="paper",
            seed=seed,
            condition=condition or Condition(),
            model=ModelConfig(weights="random"),
            train=TrainConfig(**{"epochs": 2, "head_epochs": 1, "batch_size": 8} | train),
            rare_class="fear",
        )

    return make
