"""What can be said about trackers before anything is computed."""

from __future__ import annotations

import io
from contextlib import redirect_stderr

from datasets.errors import UserError
from orchestrator.spec import Spec


def check_tracking(spec: Spec) -> None:
    """Raise UserError where W&B would have to ask for a key: nobody can answer a thread."""
    if spec.wandb != "online":
        return
    import wandb

    with redirect_stderr(io.StringIO()):  # where it greets, and names the server
        known = wandb.login(prompt=False, verify=False)
    if not known:
        raise UserError(
            "`wandb` online needs an API key. Run `wandb login`, set WANDB_API_KEY, or write --wandb offline."
        )
