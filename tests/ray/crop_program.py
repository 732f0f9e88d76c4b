"""A program: crops photos with a detector that takes its time, on a Ray of its own, and says how far it is.

    python crop_program.py PHOTOS OUT [kill-node|no-room]

Each photo looked at adds a byte to the file OUT/../calls-<process id>. `kill-node`: works on a cluster of two nodes of
one core, of which one is killed once a shard is written. `no-room`: the cluster gets its first machine only when the
lack was said. A process of its own, since it is to be killed, and since Ray settles once in each whether tokens are
asked for.
"""

import os
import sys
import threading
import time
from pathlib import Path

import numpy as np
import ray
from ray.cluster_utils import Cluster

from datasets import pipeline, stall
from datasets.crop_set import NoNews
from datasets.cropper import CropConfig
from datasets.folder import Folder
from datasets.hashes import hash_photos
from datasets.pipeline import CropResources, crop_photos
from datasets.shards import shard_name
from datasets.sources import SourceConfig, open_source
from datasets.splits import split_source

DEAD = "node-is-dead"
CFG = CropConfig(image_size=32)
SMALL_BATCH_ROWS, HELD_AFTER = 8, 4
"""Of the 12 batches of 96 photos two workers end 8, enough for a shard to be written, and not all."""
said: list[str] = []


class News(NoNews):
    """Passes everything on."""

    def progress(self, done: int, total: int) -> None:
        print(f"{done} of {total}", flush=True)

    def say(self, text: str) -> None:
        said.append(text)
        print(text, flush=True)


def slow_detector(calls: str, pause_s: float, *, until: str = ""):
    """Finds the same face everywhere. A closure, so that workers need not find this file.

    With `until`, it begins no batch beyond HELD_AFTER before that file is there.
    """

    def load(cfg):
        from datasets.detector import Detection

        class Slow:
            batches = 0

            def detect_all(self, images):
                self.batches += 1
                while until and self.batches > HELD_AFTER and not os.path.exists(until):
                    time.sleep(0.02)
                time.sleep(pause_s * len(images))
                with open(calls, "ab") as file:
                    file.write(b"." * len(images))
                found = Detection(np.array([1, 1, 20, 20], np.float32), 0.5, np.ones((5, 2), np.float32))
                return [[found] for _ in images]

        return Slow()

    return load


def crop(photos: str, out: Path, num_workers: int, pause_s: float = 0.06, **hold: str):
    source = open_source(photos)
    rows = split_source(source, SourceConfig())
    hashes = hash_photos(source, rows)
    return crop_photos(
        source,
        rows,
        CFG,
        Folder.at(out),
        name="set",
        resources=CropResources(num_workers=num_workers),
        expected_sha256=hashes,
        shard_rows=16,
        news=News(),
        load=slow_detector(str(out.parent / f"calls-{os.getpid()}"), pause_s, **hold),
    )


def once_a_shard_is_written(out: Path, act) -> None:
    def watch():
        while not (out / shard_name(0)).exists():
            time.sleep(0.02)
        act()

    threading.Thread(target=watch, daemon=True).start()


def kill(cluster: Cluster, node, note: Path) -> None:
    cluster.remove_node(node, allow_graceful=False)
    print("A node is dead.", flush=True)
    note.touch()


def main(photos: str, out: Path, what: str = "") -> None:
    quick = {"RAY_health_check_period_ms": "500", "RAY_health_check_failure_threshold": "3"}
    os.environ.update(quick)
    if what in ("kill-node", "no-room"):
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
        nodes = [cluster.add_node(num_cpus=1) for _ in range(2 * (what == "kill-node"))]
        ray.init(address=cluster.address, logging_level="ERROR", log_to_driver=False)
        if what == "kill-node":
            once_a_shard_is_written(out, lambda: kill(cluster, nodes[0], out.parent / DEAD))
    else:
        ray.init(address="local", num_cpus=2, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
    if what == "no-room":
        stall.STALLED_AFTER_S = 1.0
        working = threading.Thread(target=report, args=(photos, out, 1))
        working.start()
        while working.is_alive() and not any("None has joined" in text for text in said):
            working.join(timeout=0.2)
        cluster.add_node(num_cpus=1)  # from the main thread, as Ray wants it
        working.join()
    elif what == "kill-node":
        pipeline.BATCH_ROWS = SMALL_BATCH_ROWS
        report(photos, out, 2, until=str(out.parent / DEAD))
    else:
        report(photos, out, 2)
    ray.shutdown()
    if what in ("kill-node", "no-room"):
        cluster.shutdown()


def report(photos: str, out: Path, num_workers: int, **hold: str) -> None:
    print(crop(photos, out, num_workers, **hold).statuses, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
