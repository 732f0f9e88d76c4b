"""`facet audit` from outside, on a few photos with planted copies: cropped, compared, written, and not said twice."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

pytestmark = pytest.mark.ray


def test_planted_copies_are_found_from_outside(tmp_path, tiny_photos):
    photos = tmp_path / "photos"
    shutil.copytree(tiny_photos, photos)
    (photos / "SAMPLE.json").unlink(missing_ok=True)
    joy, sad = (sorted((photos / "Train" / name).iterdir()) for name in ("joy", "sadness"))
    shutil.copy(joy[0], sad[0].with_name(f"copy{joy[0].suffix}"))
    with Image.open(joy[1]) as image:
        image.convert("RGB").save(photos / "Test" / "joy" / "again.png")
    command = [sys.executable, "-m", "orchestrator.cli", "audit", "--data", str(photos), "--out", str(tmp_path / "out")]
    command += ["--image-size", "32", "--address", "local"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 3, done.stderr
    assert done.stdout.splitlines()[1].startswith("- Label conflicts: ")
    assert done.stdout.splitlines()[2].startswith("- Leaks: ")
    assert "Traceback" not in done.stderr
    check_files(tmp_path / "out")
    again = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert (again.returncode, again.stdout) == (3, done.stdout)
    assert "Cropping" not in again.stderr


def check_files(out: Path) -> None:
    findings = pd.read_csv(out / "findings.csv")  # generated photos are much alike: only exact copies are sure
    exact = findings[findings["kind"] == "exact_copy"]
    assert list(zip(exact["conflict"], exact["leak"], strict=True)) == [(True, False), (False, True)]
    assert all(not Path(path).is_absolute() for path in [*findings["path_a"], *findings["path_b"]])
    assert pd.read_csv(out / "label_patch.csv")["action"].tolist().count("drop") >= 3
    assert json.loads((out / "audit.json").read_text())["data"]["photos"] == 38
    assert (out / "sheets" / "copies-01.png").exists()
    assert ">What the photos can prove</h2>" in (out / "audit.html").read_text()
