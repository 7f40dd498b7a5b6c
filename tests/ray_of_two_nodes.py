"""A run on a Ray of two nodes on this machine, one of which is killed on the way.

Started by a test, in a process of its own, for Ray reads its environment when it is
imported; its words are those of ``mae-bench measure``, and the folder of the store.
"""

import os
import re
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from ray.cluster_utils import Cluster

from mae_bench.cli import app

SIZE = 80_000_000  # bytes of a node's memory of objects


def at_work(store: Path) -> set[int]:
    """The processes that have begun a cell and not ended it."""
    found = set()
    for path in store.glob("logs/*.log"):
        *_, last = re.findall("^-- .*", path.read_text(), re.MULTILINE)
        found |= {int(who) for who in re.findall(r", process (\d+): ", last)}
    return found


def family(pid: int) -> set[int]:
    """A process, and all that it and these have started."""
    found = {pid}
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        found.update(*(family(int(child)) for child in path.read_text().split()))
    return found


def hold(store: Path, node: Any) -> bool:
    """Stop a process of the node in the midst of a cell, if there is one."""
    raylet = node.all_processes["raylet"][0].process.pid
    for pid in at_work(store) & family(raylet):
        os.kill(pid, signal.SIGSTOP)
        time.sleep(1.0)  # a cell whose numbers are on their way has ended by then
        if pid in at_work(store):
            return True
        os.kill(pid, signal.SIGCONT)
    return False


def kill_on_the_way(cluster: Cluster, node: Any, store: Path) -> None:
    """As soon as it is in the midst of a cell."""
    held = False
    while not held:
        time.sleep(0.02)
        with suppress(OSError):  # gone meanwhile
            held = hold(store, node)
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
