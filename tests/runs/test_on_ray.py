"""A real Ray of two nodes, of which one dies: no cell is lost, and no process stays."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest

from mae_bench.records.schema import UsageError
from mae_bench.runs.on_ray import opened

pytest.importorskip("ray", reason="the extra ray is not installed here")
TWO_NODES = Path(__file__).parent.parent / "ray_of_two_nodes.py"
CELLS = ("--tier", "smoke", "--seeds", "3", "--experiment", "leaderboard")
CELLS += ("--dataset", "gaussian_tree", "--method", "pixels", "--method", "random_init")


def started_with(mark: str) -> list[int]:
    """Processes that have a word in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if mark.encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return found


@pytest.fixture
def loopback() -> Iterator[dict[str, str]]:
    """The environment of a Ray that listens on 127.0.0.1 alone, and ends here."""
    folder = tempfile.mkdtemp(prefix="ray", dir="/tmp")
    yield os.environ | {
        "RAY_TMPDIR": folder,
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "RAY_worker_niceness": "0",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "OMP_NUM_THREADS": "1",
    }
    for pid in started_with(f"RAY_TMPDIR={folder}"):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.skipif(sys.platform != "linux", reason="Ray has two nodes on Linux alone")
def test_a_node_that_dies_costs_no_cell(
    tmp_path: Path, loopback: dict[str, str]
) -> None:
    store, results = tmp_path / "store", tmp_path / "results"
    call = [sys.executable, str(TWO_NODES), str(store), *CELLS, "--results"]
    ran = subprocess.run(
        [*call, str(results)], env=loopback, capture_output=True, text=True, timeout=240
    )
    assert ran.returncode == 0, ran.stderr
    assert "a node was killed" in ran.stdout
    assert "6 cells, 6 to run, 2 workers" in ran.stderr
    rows = pd.read_csv(results / "measurements" / "leaderboard.csv")
    assert rows["cell"].nunique() == 6
    assert set(rows["status"]) <= {"ok", "skipped"}
    assert rows["versions"].str.endswith(f" node={os.uname().nodename}").all()
    begun = "".join(path.read_text() for path in (store / "logs").iterdir())
    assert begun.count("-- ok") == 6
    # What the dead node was at is begun again.
    assert begun.count(" UTC, ") == 7
    time.sleep(1.0)
    assert started_with(f"RAY_TMPDIR={loopback['RAY_TMPDIR']}") == []


def test_who_listens_and_is_no_ray_is_one_line_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()
        begun = time.monotonic()
        with pytest.raises(UsageError, match=f"no Ray at {host}:{port}") as told:
            opened(f"{host}:{port}").__enter__()
        assert time.monotonic() - begun < 10
        assert "\n" not in str(told.value)
