"""Trackers: what is finished goes to TensorBoard and W&B, from the ledger, beside the training and never in its way."""

from orchestrator.tracking.check import check_tracking
from orchestrator.tracking.tracked import TRACKED_FILE
from orchestrator.tracking.tracker import Tracker

__all__ = ["TRACKED_FILE", "Tracker", "check_tracking"]
