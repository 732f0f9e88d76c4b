"""What a run costs, and what the same run costs again.

    python benchmarks/second_run.py                       a small grid on the generated sample
    python benchmarks/second_run.py --conditions table1,leave_one_out --seeds 3 --epochs 8    the embedded default

Runs `facet run` twice into a new folder. Prints both wall times, their ratio, and the scheduling overhead a trial: the
time of a trial's place on the machine in which nothing trained (starting, recording, waiting for the last trial).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def timed_run(out: Path, arguments: list[str]) -> float:
    """Seconds that one `facet run` takes from outside. Raises CalledProcessError if it fails."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "orchestrator.cli", "run", "--out", str(out), *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    """Run twice and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--conditions", default="baseline_cnn,proposed")
    parser.add_argument("--seeds", default="2")
    parser.add_argument("--epochs", default="4")
    options = parser.parse_args()
    arguments = ["--conditions", options.conditions, "--seeds", options.seeds, "--epochs", options.epochs]
    arguments += ["--head-epochs", str(max(1, 3 * int(options.epochs) // 8)), "--address", "local"]
    with tempfile.TemporaryDirectory() as folder:
        first_s, again_s = (timed_run(Path(folder) / "run", arguments) for _ in range(2))
        (session,) = json.loads((Path(folder) / "run" / "sessions.json").read_text())
    summary = {
        "trials": session["trials"],
        "first_run_s": round(first_s, 1),
        "second_run_s": round(again_s, 1),
        "ratio": round(again_s / first_s, 3),
        "overhead_s_per_trial": round(session["overhead_s"], 2),
        "training_s_per_trial": round(session["training_s"] / session["trials"], 2),
    }
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
