"""A run on a Ray of two nodes on this machine, one of which is killed on the way.

Started by a test, in a process of its own, for Ray reads its environment when it is
imported; its words are those of ``mae-bench measure``, and the folder of the store.
"""

import re
import sys
import threading
import time
from pathlib import Path

from ray.cluster_utils import Cluster

from mae_bench.cli import app

SIZE = 80_000_000  # bytes of a node's memory of objects


def begun(log: Path) -> list[str]:
    """Which processes have begun a cell."""
    return re.findall(r", process (\d+): ", log.read_text())


def kill_on_the_way(cluster: Cluster, node: object, store: Path) -> None:
    """As soon as both nodes have begun a cell."""
    while len({who for p in store.glob("logs/*.log") for who in begun(p)}) < 2:
        time.sleep(0.05)
    cluster.remove_node(node, allow_graceful=False)
    sys.stdout.write("a node was killed\n")


def main(store: str, *words: str) -> None:
    head = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": SIZE}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        node = cluster.add_node(num_cpus=1, object_store_memory=SIZE)
        doom = (cluster, node, Path(store))
        threading.Thread(target=kill_on_the_way, args=doom, daemon=True).start()
        where = ("--on", f"ray://{cluster.address}", "--store", store)
        app(["measure", *words, *where], standalone_mode=False)
    finally:
        cluster.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
