"""Speed of a worktree's code, timed by asv with the checkout's benchmarks."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from asv.results import Results

from mae_bench.commits import asv_speed
from mae_bench.commits.asv_feed import Origin

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


@pytest.fixture
def speed(toy: Path, machine: dict[str, str]) -> Callable[[Path, str], str]:
    """What is said of the speed of a tree's code."""
    return lambda tree, sha: asv_speed.speed(
        tree,
        repo=toy,
        folder=toy.parent / "asv",
        machine=machine,
        origin=Origin(sha, 1, "speed", "", "3.11", "2.13"),
        limit=60.0,
    )


def result(toy: Path, sha: str) -> Results:
    path = toy.parent / "asv" / "m" / f"{sha[:8]}-speed-py3.11-torch2.13.json"
    return Results.load(str(path), machine_name="m")


def test_the_trees_code_is_timed_and_what_cannot_be_is_a_gap(
    toy: Path, commit, speed
) -> None:
    sha = commit("first")
    assert speed(toy, sha) == f"{toy} has no benchmarks"
    (toy / "benchmarks").mkdir()
    (toy / "benchmarks" / "__init__.py").touch()
    (toy / "benchmarks" / "colour.py").write_text(BENCHMARK)
    (toy / "benchmarks" / "quality.py").write_text("raise ImportError('of today')")
    tree = toy.parent / "home" / "tree"
    (tree / "mae_bench").mkdir(parents=True)
    (tree / "mae_bench" / "__init__.py").write_text("COLOUR = 7")
    assert speed(tree, sha) == "ok"
    found = result(toy, sha)
    assert found.get_result_value("colour.track_colour", []) == [7]
    assert found.params["python"] == "3.11"

    (tree / "mae_bench" / "__init__.py").write_text("raise RuntimeError('not today')")
    other = commit("second")
    assert "Failed to build the project and import" in speed(tree, other)
    assert result(toy, other).get_result_value("colour.track_colour", []) == [None]
    known = json.loads((toy.parent / "asv" / "benchmarks.json").read_text())
    assert set(known) == {"colour.track_colour", "version"}
