"""TensorBoard's event files, by the reader of its own record format."""

import socket
import struct

import pytest
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData

from orchestrator.spec import Spec
from orchestrator.tracking import TRACKED_FILE, Tracker
from orchestrator.tracking.tensorboard_log import log_to_tensorboard
from tests.unit.tracking_fixtures import finished_run, full_record


def events_of(file) -> list:
    """Records: length (8 bytes), its checksum (4), the event, its checksum (4)."""
    content, place, events = file.read_bytes(), 0, []
    while place < len(content):
        (length,) = struct.unpack_from("<Q", content, place)
        events.append(Event.FromString(content[place + 12 : place + 12 + length]))
        place += length + 16
    return events


@pytest.fixture
def events(tmp_path) -> list:
    return events_of(log_to_tensorboard(full_record(), tmp_path))


def scalars(events) -> dict:
    return {
        (value.tag, event.step): value.simple_value
        for event in events
        for value in event.summary.value
        if value.WhichOneof("value") == "simple_value"
    }


def test_curves_are_there_by_epoch_and_again_by_stage(events):
    found = scalars(events)
    assert [found["val_accuracy", epoch] for epoch in (1, 2, 3)] == pytest.approx([0.3, 0.5, 0.7])
    assert found["head/val_accuracy", 1] == pytest.approx(0.3)
    assert ("head/val_accuracy", 2) not in found
    assert found["final/accuracy", 3] == pytest.approx(0.7)


def test_epochs_stand_at_the_time_when_they_ended(events):
    times = {
        event.step: event.wall_time for event in events for value in event.summary.value if value.tag == "val_loss"
    }
    assert (times[2] - times[1], times[3] - times[2]) == (3.0, 3.0)


def test_settings_are_hparams(events):
    data = [
        HParamsPluginData.FromString(value.metadata.plugin_data.content)
        for event in events
        for value in event.summary.value
        if value.metadata.plugin_data.plugin_name == "hparams"
    ]
    (start,) = (one.session_start_info.hparams for one in data if one.HasField("session_start_info"))
    assert (start["condition"].string_value, start["seed"].number_value) == ("proposed", 0)
    assert start["attention"].string_value == "eca"
    (experiment,) = (one.experiment for one in data if one.HasField("experiment"))
    assert "final/accuracy" in {info.name.tag for info in experiment.metric_infos}


def test_a_file_names_no_machine_and_logging_again_replaces_it(tmp_path):
    (tmp_path / "tensorboard" / "proposed-paper-s0").mkdir(parents=True)
    (tmp_path / "tensorboard" / "proposed-paper-s0" / "events.out.tfevents.1.old").write_text("half of one")
    file = log_to_tensorboard(full_record(), tmp_path)
    assert list(file.parent.iterdir()) == [file]
    assert file.name == "events.out.tfevents.1767323040.facet"
    assert socket.gethostname().encode() not in file.read_bytes()


def test_every_trial_is_logged_once(tmp_path):
    ledger = finished_run(tmp_path, seeds=2)
    for _ in range(2):
        with Tracker(Spec(wandb="off"), ledger, [*ledger.keys(), "not finished"]) as tracker:
            tracker.trial_done("proposed00000000")
        assert tracker.problems == {}
        assert tracker.log_summary(ledger.run_folder) == {}
    assert len(list((tmp_path / "tensorboard").rglob("*tfevents*"))) == 2
    assert (tmp_path / TRACKED_FILE).read_text().count("proposed00000000") == 1


def test_what_is_switched_off_leaves_no_file(tmp_path):
    ledger = finished_run(tmp_path)
    with Tracker(Spec(wandb="off", tensorboard=False), ledger, ledger.keys()):
        pass
    assert not {"tensorboard", "wandb", TRACKED_FILE} & {path.name for path in tmp_path.iterdir()}
