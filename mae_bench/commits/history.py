"""Quality over commits: each measured by its own code, in a worktree of its own.

A commit has a folder in the history, named by 12 digits of its hash: its store, its
measurements, and ``commit.json``, how it went. One that cannot be imported or crashes
is a gap with a reason and stops no other. A lock a commit lets several histories run
at once: they share the work, and what one holds the others come back to.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from mae_bench.commits.child import run
from mae_bench.commits.errors import of_commit
from mae_bench.commits.worktree import Commit, python_path, worktree
from mae_bench.records.read import read_rows
from mae_bench.records.rows import Measurements
from mae_bench.records.schema import UsageError
from mae_bench.records.store import parse, write_atomically

if TYPE_CHECKING:
    from mae_bench.runs.plan import Rerun

NOT_TIMED = ""


@dataclass(frozen=True)
class Wish:
    """What is wanted of every commit.

    Args:
        tier: Tier id.
        seeds: Repetitions.
        experiments: Ids.
        speed: Whether its speed is wanted too.
    """

    tier: str
    seeds: int
    experiments: tuple[str, ...]
    speed: bool = False


@dataclass(frozen=True)
class Entry:
    """How a commit went: the content of its ``commit.json``.

    Args:
        commit: Full hash.
        date: ISO 8601.
        subject: First line of its message.
        status: ``ok``; ``partial``: some cells failed, each with its row; ``error``
            and ``timeout``: a gap; ``missing``: not run.
        reason: Of anything but ``ok``, in a line.
        tier: Tier id.
        seeds: Repetitions.
        experiments: Ids.
        seconds: Wall time of the measuring.
        python: Version that it ran with.
        torch: Version that it ran with.
        speed: ``ok``, why there is none, or empty if it was not wanted.
    """

    commit: str
    date: str
    subject: str
    status: str
    reason: str
    tier: str
    seeds: int
    experiments: tuple[str, ...]
    seconds: float
    python: str
    torch: str
    speed: str = NOT_TIMED

    @property
    def measured(self) -> bool:
        """Whether there are rows."""
        return self.status in ("ok", "partial")


# Times the code of a worktree; gives "ok" or why it could not.
Speed = Callable[[Entry, Path], str]


def place(history: Path, sha: str) -> Path:
    """The folder of a commit."""
    return history / sha[:12]


def read(folder: Path) -> Entry | None:
    """How a commit went; None if that is not known, or not to be read."""
    try:
        told = parse((folder / "commit.json").read_bytes())
        return Entry(**{**told, "experiments": tuple(told["experiments"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def measurements(folder: Path, entry: Entry) -> Measurements:
    """The rows of a commit, refused if they are not its own.

    Raises:
        UsageError: They are lacking, of other or of changed code, or of another tier.
    """
    found = {}
    for name in entry.experiments:
        found[name] = read_rows(folder / "measurements" / f"{name}.csv")
        of_commit(found[name], entry.commit, entry.tier)
    return found


def walk(
    chosen: Sequence[Commit],
    wish: Wish,
    *,
    repo: Path,
    history: Path,
    rerun: Rerun,
    limit: float,
    told: Callable[[Entry], None],
    speed: Speed,
) -> list[Entry]:
    """Measure every commit that is not measured yet.

    Args:
        chosen: The commits.
        wish: What is wanted of each.
        repo: Their repository.
        history: Folder of the history.
        rerun: Which commits are run again: those without an entry of this wish
            (``missing``), those that did not end well too (``failed``), all, or none.
        limit: Seconds a commit.
        told: Called after each, while no other history can touch it.
        speed: Times a worktree; asked only if it is wished.

    Raises:
        StoreError: The history cannot be written.
    """
    history = history.resolve()
    waiting = deque((commit, False) for commit in chosen)
    entries = {}
    while waiting:
        commit, patient = waiting.popleft()
        folder = place(history, commit.sha)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(folder / ".lock", timeout=-1 if patient else 0):
                visit = _Visit(commit, wish, repo, folder, rerun, limit)
                entries[commit.sha] = visit.end(speed)
                told(entries[commit.sha])
        except Timeout:  # another history has it: wait for it when all else is done
            waiting.append((commit, True))
    return [entries[commit.sha] for commit in chosen]


@dataclass(frozen=True)
class _Visit:
    """One commit's turn, under its lock."""

    commit: Commit
    wish: Wish
    repo: Path
    folder: Path
    rerun: Rerun
    limit: float

    def end(self, speed: Speed) -> Entry:
        """The entry, after what was lacking has been run."""
        known = read(self.folder)
        entry = known if known and self._serves(known) else self._blank()
        measure = self._due(entry)
        timing = self.wish.speed and (measure or entry.speed == NOT_TIMED)
        if self.rerun == "never" or not (measure or timing):
            return entry
        try:
            tree = self.folder / f"tree-{self.commit.sha[:12]}"
            with worktree(self.repo, self.commit.sha, tree):
                if measure:
                    entry = self._measure(tree)
                    self._keep(entry)
                if timing and entry.measured:
                    entry = replace(entry, speed=speed(entry, tree))
        except UsageError as error:
            if measure:
                entry = replace(entry, status="error", reason=str(error))
            else:
                entry = replace(entry, speed=str(error))
        self._keep(entry)
        return entry

    def _serves(self, entry: Entry) -> bool:
        """Whether an entry answers the same wish."""
        asked = (self.wish.tier, self.wish.seeds, self.wish.experiments)
        return asked == (entry.tier, entry.seeds, entry.experiments)

    def _due(self, entry: Entry) -> bool:
        if entry.status == "missing" or self.rerun == "always":
            return True
        return self.rerun == "failed" and entry.status != "ok"

    def _blank(self) -> Entry:
        return Entry(
            commit=self.commit.sha,
            date=self.commit.date,
            subject=self.commit.subject,
            status="missing",
            reason="not run yet",
            tier=self.wish.tier,
            seeds=self.wish.seeds,
            experiments=self.wish.experiments,
            seconds=0.0,
            python=".".join(platform.python_version_tuple()[:2]),
            torch=version("torch").replace("+", "-"),
        )

    def _measure(self, tree: Path) -> Entry:
        """Run the commit's own code; its store lets a killed run go on."""
        shutil.rmtree(self.folder / "measurements", ignore_errors=True)
        start = time.monotonic()
        env = os.environ | {
            "PYTHONPATH": python_path(tree),
            # Early commits do not ignore what Python would leave in their folders.
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        ended = run(self._call(), tree, env, self.limit)
        entry = replace(self._blank(), seconds=round(time.monotonic() - start, 1))
        if ended.code is None:
            return replace(entry, status="timeout", reason=ended.reason)
        # Code 1: some cells failed, and are rows.
        if ended.code not in (0, 1):
            return replace(entry, status="error", reason=ended.reason)
        if ended.code and not (self.folder / "measurements").exists():
            return replace(entry, status="error", reason=ended.reason)
        try:
            measurements(self.folder, entry)
        except UsageError as error:
            return replace(entry, status="error", reason=str(error))
        status = "partial" if ended.code else "ok"
        return replace(entry, status=status, reason=ended.reason)

    def _call(self) -> list[str]:
        call = [sys.executable, "-m", "mae_bench.cli", "measure"]
        call += ["--tier", self.wish.tier, "--seeds", str(self.wish.seeds)]
        for name in self.wish.experiments:
            call += ["--experiment", name]
        if self.rerun != "missing":  # the default: early commits have no such option
            call += ["--rerun", self.rerun]
        places = ["--store", str(self.folder / "store"), "--results", str(self.folder)]
        return call + places

    def _keep(self, entry: Entry) -> None:
        text = json.dumps(asdict(entry), indent=1) + "\n"
        write_atomically(self.folder / "commit.json", text.encode())
