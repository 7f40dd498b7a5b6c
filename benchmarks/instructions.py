"""What a training step costs a CPU, in instructions: one run decides, busy or not.

``python -m benchmarks.instructions`` counts two processes that differ in their number
of steps alone, by ``perf stat`` where the kernel counts and by valgrind elsewhere; the
difference is of steps, for both start alike. ``--against FILE`` holds it against an
earlier count, and exits with 1 where a step costs over 1 % more.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

FEWER, MORE = 2, 12
MARGIN = 0.01
# One thread; sets and dicts in one order; no file of bytecode is written or missed.
ALIKE = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
ALIKE |= {"PYTHONDONTWRITEBYTECODE": "1"}
CELLS = ("S", "M")
COLUMNS = ("cell", "tool", "instructions_a_step", "versions", "device")

Count = Callable[[Sequence[str]], int]


class NoCounter(RuntimeError):
    """Neither perf nor valgrind counts instructions here."""


def by_perf(command: Sequence[str]) -> int:
    """Instructions of a process, counted by the processor.

    Raises:
        NoCounter: The kernel or the processor does not count.
    """
    with tempfile.NamedTemporaryFile("r", suffix=".csv") as told:
        call = ["perf", "stat", "-x,", "-e", "instructions:u", "-o", told.name]
        _run([*call, "--", *command])
        return perf_count(told.read())


def perf_count(text: str) -> int:
    """What ``perf stat -x,`` told.

    Raises:
        NoCounter: It counted nothing.
    """
    found = re.search(r"^(\d+),[^,\n]*,instructions", text, re.MULTILINE)
    if not found:
        raise NoCounter("perf counts no instructions here")
    return int(found[1])


def by_valgrind(command: Sequence[str]) -> int:
    """Instructions of a process, which valgrind emulates some 30 times as slowly.

    Raises:
        NoCounter: It said no number.
    """
    call = ["valgrind", "--tool=cachegrind", "--cache-sim=no"]
    call += ["--cachegrind-out-file=/dev/null"]
    return valgrind_count(_run([*call, *command]))


def valgrind_count(text: str) -> int:
    """What cachegrind told.

    Raises:
        NoCounter: It said no number.
    """
    found = re.search(r"I\s+refs:\s+([\d,]+)", text)
    if not found:
        raise NoCounter("valgrind told no number of instructions")
    return int(found[1].replace(",", ""))


def _run(command: Sequence[str]) -> str:
    """What it says on stderr."""
    words = [*command]
    try:
        done = subprocess.run(  # noqa: S603 (our own words)
            words, env=os.environ | ALIKE, capture_output=True, text=True, check=True
        )
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or [""])[-1]
        raise NoCounter(f"{words[0]} failed: {last}") from error
    return done.stderr


def counter() -> tuple[str, Count]:
    """Who counts here.

    Raises:
        NoCounter: Nobody does.
    """
    if shutil.which("perf"):
        try:
            by_perf([sys.executable, "-S", "-c", ""])
        except NoCounter:
            pass
        else:
            return "perf", by_perf
    if shutil.which("valgrind"):
        return "valgrind", by_valgrind
    raise NoCounter("nobody counts instructions here; install perf or valgrind")


def a_step(cell: str, count: Count) -> float:
    """Instructions of one step of a cell."""
    fewer, more = (
        count([sys.executable, "-m", "benchmarks.instructions", cell, str(steps)])
        for steps in (FEWER, MORE)
    )
    return (more - fewer) / (MORE - FEWER)


def take(cell: str, steps: int) -> None:
    """So many steps of our MAE: what is counted."""
    import torch

    from benchmarks.versus_plain import SIZES, ours

    torch.set_num_threads(1)
    ours(SIZES[cell], "cpu")(steps)


def compared(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Of each cell that both have, by one tool: its ratio, and whether it is worse."""
    both = before.merge(after, on=["cell", "tool"], suffixes=("_before", "_after"))
    ratio = both["instructions_a_step_after"] / both["instructions_a_step_before"]
    found = both[["cell", "tool"]].assign(ratio=ratio)
    found["verdict"] = [
        "worse" if r > 1 + MARGIN else "better" if r < 1 - MARGIN else "same"
        for r in ratio
    ]
    return found


def main(arguments: list[str] | None = None) -> int:
    """Count, write and compare."""
    from mae_bench.records.rows import write_table
    from mae_bench.runs import provenance

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", nargs="+", default=["S"], choices=CELLS)
    parser.add_argument("--output", type=Path, help="a CSV to write")
    parser.add_argument("--against", type=Path, help="an earlier one")
    wanted = parser.parse_args(arguments)
    tool, count = counter()
    rows: list[dict[str, Any]] = [
        {"cell": cell, "tool": tool, "instructions_a_step": a_step(cell, count)}
        for cell in wanted.cells
    ]
    table = pd.DataFrame(rows).assign(**provenance.machine("cpu"))
    print(table.iloc[:, :3].to_string(index=False))  # noqa: T201 (a script)
    if wanted.output is not None:
        write_table(table, wanted.output)
    if wanted.against is None:
        return 0
    found = compared(pd.read_csv(wanted.against), table)
    print(found.to_string(index=False))  # noqa: T201 (a script)
    return int((found["verdict"] == "worse").any())


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] in CELLS:
        take(sys.argv[1], int(sys.argv[2]))
    else:
        sys.exit(main())
