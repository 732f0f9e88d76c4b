"""Whether the trials fit into memory side by side, as measured for one of them."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.cluster import Capacity
from orchestrator.placement import Placement
from orchestrator.planning.measured import Need

RAY_AND_DRIVER_BYTES, RAY_IN_A_WORKER_BYTES = 2_300_000_000, 130_000_000
"""What a run takes beside trials and photos, and a worker beside its training. Measured on two cores with Ray 2.60 on
2026-11-23 (docs/plan.md), pages that processes share counted by share: the driver 1.1 GB, the recorder 0.5 GB, services
of Ray 0.7 GB."""
USABLE = 0.95
"""Ray ends trials where more than this part of a machine's memory is used (its `memory_usage_threshold`)."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine and the workers that may run there at once. `free`: bytes that a run may take, None where not known."""

    workers: int
    total: int | None = None
    free: int | None = None
    driver: bool = False
    """Whether it is sure to be the one that the run is started on."""


@dataclass(frozen=True)
class Memory:
    """Bytes. need: of one worker process, None where it was not measured, and `why` says so.

    photos: the arrays that all trials of a machine share. team: workers of one trial.
    """

    need: Need | None
    photos: int = 0
    machines: tuple[Machine, ...] = ()
    team: int = 1
    workers_per_gpu: int = 1
    why: str = ""

    def at_once(self, machine: Machine, workers: int | None = None) -> int:
        """Of a machine while its workers train. The driver holds the photos a second time."""
        assert self.need is not None
        workers = machine.workers if workers is None else workers
        training = self._worker() * workers + (self.need.shared if workers else 0)
        return training + (2 * self.photos + RAY_AND_DRIVER_BYTES if machine.driver else self.photos)

    def trial(self) -> int:
        """Of one trial: all its workers."""
        assert self.need is not None
        return self._worker() * self.team + self.need.shared

    def _worker(self) -> int:
        assert self.need is not None
        return self.need.own + RAY_IN_A_WORKER_BYTES

    def lines(self) -> dict[str, str]:
        """Lines of the plan: what is needed, and a warning where it is not there."""
        if self.need is None:
            return {"Peak memory": self.why}
        lines = {"Peak memory": f"{gigabytes(self.trial())} a trial{self._machine_text()}"}
        if self.need.gpu is not None:
            lines["GPU memory"] = self._gpu_text(self.need.gpu, self.need.gpu_total)
        warnings = self.warnings()
        return lines | ({"Does not fit": " ".join(warnings)} if warnings else {})

    def warnings(self) -> list[str]:
        """Sentences on what does not fit, and which flag helps."""
        if self.need is None:
            return []
        fitting = [(machine, self._workers_that_fit(machine)) for machine in self.machines]
        warnings = []
        if any(workers < machine.workers for machine, workers in fitting):
            trials = sum(workers for _, workers in fitting) // self.team
            alone = f"--max-concurrent-trials {trials} would fit; lower" if trials else "Not even one trial fits: lower"
            if any(machine.free is not None and 2 * self.photos > machine.free for machine, _ in fitting):
                alone = "The photos alone fill the memory: lower"
            flags = "--image-size" if alone.startswith("The photos") else "--batch-size or --image-size"
            warnings.append(f"{alone} {flags}, or take a machine with more memory.")
        return warnings + self._gpu_warnings(self.need.gpu, self.need.gpu_total)

    def _workers_that_fit(self, machine: Machine) -> int:
        """All where it is not known how much memory there is."""
        if machine.free is None or not machine.workers:
            return machine.workers
        return max((n for n in range(machine.workers + 1) if self.at_once(machine, n) <= machine.free), default=0)

    def _machine_text(self) -> str:
        machine = max(self.machines, key=self.at_once, default=None)
        if machine is None or not machine.workers:
            return ""
        photos = gigabytes(self.photos * (2 if machine.driver else 1))
        parts = f"photos {photos}" + (f", driver and Ray {gigabytes(RAY_AND_DRIVER_BYTES)}" if machine.driver else "")
        at_once = f"{machine.workers} train at once" if machine.workers > 1 else "it trains"
        text = f", about {gigabytes(self.at_once(machine))} of a machine while {at_once} ({parts}); "
        if machine.free is None or machine.total is None:
            return text + "how much memory it has is not known here"
        return text + f"it has {gigabytes(machine.total)}, {gigabytes(machine.free)} of it free for a run"

    def _gpu_text(self, gpu: int, total: int | None) -> str:
        text = f"{gigabytes(gpu)} a worker, beside what the GPU's driver takes"
        text += f"; {self.workers_per_gpu} share a GPU" if self.workers_per_gpu > 1 else ""
        return text + (f"; it has {gigabytes(total)}" if total else "")

    def _gpu_warnings(self, gpu: int | None, total: int | None) -> list[str]:
        if gpu is None or total is None or gpu * self.workers_per_gpu <= total:
            return []
        if gpu <= total:
            return [f"So many trials do not fit on a GPU: raise --gpus-per-trial to {1 / (total // gpu):.2g}."]
        return ["Not one trial fits on a GPU: lower --batch-size or --image-size."]


def machines_of(capacity: Capacity, placement: Placement) -> tuple[Machine, ...]:
    """The machines that trials may run on, with as many workers as have a place there."""
    layout, machines = placement.layout, list[Machine]()
    left = placement.concurrent_trials * layout.workers
    for node in capacity.nodes:
        workers = min(left, node.fits(layout.cpus_per_worker, layout.gpus_per_worker))
        left -= workers
        if capacity.one_machine:
            total, free = this_machine()
            machines.append(Machine(workers, total, free, driver=True))
        else:
            known = int(node.memory) or None
            machines.append(Machine(workers, known, known))
    return tuple(machines)


def this_machine() -> tuple[int, int]:
    """Bytes of memory, and how many of them a run may still take; of the container's where there is one."""
    import ray  # puts its copy of psutil on the path
    from ray._common.utils import get_system_memory
    from ray._private.utils import get_used_memory

    assert ray.__version__
    total = get_system_memory()
    return total, max(0, int(USABLE * total) - get_used_memory())


def photo_bytes(num_photos: int, image_size: int) -> int:
    """Of the arrays that trials read (datasets/store.py): crop and frame of every photo, three bytes a pixel."""
    return num_photos * 2 * 3 * image_size**2


def gigabytes(size: float) -> str:
    """`1.4 GB`, `8 MB`."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
