"""A run that is killed goes on where it was, and ends as if nothing had happened."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pandas as pd
import pytest

from mae_bench.experiments.leaderboard import LEADERBOARD
from mae_bench.experiments.uniformity import UNIFORMITY
from mae_bench.records.read import read_rows
from mae_bench.records.store import Store
from tests.processes import ended

GRID = ("--experiment", "uniformity", "--dataset", "gaussian_tree")
UNEVEN = ["train_seconds", "commit", "dirty"]
PATIENCE = 120.0


def command(folder: Path, verb: str, *words: str) -> list[str]:
    places = ("--store", str(folder / "store"), "--results", str(folder / "results"))
    call = [sys.executable, "-m", "mae_bench.cli", verb, "--tier", "smoke"]
    return [*call, "--seeds", "1", *places, *words]


def run(folder: Path) -> "subprocess.CompletedProcess[str]":
    """From nothing, or from what a killed run left, to the end; in one process."""
    call = command(folder, "run", *GRID, "--jobs", "0")
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(call, capture_output=True, text=True, env=env, check=False)


@contextmanager
def running(folder: Path, *words: str) -> Iterator["subprocess.Popen[str]"]:
    """A run in a process group of its own, gone with its workers at the end."""
    call = command(folder, "measure", *words, "--jobs", "1")
    with subprocess.Popen(
        call, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def wait_for(what: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    """Return as soon as something is so, while the run still goes on."""
    end = time.monotonic() + PATIENCE
    while not what():
        assert process.poll() is None, "the run ended first"
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)


def finished(folder: Path) -> list[str]:
    """Cells that are trained and scored, by every metric."""
    store = Store(folder / "store")
    wanted = len(UNIFORMITY.wanted)
    return [key for key in store.cells() if len(store.scores(key)) == wanted]


def tables(folder: Path) -> dict[str, bytes]:
    """Every CSV, without the columns that are not results."""
    found = {}
    for path in (folder / "results").rglob("*.csv"):
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        kept = table.drop(columns=UNEVEN, errors="ignore")
        found[path.name] = kept.to_csv(index=False).encode()
    return found


def workers(parent: int) -> list[int]:
    """Worker processes of a process (and not multiprocessing's own tracker)."""
    found = []
    for path in Path(f"/proc/{parent}/task").glob("*/children"):
        with suppress(OSError):  # gone meanwhile
            found += [
                int(child)
                for child in path.read_text().split()
                if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
            ]
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    done = run(folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_a_run_killed_with_its_workers_goes_on_and_ends_with_the_same_bytes(
    whole: Path, tmp_path: Path
) -> None:
    with running(tmp_path, *GRID) as process:
        wait_for(lambda: bool(finished(tmp_path)), process)
        children = workers(process.pid)
        os.killpg(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    assert len(children) == 1
    assert not workers(process.pid)
    before = finished(tmp_path)
    kept = {key: (tmp_path / f"store/cells/{key}/encoder.pt").stat() for key in before}
    assert 1 <= len(before) < 5
    assert not tables(tmp_path)

    done = run(tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"5 cells, {5 - len(before)} to run" in done.stderr
    assert "quarantine" not in done.stderr
    for key, stat in kept.items():
        path = tmp_path / f"store/cells/{key}/encoder.pt"
        assert path.stat().st_mtime_ns == stat.st_mtime_ns
    assert finished(tmp_path) == finished(whole)
    assert set(tables(tmp_path)) == {
        "uniformity.csv",
        "verdicts.csv",
        "theories.csv",
        "forecasts.csv",
        "leaderboard.csv",
    }
    assert tables(tmp_path) == tables(whole)


@pytest.mark.parametrize("seen", ["encoder.pt", "scores.json"])
def test_a_killed_worker_costs_what_it_was_at_and_nothing_else(
    tmp_path: Path, seen: str
) -> None:
    methods = ("mae", "random_init")
    chosen = [word for method in methods for word in ("--method", method)]
    words = ("--experiment", "leaderboard", "--dataset", "gaussian_tree", *chosen)
    kept = (tmp_path / "store" / "cells").glob
    with running(tmp_path, *words) as process:
        wait_for(lambda: any(kept(f"*/{seen}")), process)
        (worker,) = workers(process.pid)
        os.kill(worker, signal.SIGKILL)
        _, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    rows = read_rows(tmp_path / "results" / "measurements" / "leaderboard.csv")
    assert set(rows["method"]) == set(methods)
    lost = rows[rows["status"] == "error"]
    assert list(lost["reason"]) == ["its process was killed by signal 9"]
    assert set(rows["status"]) - {"error"} <= {"ok", "skipped"}
    if seen == "scores.json":  # the training had ended, and the other metrics go on
        found = rows.loc[rows["cell"] == lost["cell"].item(), "metric"].nunique()
        assert found == len({metric for metric, _ in LEADERBOARD.wanted})
    assert "killed by signal 9" in told


# In place of a worker's work, in all but one case: it needs no torch to be there.
ASLEEP = (
    "import mae_bench.runs.measure as m, tests.processes as p; "
    "m.launch = p.asleep(m.launch); "
    "import mae_bench.cli; mae_bench.cli.main()"
)


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGHUP", "SIGINT"])
def test_workers_end_with_a_run_that_a_signal_ends(tmp_path: Path, name: str) -> None:
    if signal.getsignal(getattr(signal, name)) is signal.SIG_IGN:
        pytest.skip("whoever started the tests has them ignore it, as nohup does")
    # Its worker is in a step for longer than the test would wait.
    call = command(tmp_path, "measure", "--experiment", "leaderboard", "--jobs", "2")
    call += ["--dataset", "gaussian_tree", "--method", "mae", "--method", "byol"]
    call += ["--set", "steps=100000", "--no-ensembles"]
    if name != "SIGKILL":
        call[1:3] = ["-c", ASLEEP]
    with subprocess.Popen(call, stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_for(lambda: len(workers(process.pid)) == 2, process)
            time.sleep(1.0)
            children = workers(process.pid)
            process.send_signal(getattr(signal, name))
            # 5 s where the machine is free; here the tests take turns with them.
            end = time.monotonic() + 10.0
            while not all(map(ended, children)):
                assert time.monotonic() < end, "they outlive it"
                time.sleep(0.05)
            _, told = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    number = getattr(signal, name)
    assert process.returncode == (130 if name == "SIGINT" else -number)
    assert "Traceback" not in told


def test_ctrl_c_stops_a_run_and_its_workers_in_one_line(tmp_path: Path) -> None:
    for seconds in (0.0, 3.0):  # while workers start, and while they train
        with running(tmp_path, *GRID, "--set", "steps=100000") as process:
            wait_for(lambda: bool(workers(process.pid)), process)
            time.sleep(seconds)
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does
            _, told = process.communicate(timeout=PATIENCE)
        assert process.returncode == 130
        assert "Traceback" not in told
        assert told.splitlines()[-1] == "stopped; run again to go on"


def test_a_run_that_is_killed_leaves_a_leaderboard_of_what_was_measured(
    tmp_path: Path,
) -> None:
    methods = ("--method", "mae", "--method", "pixels", "--method", "random_init")
    call = command(tmp_path, "run", "--experiment", "leaderboard", *methods)
    # As often as a cell ends, in place of every minute.
    often = "import mae_bench.runs.measure as m; m.WRITE_EVERY = 0.0; "
    call[1:3] = ["-c", f"{often}import mae_bench.cli; mae_bench.cli.main()"]
    call += ["--seeds", "40", "--jobs", "1"]
    path = tmp_path / "results" / "leaderboard.csv"

    def whole() -> bool:
        return path.exists() and len(pd.read_csv(path)) == 6

    with subprocess.Popen(
        call, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    ) as process:
        try:
            wait_for(whole, process)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
    rows = read_rows(tmp_path / "results" / "measurements" / "leaderboard.csv")
    assert set(rows["status"]) <= {"ok", "skipped"}, "what was not run has no row"
    seeds = rows.groupby(["dataset", "method"])["seed"].nunique()
    board = pd.read_csv(path).set_index(["dataset", "method"])
    assert set(board.index) == set(seeds.index)
    for at, line in board.iterrows():
        # The board is written after the rows.
        assert line["coverage"] in {f"{n}/{n}" for n in (seeds[at] - 1, seeds[at])}
        counted = line[line.index.str.endswith("_n_seeds")].dropna()
        assert set(counted) == {int(line["coverage"].partition("/")[0])}
    assert seeds.max() <= 2, "seed by seed, so that a whole table is there early"
