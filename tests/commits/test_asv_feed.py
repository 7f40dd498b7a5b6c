"""Result files that asv itself reads, shows, compares and publishes."""

import json
import math
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from asv.benchmarks import Benchmarks
from asv.config import Config
from asv.results import Results
from asv_runner.statistics import compute_stats

from mae_bench.commits import asv_feed
from mae_bench.commits.asv_feed import FORECASTS, LEADERBOARD, Origin
from mae_bench.records.schema import UsageError

SAMPLES = [0.3, 0.2, 0.5, 0.25, 0.4]
ERRORS = {
    ("digits", "mae", "linear_probe/v1"): SAMPLES,
    ("digits", "u_mae", "linear_probe/v1"): None,
    ("tree", "mae", "mcc_level_0/v2"): [0.6],
}


def origin(commit: str = "c" * 40, kind: str = "quality") -> Origin:
    tier = "smoke" if kind == "quality" else ""
    return Origin(commit, 1_700_000_000_000, kind, tier, "3.11", "2.13.0")


def load(folder: Path, path: Path) -> Results:
    assert path.parent == folder / "m"
    return Results.load(str(path), machine_name="m")


def benchmarks(folder: Path) -> Benchmarks:
    conf = Config()
    conf.results_dir = str(folder)
    return Benchmarks.load(conf)


def test_asv_reads_back_what_was_fed(tmp_path: Path, machine) -> None:
    path = asv_feed.feed(tmp_path, machine, origin(), {LEADERBOARD: ERRORS})
    result = load(tmp_path, path)
    assert path.name == "cccccccc-quality-smoke-py3.11-torch2.13.0.json"
    assert result.commit_hash == "c" * 40
    assert result.date == 1_700_000_000_000
    known = benchmarks(tmp_path)[LEADERBOARD.name]
    assert known["params"] == [
        ["'digits'", "'tree'"],
        ["'mae'", "'u_mae'"],
        ["'linear_probe/v1'", "'mcc_level_0/v2'"],
    ]
    values = result.get_result_value(LEADERBOARD.name, known["params"])
    assert values[0] == 0.3
    assert values[2] is None  # failed
    assert math.isnan(values[1])  # does not apply
    assert values[5] == 0.6
    samples = result.get_result_samples(LEADERBOARD.name, known["params"])
    assert samples[0] == SAMPLES
    assert result.get_result_keys(benchmarks(tmp_path)) == {LEADERBOARD.name}


@pytest.mark.parametrize("content", ["\0", "[1]", '{"a": 1}', '{"a": {"params": 1}}'])
def test_a_file_of_asvs_that_is_spoilt_is_named(
    tmp_path: Path, machine, content: str
) -> None:
    asv_feed.feed(tmp_path, machine, origin(), {LEADERBOARD: ERRORS})
    (tmp_path / "benchmarks.json").write_text(content)
    with pytest.raises(UsageError, match=r"benchmarks\.json.*take it away"):
        asv_feed.feed(tmp_path, machine, origin(), {LEADERBOARD: ERRORS})


def test_median_quartiles_and_counts_are_asvs_own(tmp_path: Path, machine) -> None:
    path = asv_feed.feed(tmp_path, machine, origin(), {LEADERBOARD: ERRORS})
    result = load(tmp_path, path)
    params = result.get_result_params(LEADERBOARD.name)
    (fed, *_), (facts, *_) = (
        result.get_result_value(LEADERBOARD.name, params),
        result.get_result_stats(LEADERBOARD.name, params),
    )
    median, theirs = compute_stats(SAMPLES, 1)
    assert fed == median
    for name in ("q_25", "q_75", "number", "repeat"):
        assert facts[name] == theirs[name]
    # By hand: 0.33 +- 4.604 * 0.12042 / sqrt(5).
    assert facts["ci_99_a"] == pytest.approx(0.33 - 0.24794, abs=1e-4)
    assert facts["ci_99_b"] == pytest.approx(0.33 + 0.24794, abs=1e-4)


def test_a_gap_is_shown_as_failed_at_every_point(tmp_path: Path, machine) -> None:
    asv_feed.feed(tmp_path, machine, origin(), {LEADERBOARD: ERRORS})
    gap = asv_feed.feed(tmp_path, machine, origin("d" * 40), {LEADERBOARD: None})
    params = benchmarks(tmp_path)[LEADERBOARD.name]["params"]
    found = load(tmp_path, gap).get_result_value(LEADERBOARD.name, params)
    assert found == [None] * 8


def test_a_gap_before_all_else_is_no_hindrance(tmp_path: Path, machine) -> None:
    gap = asv_feed.feed(tmp_path, machine, origin("d" * 40), {LEADERBOARD: None})
    asv_feed.feed(tmp_path, machine, origin(), {LEADERBOARD: ERRORS})
    params = benchmarks(tmp_path)[LEADERBOARD.name]["params"]
    found = load(tmp_path, gap).get_result_value(LEADERBOARD.name, params)
    assert found == [None] * 8


def test_names_and_points_of_others_stay(tmp_path: Path, machine) -> None:
    asv_feed.feed(tmp_path, machine, origin(), {LEADERBOARD: ERRORS})
    other = {("new", "mae", "mcc_level_0/v2"): [0.1]}
    found = {LEADERBOARD: other, FORECASTS: {("visible_share",): [1.0, 1.1]}}
    asv_feed.feed(tmp_path, machine, origin("d" * 40), found)
    known = benchmarks(tmp_path)
    assert set(known) == {LEADERBOARD.name, FORECASTS.name}
    assert known[LEADERBOARD.name]["params"][0] == ["'new'", "'digits'", "'tree'"]


def test_a_machine_that_is_known_keeps_its_facts(tmp_path: Path, machine) -> None:
    asv_feed.feed(tmp_path, machine, origin(), {LEADERBOARD: ERRORS})
    other = machine | {"ram": "16GB", "os": "Linux 6"}
    path = asv_feed.feed(tmp_path, other, origin("d" * 40), {LEADERBOARD: ERRORS})
    assert load(tmp_path, path).params["ram"] == "8GB"
    assert json.loads((tmp_path / "m" / "machine.json").read_text())["os"] == "Linux"


def test_writers_at_once_lose_nothing(tmp_path: Path, machine) -> None:
    def write(i: int) -> None:
        found = {LEADERBOARD: {(f"world {i}", "mae", "mcc_level_0/v2"): [0.1]}}
        asv_feed.feed(tmp_path, machine, origin(f"{i:08d}" * 5), found)

    threads = [threading.Thread(target=write, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list((tmp_path / "m").glob("*-quality-*"))) == 8
    assert len(benchmarks(tmp_path)[LEADERBOARD.name]["params"][0]) == 8


def ran(folder: Path, params: list[str], commit: str) -> Path:
    """What an ``asv run`` of one benchmark leaves."""
    (folder / "m").mkdir(parents=True)
    entry = {"name": "speed.X.time_it", "params": [params], "version": "1"}
    told = {"speed.X.time_it": entry, "version": 2}
    (folder / "benchmarks.json").write_text(json.dumps(told))
    (folder / "m" / "machine.json").write_text("{}")
    columns = ["result", "params", "version"]
    rows = {"speed.X.time_it": [[0.5] * len(params), [params], "1"]}
    left = {"results": rows, "result_columns": columns}
    name = f"{commit[:8]}-existing-py_somewhere_bin_python.json"
    (folder / "m" / name).write_text(json.dumps(left))
    return folder


def test_a_run_of_asv_is_taken_over_without_anybodys_paths(
    tmp_path: Path, machine
) -> None:
    folder = tmp_path / "asv"
    asv_feed.feed(folder, machine, origin(), {LEADERBOARD: ERRORS})
    for name, params in (("c", ["'a'", "'b'"]), ("d", ["'b'"])):
        path = asv_feed.adopt(
            folder,
            machine,
            origin(name * 40, "speed"),
            ran(tmp_path / name, params, name * 40),
        )
        assert path is not None
        assert path.name == f"{name * 8}-speed-py3.11-torch2.13.0.json"
        assert "somewhere" not in path.read_text()
    known = benchmarks(folder)
    assert set(known) == {LEADERBOARD.name, "speed.X.time_it"}
    # What an older commit lacks, a newer one has still.
    assert known["speed.X.time_it"]["params"] == [["'b'", "'a'"]]
    gap = asv_feed.gap_of_speed(folder, machine, origin("e" * 40, "speed"))
    result = load(folder, gap)
    assert set(result.get_all_result_keys()) == {"speed.X.time_it"}
    assert result.get_result_value("speed.X.time_it", [["'a'", "'b'"]]) == [None, None]


def test_a_run_that_left_nothing_is_not_taken_over(tmp_path: Path, machine) -> None:
    (tmp_path / "empty").mkdir()
    found = asv_feed.adopt(
        tmp_path / "asv", machine, origin(kind="speed"), tmp_path / "empty"
    )
    assert found is None


def asv(folder: Path, *words: str) -> str:
    call = [sys.executable, "-m", "asv", *words]
    env = os.environ | {"HOME": str(folder), "COLUMNS": "200"}
    done = subprocess.run(call, cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def configured(toy: Path) -> None:
    settings = {
        "version": 1,
        "project": "toy",
        "repo": ".",
        "branches": ["main"],
        "environment_type": "existing",
        "results_dir": "results",
        "html_dir": "html",
    }
    (toy / "asv.conf.json").write_text(json.dumps(settings))


def test_asv_shows_compares_and_publishes_what_was_fed(
    toy: Path, commit, machine
) -> None:
    first, second, third = (commit(subject) for subject in ("a", "b", "c"))
    configured(toy)
    worse = {("digits", "mae", "linear_probe/v1"): [0.8, 0.81, 0.82, 0.83, 0.84]}
    better = {("digits", "mae", "linear_probe/v1"): [0.1, 0.11, 0.12, 0.13, 0.14]}
    for sha, found in ((first, better), (second, worse), (third, None)):
        asv_feed.feed(toy / "results", machine, origin(sha), {LEADERBOARD: found})
    assert "0.12" in asv(toy, "show", first)
    assert "failed" in asv(toy, "show", third)
    compared = asv(toy, "compare", first, second)
    (line,) = (line for line in compared.splitlines() if "track_error" in line)
    assert line.split()[1] == "+"  # got worse
    assert "6.83" in line
    compared = asv(toy, "compare", second, third)
    (line,) = (line for line in compared.splitlines() if "track_error" in line)
    assert line.split()[1] == "!"  # introduced a failure
    asv(toy, "publish", "--no-pull")
    index = json.loads((toy / "html" / "index.json").read_text())
    assert len(index["revision_to_hash"]) == 3
    assert LEADERBOARD.name in index["benchmarks"]
    assert list((toy / "html" / "graphs").rglob(f"{LEADERBOARD.name}.json"))


def test_a_loss_of_accuracy_is_a_published_regression_and_a_gain_is_none(
    toy: Path, commit, machine
) -> None:
    configured(toy)
    wobble = (0.0, 0.001, -0.001, 0.002, -0.002)
    for k, sha in enumerate([commit(subject) for subject in "abcdef"]):
        errors = {"mae": 0.3, "u_mae": 0.5} if k < 3 else {"mae": 0.5, "u_mae": 0.3}
        found = {
            ("digits", method, "linear_probe/v1"): [error + w for w in wobble]
            for method, error in errors.items()
        }
        asv_feed.feed(toy / "results", machine, origin(sha), {LEADERBOARD: found})
    asv(toy, "publish", "--no-pull")
    told = json.loads((toy / "html" / "regressions.json").read_text())["regressions"]
    ((name, _, _, _, latest, best, jumps),) = told
    assert "mae" in name
    assert "u_mae" not in name
    assert (latest, best) == pytest.approx((0.5, 0.3))
    assert [jump[1] for jump in jumps] == [3]  # commits are counted from 0
