import pytest

from datasets.errors import UserError
from orchestrator.cluster import Capacity, Node, autoscaled_nodes, find_address
from orchestrator.placement import place
from orchestrator.spec import resolve_spec


def cluster(*nodes: tuple[float, float]) -> Capacity:
    return Capacity("a test cluster", tuple(Node(cpus, gpus) for cpus, gpus in nodes))


@pytest.mark.parametrize(
    ("nodes", "flags", "concurrent"),
    [
        ([(2, 0)], {}, 2),
        ([(8, 0)], {"cpus_per_worker": 3}, 2),
        ([(3, 0), (3, 0)], {"cpus_per_worker": 2}, 2),  # a worker does not straddle nodes
        ([(16, 1)], {}, 1),  # one GPU a trial by default
        ([(16, 1)], {"gpus_per_trial": 0.25}, 4),
        ([(16, 1)], {"gpus_per_trial": 0}, 16),
        ([(4, 2), (4, 2)], {"gpus_per_trial": 2, "workers_per_trial": 2}, 2),
        ([(4, 2), (4, 2)], {"workers_per_trial": 2}, 2),  # a GPU a worker by default
        ([(2, 0)], {"workers_per_trial": 2}, 1),
        ([(8, 0)], {"max_concurrent_trials": 3}, 3),
    ],
)
def test_as_many_trials_run_at_once_as_fit(nodes, flags, concurrent):
    assert place(resolve_spec(None, flags), cluster(*nodes)).concurrent_trials == concurrent


@pytest.mark.parametrize(
    ("nodes", "flags", "message"),
    [
        ([(2, 0)], {"gpus_per_trial": 1}, r"`gpus_per_trial` asks for 1 GPUs, but there are 0: a test cluster"),
        ([(2, 1)], {"gpus_per_trial": 2}, r"asks for 2 GPUs, but there are 1"),
        ([(2, 0)], {"workers_per_trial": 3}, r"A trial of 3 workers .* does not fit"),
        ([(2, 0), (2, 0)], {"cpus_per_worker": 3}, r"3 cores .* does not fit"),
        ([(2, 0)], {"crop_workers": 3}, r"`crop_workers` 3 .* do not fit"),
    ],
)
def test_what_cannot_be_placed_is_refused(nodes, flags, message):
    with pytest.raises(UserError, match=message):
        place(resolve_spec(None, flags), cluster(*nodes))


def test_crops_use_every_core_or_every_gpu():
    assert place(resolve_spec(None, {}), cluster((4, 0))).crops.num_workers == 4
    crops = place(resolve_spec(None, {"gpus_per_crop_worker": 0.25}), cluster((16, 2))).crops
    assert (crops.num_workers, crops.num_gpus) == (8, 0.25)


def test_autoscaled_cluster_counts_the_nodes_it_may_start():
    config = {
        "max_workers": 3,
        "head_node_type": "head",
        "available_node_types": {
            "head": {"resources": {"CPU": 0}},
            "gpu": {"resources": {"CPU": 8, "GPU": 1}, "min_workers": 0, "max_workers": 2},
        },
    }
    assert autoscaled_nodes(config) == [Node(0, 0), Node(8, 1), Node(8, 1)]


def test_named_cluster_that_does_not_answer_is_refused():
    with pytest.raises(
        UserError, match=r"`address` 127.0.0.1:1 does not answer. Start the cluster, or use --address local"
    ):
        find_address("127.0.0.1:1")


def test_ray_client_is_refused():
    with pytest.raises(UserError, match=r"is a Ray Client address\. Run on the cluster itself"):
        find_address("ray://head:10001")


def test_local_is_never_another_cluster(monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    assert find_address("local") is None
