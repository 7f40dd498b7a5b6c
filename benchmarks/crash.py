"""Kills a run 60 times, and holds what it comes to against one that nothing disturbed.

Half of the kills are at a moment drawn by a seed, half at a point of a write: before a
file is synced, before it takes its name, and after. Of every other kill the power goes
as well: what the killed process wrote and had not synced is cut to nothing. The run
goes on from what is left until it ends, and begins anew until all kills are spent. Then
judge, rank, plot, site, register and merge are killed in the same way. Rows, verdicts
and weights must be the same bytes, figures and pages the same files, and nothing that
was finished may be trained again.

    make crash
    python benchmarks/crash.py 60 --seed 1
    python benchmarks/crash.py --only site register --later 20
"""

from __future__ import annotations

import argparse
import importlib
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd

ROOT = Path(__file__).parent.parent
MEASURE = (
    *("measure", "--tier", "smoke", "--experiment", "uniformity", "--seeds", "1"),
    *("--dataset", "gaussian_tree", "--jobs", "0", "--results", "r"),
    *("--store", "store"),
)
LATER = {
    "judge": ("judge", "--results", "r"),
    "rank": ("rank", "--results", "r"),
    "plot": ("plot", "--results", "r"),
    "site": ("site", "--results", "r"),
    "register": ("register", "--results", "r"),
    "merge": ("merge", "r", "--results", "joined"),
}
# They differ between two honest runs.
UNEVEN = ("train_seconds", "commit", "dirty")


@dataclass
class Death:
    """When a process is killed: at its n-th point of a write, or after CPU seconds."""

    point: int = 0
    seconds: float = 0.0
    power: bool = False


@dataclass
class Tally:
    """What came of the kills of one verb."""

    kills: int = 0
    lost: list[str] = field(default_factory=list)


def watched(death: Death, log: Path) -> None:
    """From here on this process notes what it synced, and dies when it is to."""
    seen = 0
    sync, replace = os.fsync, os.replace

    def point() -> None:
        nonlocal seen
        seen += 1
        if seen == death.point:
            os.kill(os.getpid(), signal.SIGKILL)

    def fsync(handle: int) -> None:
        point()
        sync(handle)
        with log.open("a") as file:
            file.write(f"{os.fstat(handle).st_ino}\n")

    def replacing(*where: Any) -> None:
        point()
        replace(*where)
        point()

    os.fsync, os.replace = fsync, replacing  # type: ignore[assignment]
    if death.seconds:
        signal.setitimer(signal.ITIMER_PROF, death.seconds)


def verb(words: Sequence[str], folder: Path, death: Death | None = None) -> int:
    """Run a command in a child; gives its exit code, or minus the signal it died of."""
    log = folder.with_name(f"{folder.name}.synced")
    log.write_text("")
    before = {path: path.stat().st_mtime_ns for path in files(folder)}
    child = os.fork()
    if child == 0:
        _child(words, folder, death, log)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if death and death.power and code < 0:
        synced = set(map(int, log.read_text().split()))
        for path in files(folder):
            at = path.stat()
            if before.get(path) != at.st_mtime_ns and at.st_ino not in synced:
                os.truncate(path, 0)
    return code


def _child(words: Sequence[str], folder: Path, death: Death | None, log: Path) -> None:
    code = 99
    try:
        os.chdir(folder)
        sys.stdout = sys.stderr = StringIO()
        if death:
            watched(death, log)
        app = importlib.import_module("mae_bench.cli").app
        code = int(app(list(words), standalone_mode=False) or 0)
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        os._exit(code)


def files(folder: Path) -> Iterator[Path]:
    """All of a folder."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def content(folder: Path) -> dict[str, bytes]:
    """What must not depend on a kill: tables and weights; of pictures that they are."""
    found = {}
    for path in files(folder):
        name = path.relative_to(folder).as_posix()
        if name.startswith(".") or "/." in name:
            continue  # half made; swept when nobody can be at it any more
        if path.suffix == ".csv":
            table = pd.read_csv(path, dtype=str, keep_default_na=False)
            kept = table.drop(columns=[*UNEVEN], errors="ignore")
            found[name] = kept.to_csv(index=False).encode()
        elif path.suffix in (".pt", ".svg", ".png", ".html"):
            found[name] = path.read_bytes() if path.suffix == ".pt" else b""
    return found


def finished(folder: Path) -> dict[str, int]:
    """Weights of cells whose training has ended, and when they were written."""
    return {
        path.parent.name: path.with_name("encoder.pt").stat().st_mtime_ns
        for path in folder.glob("store/cells/*/trained.json")
    }


def struck(
    words: Sequence[str],
    folder: Path,
    deaths: Iterator[Death],
    whole: dict[str, bytes],
    limit: int,
) -> Tally:
    """Kill a verb again and again, and let it end at last.

    A run whose every kill falls into the same work would never end: every eighth child
    is left alone.
    """
    tally, turns = Tally(), 0
    while tally.kills < limit:
        before = finished(folder)
        turns += 1
        code = verb(words, folder, next(deaths) if turns % 8 else None)
        tally.kills += code < 0
        if code not in (0, -signal.SIGKILL, -signal.SIGPROF):
            tally.lost.append(f"{words[0]} ended with {code}")
        after = finished(folder)
        again = [key for key, at in before.items() if after.get(key) != at]
        tally.lost += [f"cell {key} was trained again" for key in again]
        if code == 0:
            tally.lost += differing(content(folder), whole)
        if code == 0 and words[0] == "measure":
            shutil.rmtree(folder)
            folder.mkdir()
    if verb(words, folder):
        tally.lost.append(f"{words[0]} does not end")
    tally.lost += differing(content(folder), whole)
    return tally


def differing(found: dict[str, bytes], whole: dict[str, bytes]) -> list[str]:
    """Files that are not what they were to be."""
    names = found.keys() | whole.keys()
    return [
        f"{name} differs"
        for name in sorted(names)
        if found.get(name) != whole.get(name)
    ]


def draw(chance: random.Random, seconds: float, points: int) -> Iterator[Death]:
    """Deaths without end: by turns at a write and at a moment."""
    while True:
        power = chance.random() < 0.5
        yield Death(point=chance.randint(1, points), power=power)
        yield Death(seconds=chance.uniform(0.01, seconds), power=power)


def timed(act: Callable[[], int]) -> tuple[int, float]:
    """Exit code, and CPU seconds of the children."""
    begun = resource.getrusage(resource.RUSAGE_CHILDREN)
    code = act()
    end = resource.getrusage(resource.RUSAGE_CHILDREN)
    return code, end.ru_utime + end.ru_stime - begun.ru_utime - begun.ru_stime


def main() -> int:
    """Print a line a verb; exits with 1 if anything was lost."""
    parser = argparse.ArgumentParser(description="Kill a run, and look what is lost.")
    parser.add_argument("kills", nargs="?", type=int, default=60)
    parser.add_argument("--later", type=int, default=6, help="kills of later verbs")
    parser.add_argument("--seed", type=int, default=0)
    verbs = ("measure", *LATER)
    parser.add_argument("--only", nargs="*", default=verbs, choices=verbs)
    wish = parser.parse_args()
    for name in ("torch", "lightning", "matplotlib.pyplot", "seaborn", "sklearn"):
        importlib.import_module(name)
    registry = importlib.import_module("mae_bench.records.registry")
    for room in registry.ROOMS:
        registry.load_all(room)
    chance, lost = random.Random(wish.seed), 0
    with tempfile.TemporaryDirectory() as scratch:
        whole, killed = Path(scratch, "whole"), Path(scratch, "killed")
        whole.mkdir()
        killed.mkdir()
        for name, words in {"measure": MEASURE, **LATER}.items():
            code, seconds = timed(lambda w=words: verb(w, whole))  # type: ignore[misc]
            if code:
                sys.stderr.write(f"{name} ends with {code} undisturbed\n")
                return 2
            kills = wish.kills if name == "measure" else wish.later
            kills = kills if name in wish.only else 0
            deaths = draw(chance, seconds, 12 if name == "measure" else 6)
            tally = struck(words, killed, deaths, content(whole), kills)
            lost += len(tally.lost)
            sys.stdout.write(f"| {name} | {tally.kills} | {len(tally.lost)} |\n")
            sys.stdout.write("".join(f"{line}\n" for line in tally.lost[:10]))
            sys.stdout.flush()
    return int(lost > 0)


if __name__ == "__main__":
    sys.exit(main())
