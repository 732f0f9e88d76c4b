"""Energy by counters, of a made-up sysfs and a made-up GPU."""

import json
import threading
import types
from pathlib import Path

import pytest

from orchestrator import energy
from orchestrator.energy import Energy, EnergyMeter, GpuCounter, describe_energy, energy_of, find_counters, rapl_zones
from orchestrator.run_files import Session

RANGE_UJ = 262_143_328_850


def zone(powercap: Path, folder: str, name: str, uj: int) -> Path:
    path = powercap / folder
    path.mkdir(parents=True)
    for file, value in (("name", name), ("energy_uj", uj), ("max_energy_range_uj", RANGE_UJ)):
        (path / file).write_text(f"{value}\n")
    return path / "energy_uj"


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(energy, "gpu_counters", list)


def test_packages_and_memory_are_counted_and_their_parts_are_not(tmp_path, no_gpu):
    files = [
        zone(tmp_path, "intel-rapl:0", "package-0", 5_000_000),
        zone(tmp_path, "intel-rapl:0:0", "core", 1_000_000),
        zone(tmp_path, "intel-rapl:0:1", "dram", 2_000_000),
        zone(tmp_path, "intel-rapl:1", "psys", 9_000_000),
    ]
    counters, why_not = find_counters(tmp_path)
    meter = EnergyMeter(counters, why_not, every_s=60)
    meter.start()
    for file in files:
        file.write_text(str(int(file.read_text()) + 3_000_000))
    assert meter.stop() == Energy(pytest.approx(6.0), "1 processor package and memory")


def test_counter_that_starts_anew_is_followed(tmp_path, no_gpu):
    file = zone(tmp_path, "intel-rapl:0", "package-0", RANGE_UJ - 1_000_000)
    meter = EnergyMeter(*find_counters(tmp_path), every_s=60)
    meter.start()
    file.write_text("2000000")
    assert meter.stop().joules == pytest.approx(3.0)


def test_counters_are_read_between_so_that_no_turn_is_missed():
    read_often = threading.Event()

    class Steady:
        kind, readings = "GPU", 0

        def joules(self) -> float:
            self.readings += 1
            if self.readings == 4:
                read_often.set()
            return float(self.readings > 1)

    meter = EnergyMeter([Steady()], every_s=0.001)
    meter.start()
    assert read_often.wait(60)
    assert meter.stop().joules >= 4


def test_counters_for_root_alone_are_named(tmp_path, no_gpu, monkeypatch):
    zone(tmp_path, "intel-rapl:0", "package-0", 1)
    read = Path.read_text

    def refuse(path: Path, **more) -> str:
        if path.name == "energy_uj":
            raise PermissionError
        return read(path, **more)

    monkeypatch.setattr(Path, "read_text", refuse)
    counters, why_not = find_counters(tmp_path)
    assert (counters, why_not.split(",")[0]) == ([], "the processor's energy counter may be read by root alone")


def test_machine_without_counters_says_why(tmp_path, no_gpu):
    assert rapl_zones(tmp_path / "none") == ([], "the processor shows no counter")
    noted: list[Energy] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(energy, "POWERCAP", tmp_path)
        patch.setattr(energy.find_counters, "__defaults__", (tmp_path,))
        with energy_of(noted.append):
            pass
    assert noted == [Energy(None, "the processor shows no counter, and no NVIDIA GPU that counts its energy")]


def test_gpus_that_count_are_read_in_millijoules(monkeypatch):
    class NVMLError(Exception):
        pass

    counts = {"new": 1_000_000}

    def read(handle: str) -> int:
        if handle == "old":
            raise NVMLError
        return counts[handle]

    library = types.SimpleNamespace(
        NVMLError=NVMLError,
        nvmlInit=lambda: None,
        nvmlDeviceGetCount=lambda: 2,
        nvmlDeviceGetHandleByIndex=["new", "old"].__getitem__,
        nvmlDeviceGetTotalEnergyConsumption=read,
    )
    monkeypatch.setitem(energy.importlib.sys.modules, "pynvml", library)
    counters = energy.gpu_counters()
    assert len(counters) == 1
    counts["new"] += 2_500
    assert counters[0].joules() == 2.5


def test_counter_that_breaks_costs_the_number_not_the_run():
    counts = [1_000]
    meter = EnergyMeter([GpuCounter(counts.pop)], every_s=60)
    meter.start()
    assert meter.stop() == Energy(None, "a counter could not be read any more (IndexError)")


def test_session_adds_what_its_steps_took():
    session = Session()
    session.add_energy(Energy(3.0, "1 GPU"))
    session.add_energy(Energy(4.0, "1 GPU"))
    assert (session.energy_j, session.energy_of) == (7.0, "1 GPU")
    session.add_energy(Energy(None, "it broke"))
    assert (session.energy_j, session.energy_of) == (None, "it broke")
    assert json.dumps(session.__dict__)


def test_report_says_what_was_measured_where_or_why_not():
    local = {"cluster": "local Ray, 2 cores, 0 GPUs", "energy_j": 1.8e6, "energy_of": "1 processor package"}
    assert describe_energy([local]) == "0.5 kWh while cropping and training (1 processor package; all that ran there)"
    assert describe_energy([local, local]).startswith("1 kWh")
    far = local | {"cluster": "Ray cluster at a:1, 3 nodes"}
    assert describe_energy([far]).endswith(", of the driver's machine only")
    none = local | {"energy_j": None, "energy_of": "it has no counter"}
    assert describe_energy([none]) == "not measurable here: it has no counter"
    assert describe_energy([local, none]).endswith(", in 1 of 2 calls")
    assert describe_energy([{"cluster": "local Ray"}]) is None
