"""Speed of a worktree's code, timed by asv with the checkout's benchmarks."""

import json
from pathlib import Path

from asv.results import Results

from mae_bench.commits import asv_speed
from mae_bench.commits.asv_feed import Origin

MACHINE = {
    "machine": "m",
    "os": "Linux",
    "arch": "x86_64",
    "cpu": "C",
    "num_cpu": "2",
    "ram": "8GB",
}
# It tells which package it was given, what not, and that its children have the same.
BENCHMARK = """
import importlib.util
import os
import subprocess
import sys
import mae_bench
SAY = "import mae_bench; print(mae_bench.COLOUR)"
def track_colour():
    assert importlib.util.find_spec("mae_bench.records") is None  # nor in an install
    said = subprocess.run([sys.executable, "-c", SAY], capture_output=True, text=True)
    assert said.stdout == "7\\n"
    assert not os.path.exists(os.path.join(os.path.dirname(__file__), "quality.py"))
    return mae_bench.COLOUR
track_colour.version = "1"
"""


def speed(toy: Path, tree: Path, sha: str, limit: float = 60.0) -> str:
    return asv_speed.speed(
        tree,
        repo=toy,
        folder=toy.parent / "asv",
        machine=MACHINE,
        origin=Origin(sha, 1, "speed", "", "3.11", "2.13"),
        limit=limit,
    )


def result(toy: Path, sha: str) -> Results:
    path = toy.parent / "asv" / "m" / f"{sha[:8]}-speed-py3.11-torch2.13.json"
    return Results.load(str(path), machine_name="m")


def test_the_trees_code_is_timed_and_what_cannot_be_is_a_gap(toy: Path, commit) -> None:
    sha = commit("first")
    assert speed(toy, toy, sha) == f"{toy} has no benchmarks"
    (toy / "benchmarks").mkdir()
    (toy / "benchmarks" / "__init__.py").touch()
    (toy / "benchmarks" / "colour.py").write_text(BENCHMARK)
    (toy / "benchmarks" / "quality.py").write_text("raise ImportError('of today')")
    tree = toy.parent / "home" / "tree"
    (tree / "mae_bench").mkdir(parents=True)
    (tree / "mae_bench" / "__init__.py").write_text("COLOUR = 7")
    assert speed(toy, tree, sha) == "ok"
    found = result(toy, sha)
    assert found.get_result_value("colour.track_colour", []) == [7]
    assert found.params["python"] == "3.11"

    (tree / "mae_bench" / "__init__.py").write_text("raise RuntimeError('not today')")
    other = commit("second")
    assert "Failed to build the project and import" in speed(toy, tree, other)
    assert result(toy, other).get_result_value("colour.track_colour", []) == [None]
    known = json.loads((toy.parent / "asv" / "benchmarks.json").read_text())
    assert set(known) == {"colour.track_colour", "version"}
