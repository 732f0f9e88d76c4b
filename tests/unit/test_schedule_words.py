"""What is said while no trial runs."""

from orchestrator.schedule import why_waiting


def test_busy_machine_waits_for_a_core_and_for_no_machine():
    said = why_waiting({"CPU": 1.0}, {}, {"CPU": 2.0, "memory": 1e9})
    assert said.startswith(
        "No trial has run for 60 s. One needs 1 core; free: 0 of 2 cores. Waiting until enough is free"
    )
    assert "join" not in said
    assert "{" not in said


def test_cluster_that_has_yet_to_grow_waits_for_a_machine():
    said = why_waiting({"CPU": 2.0, "GPU": 0.5}, {"CPU": 4.0}, {"CPU": 4.0})
    assert "One needs 2 cores and 0.5 GPUs; free: 4 of 4 cores and 0 of 0 GPUs. Waiting for a machine to join." in said
