import json
import os
import subprocess
import sys

import pytest

from datasets.errors import UserError
from datasets.folder import Folder
from orchestrator.cli import main
from orchestrator.exit_codes import EXIT_OK, EXIT_UNREAD, EXIT_USER
from orchestrator.run_files import locked
from orchestrator.spec import Spec

pytestmark = pytest.mark.usefixtures("own_environment")


def files_of(*classes: str, num: int = 5) -> list[str]:
    return [f"{name}/{index}.jpg" for name in classes for index in range(num)]


@pytest.fixture
def refused(tmp_path, monkeypatch, capsys):
    """Runs `facet run` in an empty folder; the sentence it refuses with."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> str:
        assert main(["run", *arguments]) == EXIT_USER
        said = capsys.readouterr()
        assert said.out == ""
        assert not (tmp_path / "out").exists(), "something was computed"
        assert said.err.startswith("facet: ")
        assert "Traceback" not in said.err
        return said.err

    return run


@pytest.mark.parametrize(
    ("photos", "arguments", "message"),
    [
        ((), [], "holds no photo"),
        (files_of("joy"), [], "has one class only, ['joy']"),
        ((*files_of("joy", "fear"), "sad/1.jpg"), [], "Class `sad` has 1 photos; `test_frac` 0.2 needs at least 5"),
        (files_of("joy", "sad", "anger"), [], "`rare_class` fear is no class of"),
        (files_of("joy", "fear"), [], "Without `rare_class` fear a single class is left"),
        (files_of("joy", "sad", "fear"), ["--gpus-per-trial", "99"], "`gpus_per_trial` asks for 99 GPUs"),
        (files_of("joy", "sad", "fear"), ["--workers-per-trial", "999"], "does not fit"),
        (files_of("joy", "sad", "fear"), ["--offline", "--backbone", "efficientnet_b0"], "`offline` rules out"),
    ],
)
def test_mistake_gets_one_sentence_and_exit_code_2(photo_tree, refused, photos, arguments, message):
    folder = photo_tree(*photos)
    folder.mkdir(exist_ok=True, parents=True)
    assert message in refused("--data", str(folder), "--out", "out", *arguments)


def test_missing_data_folder_is_refused(refused):
    assert "does not exist" in refused("--data", "nowhere", "--out", "out")


def test_out_folder_with_other_files_is_refused(photo_tree, tmp_path, capsys):
    folder = photo_tree(*files_of("joy", "sad", "fear"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    for flags in ([], ["--fresh"]):
        assert main(["run", "--data", str(folder), "--out", str(tmp_path / "mine"), *flags]) == EXIT_USER
        assert "is not empty and holds no run. Choose another --out" in capsys.readouterr().err
    assert (tmp_path / "mine" / "thesis.txt").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--seed", "3"], "unknown argument `--seed` (did you mean `--seeds`?)"),
        (["run", "a.yaml", "b.yaml"], "unknown argument `b.yaml`"),
        (["dance"], "invalid choice: 'dance'"),
        ([], "COMMAND"),
        (["report"], "RUN_DIR"),
    ],
)
def test_unknown_word_is_refused_with_the_way_out(capsys, arguments, message):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    said = capsys.readouterr().err
    assert stopped.value.code == EXIT_USER
    assert message in said
    assert "--help` lists what there is" in said


@pytest.mark.parametrize("command", ["run", "plan", "crop", "audit", "sample", "report", "compare", "spec", "doctor"])
def test_every_command_explains_itself_with_an_example(capsys, command):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    said = capsys.readouterr().out
    assert said.partition("example")[2].count(f"facet {command}") >= 2
    if command in ("run", "plan", "crop", "audit", "spec"):
        assert all(f"--{name.replace('_', '-')}" in said for name in Spec.model_fields)


def test_plan_says_what_a_run_would_do_and_does_nothing(photo_tree, tmp_path, capsys):
    folder = photo_tree(*files_of("joy", "sad", "fear"))
    assert (
        main(["run", "--dry-run", "--data", str(folder), "--out", str(tmp_path / "out"), "--address", "local"])
        == EXIT_OK
    )
    said = capsys.readouterr().out
    assert "15 photos (" in said
    assert "60 (3 seeds): 0 done, 60 to run" in said
    assert "paper, clean (left out if the photos prove not to support it)" in said
    assert not (tmp_path / "out").exists()


def test_schema_is_json(capsys):
    assert main(["spec", "--schema"]) == EXIT_OK
    assert "image_size" in json.loads(capsys.readouterr().out)["properties"]


@pytest.mark.parametrize("command", [["spec", "--schema"], ["spec"], ["check-paper"]])
def test_reader_that_stops_early_gets_no_complaint(command):
    """Both what fills the buffer and what is written at the end of the program."""
    reading, writing = os.pipe()
    os.close(reading)
    code = f"import sys; from orchestrator.cli import main; sys.exit(main({command}))"
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=writing, stderr=subprocess.PIPE, timeout=120, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (EXIT_UNREAD, b"")


def test_report_of_a_folder_without_a_run_is_refused(tmp_path, capsys):
    assert main(["report", str(tmp_path)]) == EXIT_USER
    assert "holds no run" in capsys.readouterr().err


def test_wandb_online_without_a_key_is_refused(refused, monkeypatch, tmp_path):
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "no-netrc"))
    assert "`wandb` online needs an API key" in refused("--wandb", "online", "--out", "out")


def test_out_that_is_a_file_is_refused(photo_tree, refused, tmp_path):
    (tmp_path / "taken").write_text("a file")
    folder = photo_tree(*files_of("joy", "sad", "fear"))
    assert "taken is a file. Name a folder" in refused("--data", str(folder), "--out", "taken")


def test_second_call_in_a_run_folder_is_refused(tmp_path):
    folder = Folder.at(tmp_path / "run")
    with locked(folder), pytest.raises(UserError, match="Another `facet run` works in"), locked(folder):
        pass
    with locked(folder):
        pass  # the lock of a call that ended is free


def test_damaged_study_is_named(photo_tree, refused, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "study.json").write_text("{")
    folder = photo_tree(*files_of("joy", "sad", "fear"))
    assert "study.json` is damaged" in refused("--data", str(folder), "--out", "run")


def test_manifest_of_photos_that_are_not_there_is_refused(refused, tmp_path):
    rows = [f"{index}.jpg,{label}" for index, label in enumerate(["joy", "sad", "fear"] * 5)]
    (tmp_path / "photos.csv").write_text("\n".join(["path,label", *rows]))
    assert "can be read, such as `0.jpg`" in refused("--data", "photos.csv", "--out", "out")


def test_fresh_does_not_move_a_run_that_another_call_works_in(photo_tree, tmp_path, capsys):
    photos, out = photo_tree(*files_of("joy", "sad", "fear")), Folder.at(tmp_path / "run")
    out.write_text("study.json", "{}")
    with locked(out):
        assert main(["run", "--fresh", "--data", str(photos), "--out", str(tmp_path / "run")]) == EXIT_USER
    assert "Another `facet run` works in" in capsys.readouterr().err
    assert out.exists("study.json")


def test_commands_that_train_nothing_start_without_torch():
    """It takes seconds to import."""
    code = "import sys, orchestrator.crop_command, orchestrator.plan; print({'torch', 'timm'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("set()\n", "")
