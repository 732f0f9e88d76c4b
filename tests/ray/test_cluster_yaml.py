"""cluster.yaml as Ray's autoscaler reads it, and as `place` counts its machines. No machine is started."""

import copy
import re
import shlex
import tomllib
from pathlib import Path

import jsonschema
import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

from orchestrator.cluster import Capacity, Node, autoscaled_nodes
from orchestrator.placement import place
from orchestrator.spec import paper

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture
def config() -> dict:
    return yaml.safe_load((ROOT / "cluster.yaml").read_text(encoding="utf-8"))


def test_ray_accepts_the_file(config):
    validate_config(prepare_config(config))


def test_ray_rejects_an_unknown_key(config):
    with pytest.raises(jsonschema.ValidationError, match="idle_minutes"):
        validate_config(prepare_config(config | {"idle_minutes": 5}))


def test_the_head_offers_no_core_and_every_worker_its_gpu(config):
    workers = [Node(4.0, 1.0)] * config["max_workers"]
    assert autoscaled_nodes(prepare_config(config)) == [Node(0.0, 0.0), *workers]


def test_a_trial_on_a_gpu_is_placed_although_no_worker_runs_yet(config):
    assert config["available_node_types"]["gpu_worker"]["min_workers"] == 0
    capacity = Capacity("cluster.yaml", tuple(autoscaled_nodes(config)))
    placement = place(paper().replace(gpus_per_trial=1), capacity)
    assert placement.concurrent_trials == config["max_workers"]
    assert placement.crops.num_gpus == 1


def test_the_image_holds_the_ray_and_a_python_of_pyproject(config):
    pinned = next(name for name in PYPROJECT["project"]["dependencies"] if name.startswith("ray["))
    release, python = re.fullmatch(r"rayproject/ray:([\d.]+)-py(\d+)-gpu", config["docker"]["image"]).groups()
    assert pinned.endswith(f"=={release}")
    assert python == "311"
    assert PYPROJECT["project"]["requires-python"].startswith(">=3.11")


def test_every_program_of_the_environment_is_called_where_it_is_installed(config):
    setup = "\n".join(config["setup_commands"])
    assert "UV_PROJECT_ENVIRONMENT=~/facet-venv uv sync --extra aws" in setup
    assert "aws" in PYPROJECT["project"]["optional-dependencies"]
    assert 'PATH="$HOME/facet-venv/bin:$PATH"' in setup
    for command in config["head_start_ray_commands"] + config["worker_start_ray_commands"]:
        programs = [word for word in shlex.split(command) if word.endswith("ray")]
        assert programs == ["~/facet-venv/bin/ray"]


def test_nobody_gets_in_without_the_token(config):
    token = next(place for place in config["file_mounts"] if "token" in place)
    assert f'RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH="{token.replace("~", "$HOME")}"' in "\n".join(
        config["setup_commands"]
    )
    assert "--dashboard-host=127.0.0.1" in config["head_start_ray_commands"][-1]
    assert all(kind["node_config"]["SecurityGroupIds"] for kind in config["available_node_types"].values())


def test_neither_photos_nor_results_travel_with_the_checkout(config):
    assert {".venv", "runs", ".git", "shared"} <= set(config["rsync_exclude"])
    assert config["file_mounts"]["~/facet"] == "."


def test_what_is_tested_is_what_the_file_says(config):
    """`prepare_config` fills in defaults; it must not change what the file sets, such as the dashboard's host."""
    prepared = prepare_config(copy.deepcopy(config))
    changed = {"setup_commands", "head_setup_commands", "worker_setup_commands", "available_node_types", "provider"}
    assert {name: prepared[name] for name in config.keys() - changed} == {
        name: config[name] for name in config.keys() - changed
    }
