import io

import pytest
from rich.console import Console

from orchestrator.progress import LiveView, duration

CELLS = [("eca", "paper", 0, 0), ("proposed", "paper", 0, 0)]


def view_of(seen: io.StringIO, *, terminal: bool) -> LiveView:
    return LiveView(Console(file=seen, force_terminal=terminal, width=80))


@pytest.mark.parametrize("terminal", [False, True], ids=["pipe", "terminal"])
def test_view_says_what_is_done_running_left_and_best(terminal):
    seen = io.StringIO()
    with view_of(seen, terminal=terminal) as view:
        view.start_trials(total=3, finished=1, epochs=2)
        view.trial_started(CELLS[0])
        view.epoch_done(CELLS[0], 0, 1.0)
        view.epoch_done(CELLS[0], 1, 1.0)
        view.trial_done(CELLS[0], 0.75)
        view.trial_started(CELLS[1])
        view.trial_done(CELLS[1], 0.5)
    assert "3 of 3 trials done, 0 running, 0 left, best 75.0% eca (paper, seed 0)" in seen.getvalue()


def test_failed_trial_and_a_stall_are_said():
    seen = io.StringIO()
    with view_of(seen, terminal=False) as view:
        view.start_trials(total=1, finished=0, epochs=2)
        view.stalled("No machine has a GPU.")
        view.trial_failed(CELLS[0])
    assert "No machine has a GPU." in seen.getvalue()
    assert "eca (paper, seed 0) failed." in seen.getvalue()


def test_pipe_gets_the_end_of_a_count_whatever_its_pace():
    seen = io.StringIO()
    with view_of(seen, terminal=False) as view:
        count = view.counter("Cropping faces", "photos")
        for done in range(1, 51):
            count(done, 50)
    assert seen.getvalue().splitlines()[-1] == "Cropping faces: 50 of 50 photos"
    assert len(seen.getvalue().splitlines()) <= 3


@pytest.mark.parametrize(("seconds", "text"), [(0.2, "0 s"), (75, "1 min 15 s"), (7500, "2 h 05 min"), (-3, "0 s")])
def test_duration_is_readable(seconds, text):
    assert duration(seconds) == text
