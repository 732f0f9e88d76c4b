"""`facet run` as one script: `ray submit cluster.yaml orchestrator/run_ablation.py` copies this file alone to the head.

The packages come from the installation on the head, or from the checkout that this file stands in.
"""

import sys
from pathlib import Path

if Path(__file__).resolve().parent.name == "orchestrator":
    sys.path[0] = str(Path(__file__).resolve().parents[1])  # this folder's own names must not hide installed modules

from orchestrator.cli import main

if __name__ == "__main__":
    sys.exit(main(["run", *sys.argv[1:]]))
