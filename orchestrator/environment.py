"""What a run ran on, as `environment.json` and `facet doctor` state it. No user, host name or path."""

from __future__ import annotations

import os
import platform

from orchestrator.records import versions


def describe_environment(cluster: str) -> dict[str, str]:
    """Versions, processor, GPUs and cluster."""
    import torch

    gpus = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return {
        **versions(),
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "gpus": ", ".join(gpus) or "none",
        "cuda": torch.version.cuda or "none",
        "cluster": cluster,
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
    except OSError:
        return platform.processor() or "unknown"
