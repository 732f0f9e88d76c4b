"""What can be said about trackers before anything is computed."""

from __future__ import annotations

from datasets.errors import UserError
from orchestrator.spec import Spec


def check_tracking(spec: Spec) -> None:
    """Raise UserError where W&B would have to ask for a key: nobody can answer a thread."""
    if spec.wandb != "online":
        return
    import wandb

    if not wandb.login(prompt=False, verify=False):
        raise UserError(
            "`wandb` online needs an API key. Run `wandb login`, set WANDB_API_KEY, or write --wandb offline."
        )
