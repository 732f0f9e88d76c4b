"""What joining or starting a Ray brings along."""

from types import SimpleNamespace

import pytest
from ray._private import ray_constants, worker
from ray._private.runtime_env import uv_runtime_env_hook

from orchestrator import cluster

VARIABLE = "RAY_ENABLE_UV_RUN_RUNTIME_ENV"


@pytest.fixture
def variables(monkeypatch) -> dict[str, str]:
    """The environment variables of a process that `uv run facet run` started."""
    monkeypatch.setattr(uv_runtime_env_hook, "_get_uv_run_cmdline", lambda: ["uv", "run", "facet", "run"])
    monkeypatch.setattr(ray_constants, VARIABLE, True)
    environ: dict[str, str] = {}
    monkeypatch.setattr(cluster, "os", SimpleNamespace(environ=environ))
    return environ


def test_working_directory_stays_where_it_is_under_uv(variables):
    assert "working_dir" in worker._maybe_modify_runtime_env({}, False)  # Ray alone would send it
    cluster.quiet_environment()
    assert worker._maybe_modify_runtime_env({}, False) == {}
    assert variables[VARIABLE] == "0"


def test_who_wants_rays_way_under_uv_gets_it(variables):
    variables[VARIABLE] = "1"
    cluster.quiet_environment()
    assert "working_dir" in worker._maybe_modify_runtime_env({}, False)
