"""A program: a Ray cluster like that of cluster.yaml, small, which lasts as long as its input and says its address.

The head offers no core, two nodes offer one each. A process of its own, since Ray settles once in each whether tokens
are asked for.
"""

import sys

from ray.cluster_utils import Cluster

if __name__ == "__main__":
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    cluster.add_node(num_cpus=1)
    cluster.add_node(num_cpus=1)
    print(cluster.address, flush=True)
    sys.stdin.read()
    cluster.shutdown()
