"""Which Ray cluster a run uses, and what fits on it."""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from datasets.errors import UserError

BOOTSTRAP_CONFIG = Path("~/ray_bootstrap_config.yaml")
"""Where `ray up` leaves the cluster's configuration on its head."""
_QUIET = {
    "RAY_DEDUP_LOGS": "1",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.2",
    "RAY_TRAIN_METRICS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    "PYTHONWARNINGS": "ignore",
}


_FOLLOW_UV = "RAY_ENABLE_UV_RUN_RUNTIME_ENV"


@dataclass(frozen=True, slots=True)
class Node:
    """What one machine offers to trials."""

    cpus: float
    gpus: float
    memory: float = 0.0
    """Bytes that Ray's workers may take there; 0 where that is not known."""

    def fits(self, cpus: float, gpus: float) -> int:
        """How many workers of that size fit."""
        by_cpu = int((self.cpus + 1e-9) // cpus) if cpus else sys.maxsize
        by_gpu = int((self.gpus + 1e-9) // gpus) if gpus else sys.maxsize
        return min(by_cpu, by_gpu)


@dataclass(frozen=True, slots=True)
class Capacity:
    """The machines that a run can use, those that an autoscaler may add included."""

    description: str
    nodes: tuple[Node, ...]
    one_machine: bool = False
    """Whether all workers are sure to run here, and so can read this machine's files."""
    present: tuple[Node, ...] | None = None
    """Those that are there already, where an autoscaler may add others; None where all are."""

    @property
    def cpus(self) -> float:
        """All cores."""
        return sum(node.cpus for node in self.nodes)

    @property
    def gpus(self) -> float:
        """All GPUs."""
        return sum(node.gpus for node in self.nodes)

    def slots(self, cpus: float, gpus: float) -> int:
        """How many workers of that size fit at once."""
        return sum(node.fits(cpus, gpus) for node in self.nodes)


def find_address(address: str) -> str | None:
    """The cluster to join, or None for a local one. Raises UserError where a named cluster does not answer.

    `auto` is RAY_ADDRESS or the cluster that `ray start` made this machine part of, never a private one.
    """
    if address == "local":
        return None
    if address != "auto":
        return _checked(address, f"`address` {address}")
    named = os.environ.get("RAY_ADDRESS", "")
    if named and named not in ("auto", "local"):
        return _checked(named, f"RAY_ADDRESS={named}")
    from ray._private.utils import read_ray_address

    noted = None if named == "local" else read_ray_address()
    return noted if noted and _answers(noted) else None


def local_capacity() -> Capacity:
    """This machine alone."""
    import joblib
    import torch

    node = Node(float(joblib.cpu_count()), float(torch.cuda.device_count()))
    return Capacity(f"local Ray, {_amount(node.cpus, 'core')}, {_amount(node.gpus, 'GPU')}", (node,), one_machine=True)


def connect(address: str, *, verbose: bool) -> Capacity:
    """Join or start Ray, and say what it offers. A Ray that already runs in this process is used as it is."""
    quiet_environment()
    import ray

    if not ray.is_initialized():
        found = find_address(address)
        level = logging.INFO if verbose else logging.ERROR
        if found is None:
            node = local_capacity().nodes[0]
            ray.init(
                address="local",
                num_cpus=int(node.cpus),
                num_gpus=int(node.gpus),
                include_dashboard=False,
                logging_level=level,
                log_to_driver=verbose,
            )
            _keep_token_private()
            return local_capacity()
        # Workers import the driver's code, not what a node happened to have installed.
        modules = {"py_modules": _our_packages()}
        try:
            ray.init(address=found, logging_level=level, log_to_driver=verbose, runtime_env=modules)
        except ConnectionError as error:
            raise UserError(_why_not_in(found, error)) from None
    return _running_capacity()


def quiet_environment() -> None:
    """Settings that Ray reads when it is imported; what the user has set stands."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    _keep_the_environment()


def _keep_the_environment() -> None:
    """Let workers use the environment that is there, their machine's own.

    A driver that was started by `uv run` would else hand its working directory, photos and all, to Ray, whose workers
    would build an environment anew from it in every session, which takes a minute.
    """
    value = os.environ.setdefault(_FOLLOW_UV, "0")
    constants = sys.modules.get("ray._private.ray_constants")
    if constants is not None:  # it has read the variable when it was imported
        constants.RAY_ENABLE_UV_RUN_RUNTIME_ENV = value.lower() in ("1", "true")  # type: ignore[attr-defined]


def autoscaled_nodes(config: Mapping[str, Any]) -> list[Node]:
    """The machines that a cluster configuration (that of `ray up`) may start, head included."""
    types: Mapping[str, Any] = config.get("available_node_types", {})
    nodes, left = [], int(config.get("max_workers", 0))
    for name, node_type in types.items():
        offered = node_type.get("resources", {})
        node = Node(*(float(offered.get(kind, 0)) for kind in ("CPU", "GPU", "memory")))
        count = 1 if name == config.get("head_node_type") else min(left, int(node_type.get("max_workers", left)))
        left -= 0 if name == config.get("head_node_type") else count
        nodes += [node] * count
    return nodes


def _running_capacity() -> Capacity:
    import ray

    live = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    nodes = [Node(*(offered.get(kind, 0.0) for kind in ("CPU", "GPU", "memory"))) for offered in live]
    present = None
    address = ray.get_runtime_context().gcs_address
    description = f"Ray cluster at {address}, {_amount(len(nodes), 'node')}"
    promised = list(_promised_nodes())
    if sum(node.gpus + node.cpus for node in promised) > sum(node.gpus + node.cpus for node in nodes):
        present = tuple(nodes)
        nodes, description = promised, f"{description}, growing to {_amount(len(promised), 'node')}"
    capacity = Capacity(description, tuple(nodes))
    amounts = f"{_amount(capacity.cpus, 'core')}, {_amount(capacity.gpus, 'GPU')}"
    return Capacity(f"{description}, {amounts}", capacity.nodes, present=present)


def _promised_nodes() -> Sequence[Node]:
    """What the autoscaler may start, where this machine is the head of a cluster made by `ray up`."""
    path = BOOTSTRAP_CONFIG.expanduser()
    if not path.exists():
        return ()
    return autoscaled_nodes(yaml.safe_load(path.read_text(encoding="utf-8")))


def _our_packages() -> list[str]:
    import datasets
    import orchestrator
    import search_spaces
    import trainables

    return [str(Path(package.__file__ or "").parent) for package in (datasets, trainables, search_spaces, orchestrator)]


def _checked(address: str, named: str) -> str:
    if address.startswith("ray://"):
        raise UserError(
            f"{named} is a Ray Client address. Run on the cluster itself (`ray submit`), or give host:port."
        )
    if not _answers(address):
        raise UserError(f"{named} does not answer. Start the cluster, or use --address local.")
    return address


def _why_not_in(address: str, error: ConnectionError) -> str:
    reason = str(error.__cause__ or error).strip().splitlines()
    return (
        f"The Ray cluster at {address} lets this program not in ({reason[-1] if reason else 'no reason given'}). If it "
        "asks for a token, set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN_PATH to the file that holds it."
    )


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=2.0).close()
    except (OSError, ValueError):
        return False
    return True


def _keep_token_private() -> None:
    """Ray writes its access token readable for every user of the machine."""
    token = Path("~/.ray/auth_token").expanduser()
    if token.exists():
        token.chmod(0o600)


def _amount(count: float, noun: str) -> str:
    return f"{count:g} {noun}{'' if count == 1 else 's'}"
