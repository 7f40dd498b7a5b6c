"""Worlds and settings of one's own, in the place of an experiment's."""

from pathlib import Path

import pytest

from mae_bench.records import registry
from mae_bench.records.schema import UsageError
from mae_bench.records.store import Store
from mae_bench.runs.own import settled, worlds_of
from mae_bench.runs.plan import Plan, plan


def laid(folder: Path, *names: str, **wish: object) -> Plan:
    chosen = registry.load_all("experiments", names)
    given = {"tier": "smoke", "seeds": range(1), "store": Store(folder)}
    return plan(chosen, **given, **wish)  # type: ignore[arg-type]


def test_an_experiment_takes_a_world_in_the_place_of_its_own_if_it_may() -> None:
    board = registry.load("experiments", "leaderboard")

    def ids(named: list[str], *, takes: bool) -> list[str]:
        return [registry.id_of(w) for w in worlds_of(board, named, takes=takes)]

    every = [registry.id_of(world) for world in board.datasets]
    assert ids([], takes=True) == ids([], takes=False) == every
    assert ids(["digits", "patches"], takes=False) == ["digits"]
    assert ids(["digits", "patches"], takes=True) == ["digits", "patches"]
    assert ids(["patches"], takes=False) == []


def test_settings_are_those_of_all_cells_and_change_their_names(
    tmp_path: Path,
) -> None:
    wish = {"methods": ["mae", "pixels"], "datasets": ["gaussian_tree", "digits"]}
    plain = laid(tmp_path, "leaderboard", **wish)
    mine = laid(tmp_path, "leaderboard", **wish, settings=["steps=7", "depth=3"])
    assert plain.own == ()
    assert mine.own == ("method.depth=3", "method.steps=7")
    for task in mine.tasks.values():
        given = task.cell.method_settings
        assert (given["steps"], given.get("depth", 3)) == (7, 3)
    assert len(mine.tasks) == len(plain.tasks) == 4
    assert not mine.tasks.keys() & plain.tasks.keys()


def test_a_budget_that_is_longer_somewhere_is_what_was_asked_for(
    tmp_path: Path,
) -> None:
    found = laid(tmp_path, "real_images", settings=["steps=9"], methods=["mae"])
    assert {t.cell.method_settings["steps"] for t in found.tasks.values()} == {9}


def test_a_world_that_is_taken_is_one_of_ones_own(tmp_path: Path) -> None:
    wish = {"methods": ["mae"], "takes": True}
    found = laid(tmp_path, "leaderboard", "mask_ratio", datasets=["digits"], **wish)
    assert found.own == ("dataset=digits",)
    assert {cell.dataset for cell, _ in found.rows["mask_ratio"]} == {"digits"}
    assert laid(tmp_path, "leaderboard", datasets=["digits"], **wish).own == ()


def test_what_an_experiment_varies_is_not_set(tmp_path: Path) -> None:
    line = "mask_ratio is a factor of mask_ratio, which gives it several values"
    with pytest.raises(UsageError, match=line):
        laid(tmp_path, "leaderboard", "mask_ratio", settings=["mask_ratio=0.5"])


def test_only_what_is_run_can_be_set(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown setting 'temperature'"):
        laid(tmp_path, "leaderboard", methods=["mae"], settings=["temperature=1"])


def test_without_words_every_cell_is_as_it_was(tmp_path: Path) -> None:
    rows = laid(tmp_path, "symmetry").rows
    chosen = registry.load_all("experiments", ["symmetry"])
    assert settled(rows, (), chosen) == (rows, ())
