"""Importing is quiet: no Ray where it does not belong, nothing started, no file written; and `datasets` is ours."""

import importlib.metadata
import json
from pathlib import Path

import pytest

import datasets

ROOT = Path(datasets.__file__).resolve().parents[1]
PACKAGES = ("orchestrator", "search_spaces", "trainables", "datasets")


@pytest.fixture(scope="module")
def seen(fresh_interpreter) -> dict:
    """What a fresh interpreter in an empty folder looks like after it has imported every module."""
    process, folder = fresh_interpreter
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stderr
    files = [str(path) for path in folder.rglob("*")]
    return json.loads(stdout.splitlines()[-1]) | {"files": files, "stdout": stdout, "stderr": stderr}


def test_datasets_is_ours_and_no_distribution_takes_its_name():
    assert (ROOT / "pyproject.toml").exists()
    assert Path(datasets.__file__) == ROOT / "datasets" / "__init__.py"
    with pytest.raises(importlib.metadata.PackageNotFoundError):
        importlib.metadata.distribution("datasets")


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_of_code_is_a_package(package):
    folders = {path.parent for path in (ROOT / package).rglob("*.py")}
    assert all((folder / "__init__.py").exists() for folder in folders)


def test_every_module_can_be_imported(seen):
    files = [path.relative_to(ROOT).with_suffix("") for name in PACKAGES for path in (ROOT / name).rglob("*.py")]
    expected = {".".join(file.parts).removesuffix(".__init__") for file in files}
    assert expected - {name for name in expected if name.endswith("__main__")} <= set(seen["modules"])


def test_core_modules_do_not_import_ray(seen):
    assert seen["ray_at_the_core"] == []


def test_importing_starts_nothing(seen):
    assert (seen["ray_started"], seen["cuda_started"], seen["threads"]) == (False, False, [])


def test_importing_writes_and_says_nothing(seen):
    assert (seen["files"], seen["stdout"].count("\n"), seen["stderr"]) == ([], 1, "")
