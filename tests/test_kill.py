"""A run that is killed goes on where it was, and ends as if nothing had happened."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.process import BaseProcess
from pathlib import Path

import pandas as pd
import pytest
from click.testing import Result
from typer.testing import CliRunner

from mae_bench.cli import app
from mae_bench.experiments.leaderboard import LEADERBOARD
from mae_bench.experiments.uniformity import UNIFORMITY
from mae_bench.records.read import read_rows
from mae_bench.records.store import Store
from mae_bench.runs import measure
from tests.processes import asleep, copied, ended, start

GRID = ("--experiment", "uniformity", "--dataset", "gaussian_tree")
UNEVEN = ["train_seconds", "commit", "dirty"]
PATIENCE = 120.0


def command(folder: Path, verb: str, *words: str) -> list[str]:
    places = ("--store", str(folder / "store"), "--results", str(folder / "results"))
    return [verb, "--tier", "smoke", "--seeds", "1", *places, *words]


def run(folder: Path) -> Result:
    """From nothing, or from what a killed run left, to the end; in this process."""
    return CliRunner().invoke(app, command(folder, "run", *GRID, "--jobs", "0"))


@contextmanager
def running(
    folder: Path, words: list[str], *before: Callable[[], object]
) -> Iterator[BaseProcess]:
    """A run in a process group of its own, gone with its workers at the end."""
    process = start(words, folder / "told", *before)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.join()


def end(folder: Path, process: BaseProcess) -> tuple[int | None, str]:
    """How a run ended, and what it told."""
    process.join(PATIENCE)
    return process.exitcode, (folder / "told" / "err").read_text()


def wait_for(what: Callable[[], bool], process: BaseProcess) -> None:
    """Return as soon as something is so, while the run still goes on."""
    end = time.monotonic() + PATIENCE
    while not what():
        assert process.exitcode is None, "the run ended first"
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
    copies = Path("/proc/self/cmdline").read_bytes()
    for path in Path(f"/proc/{parent}/task").glob("*/children"):
        with suppress(OSError):  # gone meanwhile
            found += [
                int(child)
                for child in path.read_text().split()
                if (words := Path(f"/proc/{child}/cmdline").read_bytes()) == copies
                or b"spawn_main" in words
            ]
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    done = run(folder)
    assert done.exit_code == 0, done.stderr
    return folder


def test_a_run_killed_with_its_workers_goes_on_and_ends_with_the_same_bytes(
    whole: Path, tmp_path: Path
) -> None:
    words = command(tmp_path, "measure", *GRID, "--jobs", "1")
    with running(tmp_path, words, copied) as process:
        wait_for(lambda: bool(finished(tmp_path)), process)
        children = workers(process.pid)
        os.killpg(process.pid, signal.SIGKILL)
        assert end(tmp_path, process)[0] == -signal.SIGKILL
    assert len(children) == 1
    assert not workers(process.pid)
    before = finished(tmp_path)
    kept = {key: (tmp_path / f"store/cells/{key}/encoder.pt").stat() for key in before}
    assert 1 <= len(before) < 5
    assert not tables(tmp_path)

    done = run(tmp_path)
    assert done.exit_code == 0, done.stderr
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
    call = command(tmp_path, "measure", *words, "--jobs", "1")
    with running(tmp_path, call, copied) as process:
        wait_for(lambda: any(kept(f"*/{seen}")), process)
        (worker,) = workers(process.pid)
        os.kill(worker, signal.SIGKILL)
        code, told = end(tmp_path, process)
    assert code == 1
    rows = read_rows(tmp_path / "results" / "measurements" / "leaderboard.csv")
    assert set(rows["method"]) == set(methods)
    lost = rows[rows["status"] == "error"]
    assert list(lost["reason"]) == ["its process was killed by signal 9"]
    assert set(rows["status"]) - {"error"} <= {"ok", "skipped"}
    if seen == "scores.json":  # the training had ended, and the other metrics go on
        found = rows.loc[rows["cell"] == lost["cell"].item(), "metric"].nunique()
        assert found == len({metric for metric, _ in LEADERBOARD.wanted})
    assert "killed by signal 9" in told


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGHUP", "SIGINT"])
def test_workers_end_with_a_run_that_a_signal_ends(tmp_path: Path, name: str) -> None:
    if signal.getsignal(getattr(signal, name)) is signal.SIG_IGN:
        pytest.skip("whoever started the tests has them ignore it, as nohup does")
    # Its worker is in a step for longer than the test would wait.
    words = command(tmp_path, "measure", "--experiment", "leaderboard", "--jobs", "2")
    words += ["--dataset", "gaussian_tree", "--method", "mae", "--method", "byol"]
    words += ["--set", "steps=100000", "--no-ensembles"]
    # In place of its work, in all but one case: it needs no torch to be there.
    before = () if name == "SIGKILL" else (asleep,)
    with running(tmp_path, words, *before) as process:
        wait_for(lambda: len(workers(process.pid)) == 2, process)
        time.sleep(1.0)
        children = workers(process.pid)
        os.kill(process.pid, getattr(signal, name))
        # 5 s where the machine is free; here the tests take turns with them.
        until = time.monotonic() + 10.0
        while not all(map(ended, children)):
            assert time.monotonic() < until, "they outlive it"
            time.sleep(0.05)
        code, told = end(tmp_path, process)
    number = getattr(signal, name)
    assert code == (130 if name == "SIGINT" else -number)
    assert "Traceback" not in told


def logs(folder: Path) -> str:
    """What workers have said of cells."""
    found = (folder / "store" / "logs").glob("*")
    return "".join(path.read_text() for path in found)


@pytest.mark.parametrize("when", ["at once", "while they start", "while they train"])
def test_ctrl_c_stops_a_run_and_its_workers_in_one_line(
    tmp_path: Path, when: str
) -> None:
    words = command(tmp_path, "measure", *GRID, "--jobs", "1", "--set", "steps=100000")
    before = (copied,) if when == "while they train" else ()
    with running(tmp_path, words, *before) as process:
        wait_for(lambda: bool(workers(process.pid)), process)
        if when == "while they train":
            wait_for(lambda: "mae" in logs(tmp_path), process)
        if when != "at once":  # a worker needs 4 s to import what it needs
            time.sleep(2.0)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        code, told = end(tmp_path, process)
    assert code == 130
    assert "Traceback" not in told + logs(tmp_path)
    assert told.splitlines()[-1] == "stopped; run again to go on"


def often() -> None:
    """Write as often as a cell ends, in place of every minute."""
    measure.WRITE_EVERY = 0.0


def test_a_run_that_is_killed_leaves_a_leaderboard_of_what_was_measured(
    tmp_path: Path,
) -> None:
    methods = ("--method", "mae", "--method", "pixels", "--method", "random_init")
    words = command(tmp_path, "run", "--experiment", "leaderboard", *methods)
    words += ["--seeds", "40", "--jobs", "1"]
    path = tmp_path / "results" / "leaderboard.csv"

    def whole() -> bool:
        return path.exists() and len(pd.read_csv(path)) == 6

    with running(tmp_path, words, often, copied) as process:
        wait_for(whole, process)
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
