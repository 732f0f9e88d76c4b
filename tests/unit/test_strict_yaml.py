"""A key that stands twice is a mistake in every YAML file that a user writes."""

from pathlib import Path

import pytest
import yaml

from datasets.errors import UserError
from datasets.folder import Folder
from datasets.strict_yaml import load_yaml
from orchestrator.cards.statement import STATEMENT_FILE, read_statement
from orchestrator.cli import main
from orchestrator.exit_codes import EXIT_USER

pytestmark = pytest.mark.usefixtures("own_environment")
TWICE = "the key `{}` stands twice"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("epochs: 3\nseeds: 2\nepochs: 4", "epochs"),
        ("a: {b: 1, c: {d: 1, d: 2}}", "d"),
        ("- {1: a, '1': b}", "1"),
    ],
)
def test_repeated_key_is_a_mistake_wherever_it_stands(text, key):
    with pytest.raises(yaml.YAMLError, match=TWICE.format(key)):
        load_yaml(text)


def test_merged_keys_may_be_written_over():
    text = "x: &x {a: 1, b: 2}\ny: &y {<<: *x, a: 3}\nz: {<<: *y, b: 4}"
    assert load_yaml(text)["z"] == {"a": 3, "b": 4}


def test_all_that_is_wrong_with_a_text_is_one_kind_of_error():
    for text in ("a: 2024-99-99", "[" * 5000, "a: [", "a: !!python/object:os.system {}"):
        with pytest.raises(yaml.YAMLError):
            load_yaml(text)


@pytest.mark.parametrize(
    ("command", "text", "key"),
    [
        (["spec", "mine.yaml"], "epochs: 3\nepochs: 4", "epochs"),
        (["check-paper", "mine.yaml"], "seeds: 3\nseeds: 4", "seeds"),
        (["plan", "--hypotheses", "mine.yaml"], "hypotheses: []\nhypotheses: []", "hypotheses"),
    ],
)
def test_command_names_the_file_and_the_key(command, text, key, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text(text)
    assert main(command) == EXIT_USER
    said = capsys.readouterr()
    assert said.out == ""
    assert "mine.yaml" in said.err
    assert TWICE.format(key) in said.err


def test_statement_of_the_photos_too(tmp_path):
    (tmp_path / STATEMENT_FILE).write_text("licence: CC0\nlicence: CC BY 4.0\n")
    with pytest.raises(UserError, match=rf"`{STATEMENT_FILE}` .*{TWICE.format('licence')}"):
        read_statement(Folder.at(str(tmp_path)), generated=False)
