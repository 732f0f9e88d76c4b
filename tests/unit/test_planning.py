"""What `facet plan` foretells: rows, hours, memory, places; by hand-made numbers, and by one real probe."""

import io
import json
import re
import sys
from dataclasses import replace

import pytest

from datasets.errors import UserError
from datasets.folder import Folder
from orchestrator.cli import main
from orchestrator.cluster import Capacity, Node
from orchestrator.exit_codes import EXIT_OK, EXIT_USER
from orchestrator.placement import describe_placement, place
from orchestrator.planning.earlier import named_earlier_run, own_earlier_run
from orchestrator.planning.hours import Hours, estimate_hours, makespan, rough
from orchestrator.planning.measured import Need, ProbeRequest, StepTimes, Timings
from orchestrator.planning.memory import (
    RAY_AND_DRIVER_BYTES,
    RAY_IN_A_WORKER_BYTES,
    Machine,
    Memory,
    machines_of,
    photo_bytes,
)
from orchestrator.planning.outlook import finished_cells, look_ahead, probe_requests
from orchestrator.planning.pace import Family, Pace, Rate, Seconds, from_probe, from_records
from orchestrator.planning.probing import Probed, ProbeError, Probes
from orchestrator.planning.sizes import Rows, Sizes, estimate_sizes
from orchestrator.spec import resolve_spec
from orchestrator.study import make_study
from search_spaces.conditions import EXTRA, PROPOSED, TABLE1
from tests.unit.report_fixtures import make_record
from trainables.recipe import ModelConfig, TrainConfig

pytestmark = pytest.mark.usefixtures("own_environment")

LOCAL = Capacity("local Ray, 2 cores, 0 GPUs", (Node(2, 0),), one_machine=True)
GB = 10**9


def fixed(seconds: float) -> Seconds:
    return Seconds(seconds, seconds, seconds)


@pytest.fixture
def study_of(photo_tree, tmp_path, monkeypatch):
    """`study_of(seeds=2)`: 3 classes of 20 photos, 15 to train on and 5 to test on."""
    monkeypatch.chdir(tmp_path)
    names = ("joy", "sad", "fear")
    sides = {"Train": 15, "Test": 5}
    folder = photo_tree(
        *(f"{side}/{name}/{i}.jpg" for side, num in sides.items() for name in names for i in range(num))
    )

    def make(**flags):
        return make_study(resolve_spec(None, {"data": str(folder), "out": "run", **flags}), keep_hashes=False)

    return make


def record_of(job, **changes):
    course = [{"stage": job.train.stage_of(i, staged=job.condition.staged), "wall_s": 4.0} for i in range(2)]
    return {
        **make_record(job.name, job.seed, protocol=job.protocol),
        "key": job.key,
        "definition": dict(job.condition.to_dict()),
        "model": dict(job.model.to_dict()),
        "train": dict(job.train.to_dict()),
        "image_size": 64,
        "num_train": 40,
        "device": "cpu",
        "epochs": course,
        **changes,
    }


def keep(folder: Folder, *records) -> Folder:
    for record in records:
        (folder / "ledger").write_text(f"{record['key']}.json", json.dumps(record))
    return folder


def test_rows_are_those_of_each_protocol_with_and_without_the_rare_class(study_of):
    sizes = estimate_sizes(study_of(protocols="paper,clean,grouped_kfold"))
    assert sizes.rows["paper", False] == Rows(45, 15)
    assert sizes.rows["paper", True] == Rows(30, 10)
    clean, kfold = sizes.rows["clean", False], sizes.rows["grouped_kfold", False]
    assert clean == Rows(36, 9)
    assert kfold.train + kfold.select == 60 * 4 // 5


@pytest.mark.parametrize(
    ("tasks", "places", "end"), [([5, 1, 1, 1], 2, 5), ([1, 1, 1, 5], 2, 6), ([3], 4, 3), ([], 2, 0), ([2, 2, 2], 1, 6)]
)
def test_each_trial_goes_to_the_first_free_place(tasks, places, end):
    assert makespan(tasks, places) == end
    assert makespan(tasks, places, start_s=10) == (end + 10 if tasks else 0)


def test_hours_count_epochs_by_stage_and_cropping(tiny_job):
    rates = {Family(False, "eca", head): Rate(fixed(s), fixed(0.1)) for head, s in ((True, 0.5), (False, 2.0))}
    pace = Pace(rates, "a test", trial_s=1.0, place_s=7.0)
    staged = replace(tiny_job(PROPOSED, epochs=5, head_epochs=2))
    plain = tiny_job(TABLE1["baseline_cnn"], epochs=5)
    sizes = Sizes({("paper", True): Rows(10, 4), ("paper", False): Rows(20, 5)})
    assert pace.trial(staged, Rows(10, 4)).likely == pytest.approx(1 + 2 * (5 + 0.4) + 3 * (20 + 0.4))
    hours = estimate_hours([staged, plain], sizes, pace, places=2, crop_s=100.0)
    assert hours.span.likely == pytest.approx(100 + 7 + 1 + 5 * (40 + 0.5))
    assert "4 min" not in hours.describe()
    assert "of it cropping" in hours.describe()
    assert "not counted: cropping" in replace(hours, crop_s=None).describe()


def test_condition_unlike_all_that_was_measured_is_not_guessed(tiny_job):
    pace = Pace({Family(True, "eca", False): Rate(fixed(1), fixed(1))}, "a test")
    sizes = Sizes({("paper", False): Rows(10, 4), ("paper", True): Rows(10, 4)})
    assert estimate_hours([tiny_job(TABLE1["baseline_cnn"])], sizes, pace, places=1, crop_s=0.0).span is not None
    unknown = estimate_hours([tiny_job(EXTRA["proposed_eca_blocks"])], sizes, pace, places=1, crop_s=0.0)
    assert unknown.span is None
    assert unknown.describe() == "not estimated: nothing like `name` was measured"


@pytest.mark.parametrize(
    ("seconds", "text"), [(2, "5 s"), (43, "45 s"), (57, "1 min"), (500, "8 min"), (7800, "2 h 10 min"), (9e4, "25 h")]
)
def test_estimates_have_few_digits(seconds, text):
    assert rough(seconds) == text


def test_pace_of_a_probe_is_the_median_step_and_says_if_the_machine_was_busy():
    need = Need(own=1, shared=1)
    steps = StepTimes(attention="eca", stage="end_to_end", rows=10, wall_s=(1, 2, 9), compute_s=(1, 2, 9))
    answers = StepTimes(attention="eca", stage=None, rows=5, wall_s=(1,), compute_s=(1,))
    calm = from_probe(Probed((Timings(need=need, steps=(steps, answers)),), 3.0))
    assert calm.rates == {Family(False, "eca", False): Rate(Seconds(0.1, 0.2, 0.9), fixed(0.2))}
    assert not calm.busy
    slowed = steps.replace(compute_s=(0.5, 1, 4))
    busy = from_probe(Probed((Timings(need=need, steps=(slowed, answers)),), 3.0))
    assert busy.busy
    assert busy.rates[Family(False, "eca", False)].train == Seconds(0.05, 0.2, 0.9)


def test_pace_of_finished_trials_is_per_photo_trained_on(tiny_job):
    job = tiny_job(TABLE1["baseline_cnn"])
    pace = from_records([record_of(job), record_of(job, num_train=20)], "a test")
    assert pace.rates[Family(False, "none", False)].train.likely == pytest.approx((4 / 40 + 4 / 20) / 2)


def test_own_finished_trials_tell_the_time_of_the_others(study_of):
    study = study_of(conditions="baseline_cnn", protocols="paper", seeds=2)
    first = next(iter(study.jobs.values()))
    keep(study.run_folder, record_of(first))
    sessions = [{"overhead_s": 2.0, "trials": 1, "crop_s": 10.0, "cropped": 50}]
    study.run_folder.write_text("sessions.json", json.dumps(sessions))
    outlook = look_ahead(study, place(study.spec, LOCAL), LOCAL)
    assert outlook.done == {first.cell}
    assert outlook.hours.crop_s == pytest.approx(60 / 5)
    assert outlook.hours.training_s == pytest.approx(2 + 8 * 45 * 4 / 40)
    assert "1 finished trial of this run" in outlook.hours.describe()


def test_trials_divided_by_other_settings_are_not_done(study_of):
    study = study_of(conditions="baseline_cnn", protocols="clean", seeds=1)
    job = next(iter(study.jobs.values()))
    keep(study.run_folder, record_of(job, key="divided"))
    study.run_folder.write_text("plan.json", json.dumps({"keys": ["divided"]}))
    study.run_folder.write_text("spec.yaml", "folds: 5\nselect_frac: 0.2\n")
    assert finished_cells(study) == {job.cell}
    study.run_folder.write_text("spec.yaml", "folds: 5\nselect_frac: 0.3\n")
    assert finished_cells(study) == frozenset()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image_size": 224}, "`image_size` is 224 there and 64 here"),
        ({"device": "NVIDIA L4"}, "its trials ran on `NVIDIA L4`, these will on processor cores"),
        ({"workers": 2}, "`workers_per_trial` is 2 there and 1 here"),
    ],
)
def test_run_that_tells_nothing_is_refused(study_of, tmp_path, changes, message):
    study = study_of(conditions="baseline_cnn", protocols="paper", seeds=1)
    other = keep(Folder.at(tmp_path / "other"), record_of(next(iter(study.jobs.values())), **changes))
    with pytest.raises(UserError, match=message):
        named_earlier_run(str(other), study, place(study.spec, LOCAL))
    with pytest.raises(UserError, match="holds no finished trial"):
        named_earlier_run(str(tmp_path / "nowhere"), study, place(study.spec, LOCAL))
    assert own_earlier_run(study, place(study.spec, LOCAL)).records == []


def memory(free: int, workers: int = 4, **changes) -> Memory:
    need = Need(own=GB - RAY_IN_A_WORKER_BYTES, shared=GB // 2, **changes.pop("need", {}))
    machine = Machine(workers, 16 * GB, free, driver=True)
    return Memory(need, photos=changes.pop("photos", GB), machines=(machine,), **changes)


def test_memory_counts_workers_once_each_and_photos_twice_beside_the_driver():
    held = memory(free=20 * GB)
    assert held.trial() == 3 * GB // 2
    assert held.at_once(held.machines[0]) == 4 * GB + GB // 2 + 2 * GB + RAY_AND_DRIVER_BYTES
    assert held.warnings() == []
    assert held.lines()["Peak memory"].startswith("1.5 GB a trial, about 8.8 GB of a machine while 4 train at once")
    away = Machine(2, None, None)
    assert held.at_once(away) == 2 * GB + GB // 2 + GB
    assert replace(held, machines=(away,)).warnings() == []
    assert "is not known here" in replace(held, machines=(away,)).lines()["Peak memory"]


def test_what_does_not_fit_names_the_flag_that_helps():
    needed = 4 * GB + GB // 2 + 2 * GB + RAY_AND_DRIVER_BYTES
    assert memory(free=needed).warnings() == []
    assert memory(free=needed - 1).warnings()[0].startswith("--max-concurrent-trials 3 would fit")
    assert memory(free=needed - 3 * GB - 1).warnings()[0].startswith("Not even one trial fits: lower --batch-size")
    assert memory(free=3 * GB, photos=2 * GB).warnings()[0].startswith("The photos alone fill the memory")
    assert memory(free=needed - 1, team=2).warnings()[0].startswith("--max-concurrent-trials 1 would fit")


def test_gpu_memory_is_that_of_all_who_share_it():
    shared = memory(free=20 * GB, need={"gpu": 6 * GB, "gpu_total": 16 * GB}, workers_per_gpu=4)
    assert shared.warnings() == ["So many trials do not fit on a GPU: raise --gpus-per-trial to 0.5."]
    assert "6.0 GB a worker" in shared.lines()["GPU memory"]
    assert "it has 16.0 GB" in shared.lines()["GPU memory"]
    assert replace(shared, workers_per_gpu=2).warnings() == []
    small = memory(free=20 * GB, need={"gpu": 6 * GB, "gpu_total": 4 * GB})
    assert small.warnings() == ["Not one trial fits on a GPU: lower --batch-size or --image-size."]


def test_workers_are_counted_on_the_machines_that_have_room():
    nodes = (Node(0, 0), Node(4, 0, 8 * GB), Node(4, 0))
    capacity = Capacity("a test cluster", nodes)
    placement = place(resolve_spec(None, {"max_concurrent_trials": 6}), capacity)
    machines = machines_of(capacity, placement)
    assert [(machine.workers, machine.free) for machine in machines] == [(0, None), (4, 8 * GB), (2, None)]


def test_photos_take_what_their_arrays_do(tiny_arrays):
    held = tiny_arrays.face_u8.nbytes + tiny_arrays.frame_u8.nbytes
    assert photo_bytes(len(tiny_arrays), tiny_arrays.face_u8.shape[1]) == held


def test_placement_says_what_is_there_and_what_may_come():
    spec = resolve_spec(None, {})
    assert describe_placement(place(spec, LOCAL), LOCAL) == "every trial can be placed: 2 at a time on 2 cores"
    head, worker = Node(0, 0), Node(8, 1)
    growing = Capacity("a cluster", (head, worker, worker), present=(head,))
    text = describe_placement(place(spec, growing), growing)
    assert text.startswith("every trial can be placed: 2 at a time on 2 cores and 2 GPUs once the autoscaler has")
    assert text.endswith("none of them before a machine is started")
    half = replace(growing, present=(head, worker))
    assert describe_placement(place(spec, half), half).endswith("1 of them on the machines that are there")


@pytest.mark.parametrize(
    ("nodes", "flags", "message"),
    [
        ([(2, 0), (2, 0)], {"cpus_per_worker": 3}, "cores lack, no machine has more than 2.*--cpus-per-worker to 2"),
        ([(2, 0)], {"workers_per_trial": 3}, "only 2 workers of that size.*--workers-per-trial to 2 or less"),
        ([(8, 1), (8, 1)], {"gpus_per_trial": 2}, "GPUs lack, no machine has more than 1.*more --workers-per-trial"),
        ([(8, 0), (1, 1)], {"cpus_per_worker": 4, "gpus_per_trial": 1}, "no machine has both the cores and the GPUs"),
    ],
)
def test_what_lacks_is_named_with_a_way_out(nodes, flags, message):
    capacity = Capacity("a test cluster", tuple(Node(cpus, gpus) for cpus, gpus in nodes))
    with pytest.raises(UserError, match=message):
        place(resolve_spec(None, flags), capacity)


def test_probe_tries_the_steps_that_are_left(study_of):
    study = study_of(conditions="baseline_cnn,proposed,proposed_eca_blocks", protocols="paper", seeds=1)
    placement, sizes = place(study.spec, LOCAL), estimate_sizes(study)
    first, second = probe_requests(study, list(study.jobs.values()), sizes, placement, 2)
    assert first == second
    every = {(kind, stage) for kind in ("eca", "eca_blocks") for stage in ("end_to_end", "head")}
    assert set(first.variants) == every
    assert (first.batch_rows, first.eval_rows, first.image_size, first.device) == (32, 15, 64, "cpu")
    plain = [job for job in study.jobs.values() if job.name == "baseline_cnn"]
    (alone,) = probe_requests(study, plain, sizes, placement, 1)
    assert alone.variants == (("eca", "end_to_end"),)


def test_probes_on_gpus_take_one_each_or_share(study_of):
    study = study_of(conditions="baseline_cnn", protocols="paper", seeds=4)
    jobs, sizes = list(study.jobs.values()), estimate_sizes(study)
    capacity = Capacity("a test machine", (Node(8, 2),))
    for gpus, devices in ((0.5, ["cuda:0", "cuda:0", "cuda:1", "cuda:1"]), (1, ["cuda:0", "cuda:1"])):
        placement = place(study.spec.replace(gpus_per_trial=gpus), capacity)
        requests = probe_requests(study, jobs, sizes, placement, placement.concurrent_trials)
        assert [request.device for request in requests] == devices


REQUEST = ProbeRequest(
    image_size=32,
    num_classes=3,
    batch_rows=4,
    eval_rows=200,
    variants=(("eca", "end_to_end"), ("eca", "head")),
    model=ModelConfig(weights="random"),
    train=TrainConfig(batch_size=4),
)


def test_probe_times_real_steps():
    from orchestrator.planning import probe

    said = io.StringIO()
    probe.serve(io.StringIO(REQUEST.model_dump_json() + "\ngo\n"), said)
    need, timings = said.getvalue().splitlines()
    timings = Timings.model_validate_json(timings)
    assert timings.need.own >= Need.model_validate_json(need).own > 10**8
    assert [(steps.stage, steps.rows) for steps in timings.steps] == [("end_to_end", 4), ("head", 4), (None, 128)]
    assert all(steps.wall_s and min(steps.wall_s) > 0 for steps in timings.steps)


def test_peak_memory_tells_own_pages_from_files(tmp_path):
    from orchestrator.planning.probe import peak_memory

    status = tmp_path / "status"
    status.write_text("Name:\tpython\nVmHWM:\t  1000 kB\nRssAnon:\t 500 kB\nRssFile:\t     300 kB\nThreads:\t3\n")
    assert (peak_memory(status).own, peak_memory(status).shared) == (700 * 1024, 300 * 1024)
    assert peak_memory(tmp_path / "none").own > 10**7


def fake_probe(code: str) -> list[str]:
    return [sys.executable, "-c", f"import sys\n{code}"]


ANSWERS = """
sys.stdin.readline(); print('{"own": 100, "shared": 5}', flush=True)
sys.stdin.readline(); print('{"need": {"own": 100}, "steps": []}', flush=True)
"""


@pytest.mark.parametrize(("room", "at_work"), [(9, 3), (2, 2), (1, 1), (0, 1)])
def test_no_more_probes_work_at_once_than_there_is_room_for(room, at_work):
    with Probes(3, fake_probe(ANSWERS)) as probes:
        probed = probes.ask([REQUEST] * 3, lambda need: room)
    assert len(probed.timings) == at_work
    assert probed.need.own == 100


def test_probe_that_fails_says_why_and_leaves_no_process():
    with Probes(2, fake_probe("print('torch is broken', file=sys.stderr); sys.exit(3)")) as probes:
        processes = list(probes._processes)
        with pytest.raises(ProbeError, match=r"ended with code 3 \(torch is broken\)"):
            probes.ask([REQUEST], lambda need: 1)
    assert all(process.returncode is not None for process in processes)


def test_plan_without_a_probe_says_so_and_is_written_as_json(study_of, tmp_path, capsys):
    study = study_of(conditions="baseline_cnn", protocols="paper", seeds=2)
    arguments = ["plan", "--data", study.spec.data, "--out", "run", "--conditions", "baseline_cnn", "--seeds", "2"]
    arguments += ["--protocols", "paper", "--address", "local", "--no-probe"]
    assert main([*arguments, "--json", "plan.json"]) == EXIT_OK
    said = capsys.readouterr().out
    assert "not estimated: no step was tried (--no-probe), and no earlier run tells" in said
    assert re.search(r"Peak memory +not measured: no step was tried", said)
    document = json.loads((tmp_path / "plan.json").read_text())
    assert [trial["num_train"] for trial in document["trials"]] == [45, 45]
    assert document["time"]["seconds"] is None
    assert main([*arguments, "--json", "nowhere/plan.json"]) == EXIT_USER
    assert "`--json` nowhere/plan.json cannot be written" in capsys.readouterr().err


def test_nothing_left_is_said(study_of):
    study = study_of(conditions="baseline_cnn", protocols="paper", seeds=1)
    keep(study.run_folder, record_of(next(iter(study.jobs.values()))))
    outlook = look_ahead(study, place(study.spec, LOCAL), LOCAL)
    assert outlook.hours == Hours(None, why="nothing is left to train")
    assert outlook.memory.lines() == {"Peak memory": "nothing is left to train"}
