"""The speed of one commit: ``asv run`` with the benchmarks of today on its code.

asv runs in a folder of its own, so that it overwrites no result; what it left is taken
over by ``asv_feed``. One run at a time: two at once would slow each other down.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

from filelock import FileLock

from mae_bench.commits import asv_feed
from mae_bench.commits.asv_feed import Origin
from mae_bench.commits.child import run
from mae_bench.commits.worktree import python_path
from mae_bench.records.store import Record

# They need the package of today: one reads the history, others are scripts.
_NOT_SPEED = ("quality.py", "*plain*", "__pycache__")


def speed(
    tree: Path,
    *,
    repo: Path,
    folder: Path,
    machine: Record,
    origin: Origin,
    limit: float,
    bench: str = ".",
) -> str:
    """Time a commit's code and feed asv with it; a gap if that cannot be done.

    Args:
        tree: The commit's worktree.
        repo: The checkout whose ``benchmarks`` are run.
        folder: asv's results.
        machine: See ``host.this_machine``.
        origin: Of the numbers.
        limit: Seconds.
        bench: Which benchmarks, a regular expression; all of them by default.

    Returns:
        ``ok``, or why there is a gap.

    Raises:
        StoreError: The results cannot be written.
    """
    if not (repo / "benchmarks").is_dir():
        return f"{repo} has no benchmarks"
    with tempfile.TemporaryDirectory() as scratch, _alone(folder):
        home = Path(scratch)
        _settle(home, repo, machine)
        words = ["run", "--environment", f"existing:{sys.executable}"]
        words += ["--set-commit-hash", origin.commit, "--record-samples"]
        words += ["--machine", str(machine["machine"]), "--bench", bench]
        call = [sys.executable, "-m", "asv", "--config", str(home / "asv.conf.json")]
        path = python_path(tree)
        env = os.environ | {
            "HOME": str(home),  # asv keeps the names of machines there
            "GIT_CONFIG_GLOBAL": str(Path.home() / ".gitconfig"),
            # By the second asv finds the package; by the first Python, and what a
            # benchmark starts, keep an editable install away.
            "PYTHONPATH": path,
            "ASV_PYTHONPATH": path,
        }
        ended = run([*call, *words], home, env, limit)
        # One benchmark that failed makes asv exit with 2; the others are written.
        taken = asv_feed.adopt(folder, machine, origin, home / "results")
        if taken is None:
            asv_feed.gap_of_speed(folder, machine, origin)
            return ended.reason or "asv left no results"
    return "ok"


def _alone(folder: Path) -> FileLock:
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / ".speed.lock")


def _settle(home: Path, repo: Path, machine: Record) -> None:
    """What asv wants to find: benchmarks, its settings, and the machine's name."""
    leave = shutil.ignore_patterns(*_NOT_SPEED)
    shutil.copytree(repo / "benchmarks", home / "benchmarks", ignore=leave)
    settings = {
        "version": 1,
        "project": "mae_bench",
        "repo": str(repo),
        "dvcs": "git",
        "branches": ["HEAD"],
        "environment_type": "existing",
        "benchmark_dir": "benchmarks",
        "results_dir": "results",
        "html_dir": "html",
        "env_dir": "env",
        "default_benchmark_timeout": 120,
        "launch_method": "forkserver",
    }
    (home / "asv.conf.json").write_text(json.dumps(settings))
    known = {"version": 1, str(machine["machine"]): machine}
    (home / ".asv-machine.json").write_text(json.dumps(known))
