"""`facet audit` and `facet run --strict-audit`: exit codes, folders that are accepted and refused, the summary."""

import io
import json
import os
import shutil
import sys
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from datasets.errors import FindingsError, UserError
from datasets.folder import Folder
from datasets.label_patch import PatchedPhotos
from datasets.shards import read_manifest
from orchestrator import audit_command, run
from orchestrator.audit.step import audit_run
from orchestrator.cli import main
from orchestrator.exit_codes import EXIT_FINDINGS, EXIT_OK, EXIT_USER
from orchestrator.progress import LiveView
from orchestrator.run_files import set_aside
from orchestrator.spec import resolve_spec
from orchestrator.study import check_run_folder, make_study
from tests.unit.audit_fixtures import photo, write_set

pytestmark = pytest.mark.usefixtures("own_environment")


@pytest.fixture
def cropped(tmp_path, monkeypatch) -> list[str]:
    """Cropping without Ray: photos of equal bytes have equal pixels. The names of the sets that were cropped."""
    made = []

    def crop(study, placement, live):
        rows = [
            photo(f"{one.split}/{one.label}/x", pixels=sha256) | {"path": one.path, "file_sha256": sha256}
            for one, sha256 in zip(study.photos, study.hashes, strict=True)
        ]
        write_set(study.crop_folder, rows, fingerprint=study.data_fingerprint)
        made.append(study.data_fingerprint)
        return read_manifest(study.crop_folder)

    monkeypatch.setattr(audit_command, "crop_study", crop)
    monkeypatch.setattr(audit_command, "connect", lambda *_, **__: None)
    monkeypatch.setattr("orchestrator.progress.own_stderr", lambda: sys.stderr)
    monkeypatch.setattr(audit_command, "quiet", lambda _: nullcontext())
    monkeypatch.chdir(tmp_path)
    return made


@pytest.fixture
def different(photo_tree):
    """As `photo_tree`, and no file equals another: neighbouring shades make the same JPEG."""

    def write(*paths):
        folder = photo_tree(*paths)
        for path in paths:
            with (folder / path).open("ab") as file:
                file.write(path.encode())
        return folder

    return write


CLEAN = [f"{split}/{name}/{i}.jpg" for split in ("Train", "Test") for name in ("joy", "sad") for i in range(3)]


def test_clean_photos_exit_with_0(different, cropped, capsys):
    photos = different(*CLEAN)
    assert main(["audit", "--data", str(photos), "--address", "local"]) == EXIT_OK
    said = capsys.readouterr().out
    assert said.startswith("Audit of 12 photos of photos:\n- No finding: ")
    assert len(cropped) == 1
    left = {"audit.html", "audit.json", "findings.csv", "label_patch.csv", "tables"}
    assert set(os.listdir("runs/photos-audit")) == left | {".lock"}
    assert os.path.isdir(f"runs/crops/{cropped[0]}/audit")


def test_copies_exit_with_3_and_are_said_first(different, cropped, capsys):
    photos = different(*CLEAN)
    shutil.copy(photos / "Train/joy/0.jpg", photos / "Test/sad/copy.jpg")
    command = ["audit", "--data", str(photos), "--out", "out", "--address", "local"]
    assert main(command) == EXIT_FINDINGS
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("- Label conflicts: 1 photograph stands in several classes")
    assert lines[2].startswith("- Leaks: 1 photograph stands in several splits")
    assert any("1 contact sheet in " in line and line.endswith("out/sheets. They show photos.") for line in lines)
    assert os.path.exists("out/sheets/copies-01.png")
    assert main(command) == EXIT_FINDINGS
    assert len(cropped) == 1, "cropped once"


def test_photos_without_a_split_leak_nothing_and_need_not_suffice_for_one(different, cropped, capsys):
    photos = different("joy/0.jpg", "joy/1.jpg", "sad/0.jpg")
    shutil.copy(photos / "joy/0.jpg", photos / "joy/2.jpg")
    assert main(["audit", "--data", str(photos), "--out", "out", "--address", "local"]) == EXIT_FINDINGS
    said = capsys.readouterr().out
    assert "The photos are not split yet, so nothing can leak yet" in said
    assert "Leaks" not in said
    assert json.loads(open_text("out/audit.json"))["data"]["splits_origin"] == "none"


@pytest.mark.parametrize("kind", ["zip", "manifest"])
def test_zips_and_manifests_are_audited_as_well(different, cropped, tmp_path, kind):
    photos = different(*CLEAN)
    shutil.copy(photos / "Train/joy/0.jpg", photos / "Test/sad/copy.jpg")
    if kind == "zip":
        data = shutil.make_archive(str(tmp_path / "set"), "zip", photos)
    else:
        rows = [
            f"{name},{name.split('/')[1]},{name.split('/')[0].lower()},s1" for name in [*CLEAN, "Test/sad/copy.jpg"]
        ]
        (photos / "set.csv").write_text("\n".join(["path,label,split,subject", *rows]))
        data = str(photos / "set.csv")
    assert main(["audit", "--data", data, "--out", "out", "--address", "local"]) == EXIT_FINDINGS
    line = open_text("out/findings.csv").splitlines()[1]
    assert line == "exact_copy,Test/sad/copy.jpg,Train/joy/0.jpg,sad,joy,test,train,true,true,1,bytes"


def test_one_class_is_refused(different, cropped, capsys):
    assert main(["audit", "--data", str(different("joy/0.jpg", "joy/1.jpg")), "--out", "out"]) == EXIT_USER
    assert "has one class only" in capsys.readouterr().err


def test_folder_of_other_files_is_refused_before_cropping(different, cropped, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("years of work")
    assert main(["audit", "--data", str(different(*CLEAN)), "--out", "out", "--address", "local"]) == EXIT_USER
    assert "holds neither an audit nor a run" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert main(["audit", "--data", str(different(*CLEAN)), "--out", "file", "--address", "local"]) == EXIT_USER
    assert cropped == []


def test_run_accepts_the_folder_of_an_audit(different, cropped, tmp_path):
    photos = different(*CLEAN)
    shutil.copy(photos / "Train/joy/0.jpg", photos / "Test/sad/copy.jpg")
    main(["audit", "--data", str(photos), "--out", "out", "--address", "local"])
    study = make_study(resolve_spec(None, {"data": str(photos), "out": "out"}), train=False)
    check_run_folder(study)
    (tmp_path / "out" / "thesis.txt").write_text("years of work")
    with pytest.raises(UserError, match="is not empty and holds no run"):
        check_run_folder(study)
    (tmp_path / "out" / "thesis.txt").unlink()
    set_aside(study.run_folder)
    assert not (tmp_path / "out").exists()


def test_audit_in_a_run_folder_leaves_no_picture_there(different, cropped, capsys):
    photos = different(*CLEAN)
    shutil.copy(photos / "Train/joy/0.jpg", photos / "Test/sad/copy.jpg")
    spec = resolve_spec(None, {"data": str(photos), "out": "out"})
    fingerprint = make_study(spec, train=False).crop_fingerprint
    Folder.at("out").write_text("study.json", "{}")
    Folder.at("out").write_text("plan.json", json.dumps({"crop_fingerprint": fingerprint}))
    assert main(["audit", "--data", str(photos), "--out", "out", "--address", "local"]) == EXIT_FINDINGS
    said = capsys.readouterr().out
    assert f"1 contact sheet in {os.getcwd()}/crops/{fingerprint}/audit. They show photos." in said
    assert "what could be done: label_patch.proposed.csv; " in said
    assert not os.path.exists("out/sheets")
    assert not os.path.exists("out/label_patch.csv")
    Folder.at("out").write_text("plan.json", json.dumps({"crop_fingerprint": "other"}))
    assert main(["audit", "--data", str(photos), "--out", "out", "--address", "local"]) == EXIT_USER
    assert "holds a run on other photos" in capsys.readouterr().err


@pytest.mark.parametrize("plan", [None, "{}", "[]"])
def test_run_of_an_older_facet_is_refused_as_what_it_is(different, cropped, capsys, plan):
    Folder.at("out").write_text("study.json", "{}")
    if plan is not None:
        Folder.at("out").write_text("plan.json", plan)
    assert main(["audit", "--data", str(different(*CLEAN)), "--out", "out", "--address", "local"]) == EXIT_USER
    assert "holds a run of an older facet, which does not say on which crops" in capsys.readouterr().err
    assert cropped == []


def test_edited_label_patch_is_left_alone(different, cropped, capsys):
    photos = different(*CLEAN)
    shutil.copy(photos / "Train/joy/0.jpg", photos / "Test/sad/copy.jpg")
    command = ["audit", "--data", str(photos), "--out", "out", "--address", "local"]
    main(command)
    text = open_text("out/label_patch.csv").replace("drop", "keep", 1)
    Folder.at("out").write_text("label_patch.csv", text)
    capsys.readouterr()
    main(command)
    assert open_text("out/label_patch.csv") == text
    assert "label_patch.proposed.csv (label_patch.csv there was edited and is left as it is)" in capsys.readouterr().out


def step_of(tmp_path, rows):
    """A study of these crops, as far as the audit looks at it, and what the live view said."""
    photos = [SimpleNamespace(split=None, label=line["label"]) for line in rows]
    nothing = np.zeros(len(rows), bool)
    nothing.flags.writeable = False
    study = SimpleNamespace(
        crop_folder=write_set(Folder.at(tmp_path / "crops"), rows),
        run_folder=Folder.at(tmp_path / "run"),
        source=SimpleNamespace(photos=photos),
        photos=photos,
        patched=PatchedPhotos(tuple(line["label"] for line in rows), nothing, nothing, nothing, {}),
    )
    said = io.StringIO()
    return study, LiveView(Console(file=said)), said


def test_run_goes_on_with_findings_and_stops_where_that_is_asked_for(tmp_path):
    rows = [photo("train/joy/0.jpg", pixels="A"), photo("train/sad/1.jpg", pixels="A"), photo("test/sad/2.jpg")]
    study, live, said = step_of(tmp_path, rows)
    assert audit_run(study, live).photographs.group.tolist() == [0, 0, 2]
    assert "Audit: Label conflicts: 1 photograph stands in several classes" in said.getvalue()
    assert study.run_folder.read_json("audit.json")["data"]["splits_origin"] == "drawn"
    with pytest.raises(
        FindingsError, match=r"See findings.csv and label_patch.proposed.csv in .*run, and the pictures in .*audit"
    ):
        audit_run(study, live, strict=True)
    assert study.run_folder.names(".png") == []


DROP, KEEP = ("drop", ""), ("keep", "")
JOY, SAD = ("relabel", "joy"), ("relabel", "sad")


def decide(study, *decisions):
    """The study with a patch of one decision a photo; None for no line."""
    actions = [decision[0] if decision else "" for decision in decisions]
    labels = [decision[1] if decision else "" for decision in decisions]
    study.patched = PatchedPhotos(
        tuple(label or photo.label for label, photo in zip(labels, study.photos, strict=True)),
        dropped=np.array([action == "drop" for action in actions]),
        kept=np.array([action == "keep" for action in actions]),
        decided=np.array([bool(action) for action in actions]),
        counts={},
    )


CONFLICT = [photo("train/joy/0.jpg", pixels="A"), photo("train/sad/1.jpg", pixels="A"), photo("test/sad/2.jpg")]
LEAK = [photo("train/joy/0.jpg", pixels="A"), photo("test/joy/1.jpg", pixels="A"), photo("test/sad/2.jpg")]


@pytest.mark.parametrize(
    ("rows", "first", "second", "settled"),
    [
        (CONFLICT, None, None, False),
        (CONFLICT, DROP, None, True),
        (CONFLICT, KEEP, None, False),
        (CONFLICT, None, JOY, False),
        (CONFLICT, KEEP, KEEP, True),
        (CONFLICT, KEEP, JOY, True),
        (CONFLICT, JOY, JOY, True),
        (CONFLICT, SAD, JOY, False),
        (CONFLICT, KEEP, SAD, False),
        (LEAK, None, KEEP, False),
        (LEAK, None, DROP, True),
        (LEAK, KEEP, KEEP, True),
        (LEAK, SAD, SAD, True),
        (LEAK, KEEP, SAD, False),
    ],
)
def test_label_patch_settles_copies_for_a_strict_audit(tmp_path, rows, first, second, settled):
    study, live, _ = step_of(tmp_path, rows)
    decide(study, first, second, None)
    if settled:
        assert not audit_run(study, live, strict=True).clean
    else:
        with pytest.raises(FindingsError, match=r"\(1 pair of copies\)"):
            audit_run(study, live, strict=True)


def test_shared_subject_is_settled_once_one_split_has_no_photo_of_it_left(tmp_path):
    names = ["train/joy/0.jpg", "train/sad/1.jpg", "test/joy/2.jpg", "test/sad/3.jpg"]
    rows = [photo(name, subject=subject) for name, subject in zip(names, ["s1", "s1", "s1", "s2"], strict=True)]
    rows.append(photo("test/sad/4.jpg", subject="s1", status="unreadable"))
    study, live, _ = step_of(tmp_path, rows)
    decide(study, DROP, KEEP, KEEP, None, None)
    with pytest.raises(FindingsError, match=r"\(1 subject in several splits\)"):
        audit_run(study, live, strict=True)
    decide(study, DROP, DROP, None, None, None)
    assert audit_run(study, live, strict=True).document["counts"]["subjects_in_several_splits"] == 1
    decide(study, None, None, DROP, None, None)
    audit_run(study, live, strict=True)


def test_shortcut_alone_stops_no_strict_audit(tmp_path):
    kinds = {"joy": "JPEG", "sad": "PNG"}
    rows = [photo(f"train/{name}/{i}.jpg", file_format=kinds[name]) for name in kinds for i in range(20)]
    study, live, said = step_of(tmp_path, rows)
    audit = audit_run(study, live, strict=True)
    assert audit.clean
    assert audit.document["counts"]["shortcuts_flagged"] > 0
    assert "Warning, a shortcut" in said.getvalue()


def test_strict_audit_lets_clean_photos_pass(tmp_path):
    study, live, said = step_of(tmp_path, [photo("train/joy/0.jpg"), photo("test/sad/1.jpg")])
    assert audit_run(study, live, strict=True).clean
    assert "Audit: No finding" in said.getvalue()


def test_findings_of_a_strict_run_exit_with_3(monkeypatch, capsys):
    def refuse(spec, *, fresh, strict_audit, verbose):
        assert strict_audit
        raise FindingsError("The audit has findings.")

    monkeypatch.setattr(run, "run_study", refuse)
    assert main(["run", "--strict-audit"]) == EXIT_FINDINGS
    assert capsys.readouterr().err == "facet: The audit has findings.\n"


def test_summary_of_a_run_begins_with_the_audit():
    result = run.RunResult(Folder.at("out"), 2, 2, summary={"Photos": "12", "Audit": "2 surplus copies in all."})
    assert run.describe_result(result)[:2] == [
        "Audit: 2 surplus copies in all.",
        "2 of 2 trials finished (0 in this call).",
    ]


def open_text(path: str) -> str:
    return Folder.at(".").read_bytes(path).decode()
