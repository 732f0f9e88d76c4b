"""`facet doctor`: can this machine run a study, and on what?"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from orchestrator.cluster import find_address, local_capacity, quiet_environment
from orchestrator.environment import describe_environment

_MIN_FREE_GB = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One check and what it found."""

    title: str
    good: bool
    text: str


def examine() -> list[Finding]:
    """Every check; one that breaks is a bad finding, never a crash."""
    quiet_environment()
    return [_run(title, check) for title, check in _CHECKS.items()]


def _run(title: str, check: Callable[[], tuple[bool, str]]) -> Finding:
    try:
        good, text = check()
    except Exception as error:  # a doctor reports what is broken
        good, text = False, f"{type(error).__name__}: {error}"
    return Finding(title, good, text)


def _versions() -> tuple[bool, str]:
    found = describe_environment("")
    return True, ", ".join(
        f"{name} {found[name]}" for name in ("facet-ablation", "python", "torch", "ray", "timm", "optuna")
    )


def _devices() -> tuple[bool, str]:
    found = describe_environment("")
    return True, f"{found['processor']}, {found['cores']} cores, GPUs: {found['gpus']}"


def _our_datasets() -> tuple[bool, str]:
    """Another distribution uses the import name `datasets`; installed, it could shadow ours."""
    import datasets

    ours = Path(datasets.__file__ or "").resolve().parent == Path(__file__).resolve().parents[1] / "datasets"
    try:
        metadata.distribution("datasets")
    except metadata.PackageNotFoundError:
        return ours, "ours" if ours else f"`datasets` is imported from {datasets.__file__}; uninstall what put it there"
    return False, "a distribution named `datasets` is installed and may shadow ours: pip uninstall datasets"


def _packaged_weights() -> tuple[bool, str]:
    from trainables.weights import describe_weights, imagenet_state

    state = imagenet_state("tf_efficientnet_lite0", "imagenet")
    return bool(state), f"tf_efficientnet_lite0, {describe_weights('tf_efficientnet_lite0', 'imagenet')}"


def _hub_weights() -> tuple[bool, str]:
    from datasets.errors import UserError
    from trainables.weights import ensure_weights

    try:
        ensure_weights("efficientnet_b0", "imagenet", offline=True)
    except UserError:
        return True, "efficientnet_b0 is not on this machine; it will be fetched when a run asks for it"
    return True, "efficientnet_b0 is on this machine"


def _detector() -> tuple[bool, str]:
    from skimage.data import astronaut

    from datasets.detector import FaceDetector

    face = FaceDetector("cpu").detect([astronaut()])[0]
    return face is not None, f"found the test portrait's face, p = {face.probability:.4f}" if face else "found no face"


def _disk() -> tuple[bool, str]:
    free_gb = shutil.disk_usage(".").free / 1e9
    return free_gb > _MIN_FREE_GB, f"{free_gb:.0f} GB free here" + (
        "" if free_gb > _MIN_FREE_GB else "; a run may fill it"
    )


def _ray() -> tuple[bool, str]:
    address = find_address("auto")
    return (
        True,
        f"a run would join the cluster at {address}"
        if address
        else f"a run would start {local_capacity().description}",
    )


def _bytecode() -> tuple[bool, str]:
    """Without compiled bytecode each Ray worker compiles torch and ray again."""
    import ray

    compiled = any(_compiled_files(Path(ray.__file__).parent))
    return (
        True,
        "compiled" if compiled else "not compiled: starts are slow; run python -m compileall on the environment",
    )


def _compiled_files(folder: Path) -> Iterator[Path]:
    return folder.glob("__pycache__/*.pyc")


_CHECKS: dict[str, Callable[[], tuple[bool, str]]] = {
    "Versions": _versions,
    "Devices": _devices,
    "Import name `datasets`": _our_datasets,
    "Installed weights": _packaged_weights,
    "Hub weights": _hub_weights,
    "Face detector": _detector,
    "Disk": _disk,
    "Ray": _ray,
    "Bytecode": _bytecode,
}
