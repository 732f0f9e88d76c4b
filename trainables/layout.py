"""What a trial asks of the cluster, and what it reports to Tune. Imports nothing heavy: a plan needs it too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ray.tune import PlacementGroupFactory

METRIC = "accuracy"
"""What a step reports to Tune: accuracy on the photos that the epoch is chosen on; in the last result, on the reported
photos, of the epoch chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLayout:
    """The workers of one trial and what each may use. `gpus_real`: whether torch sees a GPU where Ray counts one."""

    workers: int = 1
    cpus_per_worker: int = 1
    gpus_per_worker: float = 0.0
    gpus_real: bool = False

    def trial_resources(self) -> PlacementGroupFactory:
        """What Tune reserves for the trial's own process."""
        from ray import tune  # takes a while to import, and a plan does without

        if self.workers > 1:
            # It only waits for its workers, which Ray Train places: any share of a core could leave them short of one.
            return tune.PlacementGroupFactory([{"memory": 1}])
        return tune.PlacementGroupFactory([{"CPU": self.cpus_per_worker, "GPU": self.gpus_per_worker}])
