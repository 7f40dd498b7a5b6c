"""A process that is started by another ends when that one is gone."""

import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

from mae_bench.training import lifeline

SOON = 5.0  # seconds
STARTER = """
import multiprocessing, os, sys
sys.path.insert(0, {here!r})
import test_lifeline
if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    child = context.Process(target=test_lifeline.sleep, args=({folder!r},))
    child.start()
    child.join()
"""


def sleep(folder: str) -> None:
    beats = []
    lifeline.hold(lambda: beats.append(1))
    while len(beats) < 2:
        time.sleep(0.01)
    (Path(folder) / "scratch").write_text(str(os.getpid()))
    os.replace(Path(folder) / "scratch", Path(folder) / "pid")
    time.sleep(60)


def test_a_process_ends_with_its_starter(tmp_path: Path) -> None:
    here = str(Path(__file__).parent)
    path = tmp_path / "starter.py"
    path.write_text(STARTER.format(here=here, folder=str(tmp_path)))
    with subprocess.Popen([sys.executable, path]) as starter:
        end = time.monotonic() + 60
        while not (tmp_path / "pid").exists():
            assert time.monotonic() < end
            time.sleep(0.05)
        starter.kill()
    child = Path(f"/proc/{(tmp_path / 'pid').read_text()}/stat")
    end = time.monotonic() + SOON
    while child.exists() and child.read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < end, "it outlives its starter"
        time.sleep(0.05)


def test_a_process_that_no_other_started_watches_none() -> None:
    assert multiprocessing.parent_process() is None
    lifeline.hold(lambda: 1 / 0)
