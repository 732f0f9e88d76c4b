"""Run in a fresh interpreter by conftest.py for test_imports.py: imports every module and prints what that did."""

import importlib
import json
import pkgutil
import sys
import threading

PACKAGES = ("orchestrator", "search_spaces", "trainables", "datasets")
CORE = ("datasets.detector", "datasets.cropper", "datasets.sources", "datasets.shards", "datasets.store")


def import_everything() -> dict:
    """Module names and what was started on the way; Ray's are looked for before anything outside the core comes in."""
    for name in (*CORE, "trainables.train"):
        importlib.import_module(name)
    ray_at_the_core = sorted(name for name in sys.modules if name.split(".")[0] == "ray")
    for package in PACKAGES:
        root = importlib.import_module(package)
        for module in pkgutil.walk_packages(root.__path__, package + "."):
            importlib.import_module(module.name)
    import ray
    import torch

    return {
        "ray_at_the_core": ray_at_the_core,
        "modules": [name for name in sys.modules if name.split(".")[0] in PACKAGES],
        "ray_started": ray.is_initialized(),
        "cuda_started": torch.cuda.is_initialized(),
        "threads": [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()],
    }


if __name__ == "__main__":
    print(json.dumps(import_everything()))
