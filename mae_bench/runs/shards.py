"""A share of a plan, for each of several machines that share nothing.

Who takes what follows from the cells alone, never from what is measured already, so
that every machine that is asked the same comes to the same shares. Cells on one way of
training stay together; like cells are dealt in turn, the dearest first, each to the
share that has least.
"""

from __future__ import annotations

import csv
import heapq
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from statistics import fmean

from mae_bench.experiments._chosen import TABLE
from mae_bench.records.schema import Cell, UsageError
from mae_bench.runs.plan import Plan, way

# What measuring a cell costs, in steps of MAE.
_SCORING = 500.0


@dataclass(frozen=True)
class Shard:
    """One share of several.

    Args:
        number: Which, from 1.
        of: How many there are.
    """

    number: int
    of: int

    def __str__(self) -> str:
        """As it is asked for."""
        return f"{self.number}/{self.of}"


def shard_of(word: str) -> Shard:
    """The share that a word asks for.

    >>> shard_of("2/4")
    Shard(number=2, of=4)

    Raises:
        UsageError: There is no such share.
    """
    said = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", word)
    if said and 1 <= int(said[1]) <= int(said[2]):
        return Shard(int(said[1]), int(said[2]))
    last = max(1, int(said[2])) if said else 4
    raise UsageError(f"--shard {word}: no such share; say 1/{last} to {last}/{last}")


def share(plan: Plan, shard: Shard) -> Plan:
    """What one shard is to measure of a plan."""
    mine = deal([task.cell for task in plan.tasks.values()], shard.of)
    keys = mine[shard.number - 1]
    rows = {
        name: kept
        for name, placed in plan.rows.items()
        if (kept := [(cell, at) for cell, at in placed if cell.key in keys])
    }
    return Plan(
        rows=rows,
        wanted={name: plan.wanted[name] for name in rows},
        tasks={key: task for key, task in plan.tasks.items() if key in keys},
        own=plan.own,
    )


def deal(cells: Iterable[Cell], shares: int) -> list[set[str]]:
    """Keys of cells, in shares of about the same cost; each cell in one of them."""
    ways: dict[str, list[Cell]] = {}
    for cell in cells:
        ways.setdefault(way(cell), []).append(cell)
    turns = []
    for name, along in ways.items():
        # The longest passes the ends of the others.
        cost = max(map(_training, along)) + _SCORING * len(along)
        turns.append((-cost, along[0].dataset, along[0].method, name))
    dealt: list[set[str]] = [set() for _ in range(shares)]
    least = [(0.0, number) for number in range(shares)]
    for price, _, _, name in sorted(turns):
        load, number = heapq.heappop(least)
        dealt[number].update(cell.key for cell in ways[name])
        heapq.heappush(least, (load - price, number))
    return dealt


def _training(cell: Cell) -> float:
    """What a training costs, in steps of MAE."""
    given = cell.method_settings
    steps, stop = given.get("steps", 0), given.get("stop", 1.0)
    assert isinstance(steps, int)
    assert isinstance(stop, int | float)
    return steps * stop * _paces().get(cell.method, 1.0)


@cache
def _paces() -> dict[str, float]:
    """Method -> the cost of its step, where that of MAE is 1; as trials counted it."""
    with TABLE.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["flops_step"]]
    of_mae = {
        (row["dataset"], row["tier"]): float(row["flops_step"])
        for row in rows
        if row["method"] == "mae"
    }
    found: dict[str, list[float]] = {}
    for row in rows:
        world = row["dataset"], row["tier"]
        if world in of_mae:
            pace = float(row["flops_step"]) / of_mae[world]
            found.setdefault(row["method"], []).append(pace)
    return {method: fmean(paces) for method, paces in found.items()}
