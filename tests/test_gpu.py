"""The GPU's command says on a CPU, of tiny sizes, all that it would say of a GPU."""

import copy
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import torch

from benchmarks import gpu, parity
from benchmarks.gpu import Row, answers, held
from benchmarks.parity import SameDraws, apart, method_apart
from tests.emulated import Stream

PARTS = ("speed", "ensemble", "share", "waits")


def test_every_part_has_its_rows_and_the_goals_are_asked(tmp_path: Path) -> None:
    gpu.main(["--device", "cpu", "--parts", *PARTS, "--output", str(tmp_path)])
    (path,) = tmp_path.iterdir()
    table = pd.read_csv(path).set_index("part")
    assert set(table.index) == set(PARTS)
    lost = table[table["value"].isna()]
    assert list(lost["reason"]) == ["of a GPU alone"]
    assert set(table.loc[table["goal"].notna(), "holds"].dropna()) <= {"yes", "no"}
    speed = table.loc["speed"].set_index(["name", "unit"])["value"]
    assert 0 < speed["ViT-B/16, ours", "share of the measured peak"] < 1
    assert speed["S, plain", "images a second"] > 0
    shares = table.loc["share", "value"]
    assert len(shares) == 4
    assert shares.between(-0.5, 1).all()
    assert len(table.loc["ensemble"]) == 4
    assert table["tiny"].all()


@pytest.mark.parametrize("name", ["mae", "byol", "r2_mae", "linear_mae"])
def test_a_method_is_where_it_is_but_for_rounding(name: str) -> None:
    (row,) = gpu.alike(method_apart, name, "cpu")
    assert row.value < 1e-5
    assert row.holds == "yes"


def test_a_device_that_computes_otherwise_is_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    moved = SimpleNamespace(deepcopy=_moved)
    monkeypatch.setattr(parity, "copy", moved)
    (row,) = gpu.alike(method_apart, "mae", "cpu")
    assert row.value > gpu.TOLERANCE
    assert row.holds == "no"


def _moved(method: torch.nn.Module) -> torch.nn.Module:
    found = copy.deepcopy(method)
    with torch.no_grad():
        for weight in method.parameters():
            weight.mul_(1.01)
    return found


def test_numbers_that_one_side_lacks_are_infinitely_apart() -> None:
    assert apart({"a": 1.0}, {}) == float("inf")
    assert apart({"a": float("nan")}, {"a": float("nan")}) == 0
    assert apart({"a": 1e-9}, {"a": 2e-9}) == pytest.approx(1e-9)


def test_draws_of_another_device_are_those_of_the_cpu() -> None:
    there, here = Stream("cuda").manual_seed(5), torch.Generator().manual_seed(5)
    draws = SameDraws()
    twin = draws.twin(there)
    assert draws.twin(there) is twin
    assert torch.equal(torch.rand(3, generator=twin), torch.rand(3, generator=here))
    with draws:  # the CPU's own are left alone
        one = torch.rand(3, generator=torch.Generator().manual_seed(1))
    assert torch.equal(one, torch.rand(3, generator=torch.Generator().manual_seed(1)))


def test_time_and_errors_cost_their_own_question(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fine() -> Iterator[Row]:
        yield Row("speed", "a", 1.0, "s")

    def bad() -> Iterator[Row]:
        raise RuntimeError("out\nof memory")
        yield

    found = answers([("speed", "b", bad), ("speed", "a", fine)], 1.0)
    assert [row.reason for row in found] == ["RuntimeError: out of memory", ""]
    found = answers([("speed", "a", fine)], -1.0)
    assert found[0].reason == "no time was left"
    monkeypatch.undo()


def test_a_goal_is_met_from_its_side() -> None:
    row = Row("waits", "a", 1.0, "n", 0.0)
    assert held(row).holds == "yes"
    assert held(row, at_most=True).holds == "no"
