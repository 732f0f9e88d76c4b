"""Energy by the counters of this machine, where it has some that may be read. Nothing is estimated from watts.

Processors: RAPL, as Linux shows it (kernel documentation, Documentation/power/powercap/powercap.rst), of Intel and AMD.
GPUs: NVIDIA's total energy counter (nvmlDeviceGetTotalEnergyConsumption, GPUs since Volta).
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from orchestrator.report.wording import counted, listing

POWERCAP = Path("/sys/class/powercap")
READ_EVERY_S = 10.0
"""A processor's counter starts anew after some minutes of full load; read this often, no turn is missed."""
_ZONES = ("package", "dram")
"""Domains that do not contain each other: `core` and `uncore` are parts of a package, `psys` contains packages."""


class Counter(Protocol):
    """Something that counts energy."""

    kind: str
    """What it counts the energy of, such as `processor package`."""

    def joules(self) -> float:
        """The energy since the last reading; 0 at the first. Raises OSError where it cannot be read."""


class RaplZone:
    """One domain of RAPL. Its counter starts anew at `max_energy_range_uj` microjoules."""

    def __init__(self, folder: Path) -> None:
        name = (folder / "name").read_text(encoding="ascii").strip()
        self.kind = "memory" if name.startswith("dram") else "processor package"
        self.is_counted = name.startswith(_ZONES)
        self._file = folder / "energy_uj"
        self._range_uj = int((folder / "max_energy_range_uj").read_text(encoding="ascii"))
        self._last_uj: int | None = None

    def joules(self) -> float:
        """As Counter says."""
        now_uj = int(self._file.read_text(encoding="ascii"))
        before_uj, self._last_uj = self._last_uj, now_uj
        if before_uj is None:
            return 0.0
        return (now_uj - before_uj + (self._range_uj if now_uj < before_uj else 0)) / 1e6


class GpuCounter:
    """One GPU. `read_mj`: millijoules since its driver was loaded."""

    kind = "GPU"

    def __init__(self, read_mj: Callable[[], int]) -> None:
        self._read_mj = read_mj
        self._last_mj: int | None = None

    def joules(self) -> float:
        """As Counter says."""
        now_mj = self._read_mj()
        before_mj, self._last_mj = self._last_mj, now_mj
        return 0.0 if before_mj is None else (now_mj - before_mj) / 1e3


@dataclass(frozen=True)
class Energy:
    """`joules` of what `of` says; None where it could not be measured, and then `of` says why."""

    joules: float | None
    of: str

    def plus(self, other: Energy) -> Energy:
        """Of both together; unknown where either is."""
        if self.joules is None or other.joules is None:
            return self if self.joules is None else other
        return Energy(self.joules + other.joules, self.of)


class EnergyMeter:
    """Reads the counters from `start` to `stop`, in a thread between."""

    def __init__(self, counters: Sequence[Counter], why_not: str = "", *, every_s: float = READ_EVERY_S) -> None:
        self._counters, self._why_not, self._every_s = counters, why_not, every_s
        self._joules, self._failed = 0.0, ""
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._keep_reading, daemon=True, name="energy")

    def start(self) -> None:
        """Begin to count."""
        if self._counters:
            self._read()
            self._thread.start()

    def stop(self) -> Energy:
        """The energy since `start`."""
        if not self._counters:
            return Energy(None, self._why_not)
        self._stopped.set()
        self._thread.join()
        self._read()
        if self._failed:
            return Energy(None, self._failed)
        kinds = [counter.kind for counter in self._counters]
        names = [counted(kinds.count(kind), kind) if kind != "memory" else kind for kind in dict.fromkeys(kinds)]
        return Energy(self._joules, listing(names))

    def _keep_reading(self) -> None:
        while not self._stopped.wait(self._every_s):
            self._read()

    def _read(self) -> None:
        try:
            self._joules += sum(counter.joules() for counter in self._counters)
        except Exception as error:  # of the GPU's library too: a run goes on without its energy
            self._failed = f"a counter could not be read any more ({type(error).__name__})"


@contextmanager
def energy_of(note: Callable[[Energy], None]) -> Iterator[None]:
    """Pass the energy that this machine took while the block ran to `note`, whatever becomes of the block."""
    meter = EnergyMeter(*find_counters())
    meter.start()
    try:
        yield
    finally:
        note(meter.stop())


def find_counters(powercap: Path = POWERCAP) -> tuple[list[Counter], str]:
    """The counters of this machine; and where there are none, why."""
    zones, why_not = rapl_zones(powercap)
    gpus = gpu_counters()
    return [*zones, *gpus], "" if zones or gpus else f"{why_not}, and no NVIDIA GPU that counts its energy"


def rapl_zones(powercap: Path = POWERCAP) -> tuple[list[RaplZone], str]:
    """RAPL's packages and memory; and where there are none, why."""
    found, refused = [], False
    for folder in sorted(powercap.glob("intel-rapl:*")):  # AMD's processors stand under this name too
        try:
            zone = RaplZone(folder)
            if zone.is_counted:
                zone.joules()
                found.append(zone)
        except PermissionError:
            refused = True
        except (OSError, ValueError):
            continue  # a domain that this processor lists and does not count
    why_not = (
        "the processor's energy counter may be read by root alone" if refused else "the processor shows no counter"
    )
    return found, "" if found else why_not


def gpu_counters() -> list[GpuCounter]:
    """Of every NVIDIA GPU that counts its energy; none where NVIDIA's library for Python, pynvml, is not installed."""
    try:
        pynvml: Any = importlib.import_module("pynvml")
        pynvml.nvmlInit()
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
    except Exception:  # no library, no driver, no GPU
        return []
    counters = []
    for handle in handles:
        counter = GpuCounter(partial(pynvml.nvmlDeviceGetTotalEnergyConsumption, handle))
        try:
            counter.joules()
        except pynvml.NVMLError:  # older than Volta
            continue
        counters.append(counter)
    return counters


def describe_energy(sessions: Sequence[dict[str, object]]) -> str | None:
    """A line for the report, over all calls; None where no call noted anything of it."""
    noted = [session for session in sessions if session.get("energy_of")]
    if not noted:
        return None
    measured = [session for session in noted if isinstance(session.get("energy_j"), int | float)]
    if not measured:
        return f"not measurable here: {noted[-1]['energy_of']}"
    joules = sum(float(str(session["energy_j"])) for session in measured)
    what = listing(list(dict.fromkeys(str(session["energy_of"]) for session in measured)))
    text = f"{joules / 3.6e6:.3g} kWh while cropping and training ({what}; all that ran there)"
    if any(not str(session.get("cluster", "")).startswith("local") for session in measured):
        text += ", of the driver's machine only"
    if len(measured) < len(sessions):
        text += f", in {len(measured)} of {counted(len(sessions), 'call')}"
    return text
