"""Every cell has its share, and one alone, the same wherever it is asked for."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from mae_bench.experiments import asked_for
from mae_bench.records.schema import Cell, UsageError
from mae_bench.records.store import Untouched
from mae_bench.runs.plan import Plan, plan, way
from mae_bench.runs.shards import _SCORING, Shard, _training, deal, shard_of, share


@cache
def grid(*names: str, seeds: int = 2, **filters: tuple[str, ...]) -> Plan:
    store = Untouched(Path("nowhere"))
    asked = asked_for([*names])
    return plan(asked, tier="smoke", seeds=range(seeds), store=store, **filters)


@cache
def cells() -> dict[str, tuple[Cell, str]]:
    """Key -> cell and its way."""
    names, worlds = ("leaderboard", "learning_curves"), ("gaussian_tree", "digits")
    tasks = grid(*names, datasets=worlds).tasks
    return {key: (task.cell, way(task.cell)) for key, task in tasks.items()}


def cost(keys: set[str]) -> float:
    """As a machine has it that trains them all."""
    ways: dict[str, float] = {}
    for cell, along in map(cells().__getitem__, keys):
        ways[along] = max(ways.get(along, 0.0), _training(cell))
    return sum(ways.values()) + _SCORING * len(keys)


@pytest.mark.parametrize("shares", range(1, 41))
def test_shares_are_disjoint_and_complete_and_of_like_cost(shares: int) -> None:
    dealt = deal([cell for cell, _ in cells().values()], shares)
    assert len(dealt) == shares
    assert sorted(key for keys in dealt for key in keys) == sorted(cells())
    costs = [cost(keys) for keys in dealt]
    assert max(costs) - min(costs) <= dearest()


@cache
def dearest() -> float:
    """Of what is not parted."""
    ways: dict[str, set[str]] = {}
    for key, (_, along) in cells().items():
        ways.setdefault(along, set()).add(key)
    return max(map(cost, ways.values()))


def test_it_lies_in_the_cells_alone() -> None:
    cells = [
        task.cell
        for task in grid("leaderboard", seeds=1, datasets=("digits",)).tasks.values()
    ]
    again = [replace(cell) for cell in reversed(cells)]
    assert deal(cells, 7) == deal(again, 7)


def test_what_lies_on_one_way_is_done_by_one_machine() -> None:
    tasks = grid("learning_curves", seeds=1, datasets=("mnist",)).tasks
    ways = {key: way(task.cell) for key, task in tasks.items()}
    for keys in deal([task.cell for task in tasks.values()], 5):
        mine = {ways[key] for key in keys}
        assert not mine & {along for key, along in ways.items() if key not in keys}


def test_a_share_has_its_cells_of_every_experiment() -> None:
    whole = grid("leaderboard", "mask_ratio", datasets=("gaussian_tree",))
    parts = [share(whole, Shard(number, 3)) for number in (1, 2, 3)]
    assert {k for part in parts for k in part.tasks} == set(whole.tasks)
    for name, placed in whole.rows.items():
        found = [cell.key for part in parts for cell, _ in part.rows.get(name, [])]
        assert sorted(found) == sorted(cell.key for cell, _ in placed)
    for part in parts:
        assert all(part.rows.values()), "an experiment without cells has no file"
        assert part.wanted == {name: whole.wanted[name] for name in part.rows}


def test_there_may_be_more_shares_than_cells() -> None:
    whole = grid("leaderboard", seeds=1, datasets=("digits",), methods=("mae",))
    assert len(whole.tasks) == 1
    empty = [share(whole, Shard(number, 3)) for number in (1, 2, 3)]
    assert sorted(len(part.tasks) for part in empty) == [0, 0, 1]


@pytest.mark.parametrize("word", ["5/4", "0/4", "1", "a/b", "1/0", "-1/3", "1/2/3", ""])
def test_a_share_that_there_is_not_is_named(word: str) -> None:
    with pytest.raises(UsageError, match=r"no such share; say 1/\d+ to"):
        shard_of(word)
