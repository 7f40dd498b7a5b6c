from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mae_bench.datasets.digits import Digits
from mae_bench.experiments import Experiment
from mae_bench.experiments._chosen import AT_EQUAL_COST, COLUMNS, LR, TABLE, Chosen
from mae_bench.experiments.leaderboard import LEADERBOARD
from mae_bench.experiments.leaderboard_at_cost import LEADERBOARD_AT_COST
from mae_bench.methods.mae import MAE
from mae_bench.methods.pixels import Pixels
from mae_bench.methods.simclr import SimCLR
from mae_bench.records.schema import TIERS, UsageError

SMOKE = TIERS["smoke"]
Write = Callable[..., Path]


@pytest.fixture
def table(tmp_path: Path) -> Write:
    """A table of some rows: dataset, method, tier, rate and steps."""

    def write(*rows: tuple[str, str, str, str, str]) -> Path:
        lines = [f"{d},{m},{t},{lr},loss,1,2,1,100,{s}" for d, m, t, lr, s in rows]
        path = tmp_path / "learning_rates.csv"
        path.write_text("\n".join([",".join(COLUMNS), *lines, ""]))
        return path

    return write


def board(path: Path, columns=LR, **changed) -> Experiment:
    methods = (MAE, SimCLR, Pixels)
    here = {"methods": methods, "chosen": Chosen(columns, path)}
    return replace(LEADERBOARD, **here | changed)


def settings(
    experiment: Experiment, tier: str = "smoke"
) -> dict[tuple[str, str], dict]:
    return {
        (cell.dataset, cell.method): dict(cell.method_settings)
        for cell, _ in experiment.cells(TIERS[tier], range(1))
    }


def test_rates_and_steps_are_those_of_the_world_method_and_tier(table: Write) -> None:
    path = table(
        ("digits", "mae", "smoke", "0.003", "12"),
        ("digits", "simclr", "smoke", "0.03", "4"),
        ("digits", "mae", "quick", "0.5", "7"),
    )
    own = settings(board(path, chosen=None))
    found = settings(board(path))
    assert found["digits", "mae"] == own["digits", "mae"] | {"lr": 0.003}
    assert found["digits", "simclr"] == own["digits", "simclr"] | {"lr": 0.03}
    # What does not train has no rate to be chosen, and the tree is not in the table.
    for key in found.keys() - {("digits", "mae"), ("digits", "simclr")}:
        assert found[key] == own[key]
    cheap = settings(board(path, AT_EQUAL_COST))["digits", "simclr"]
    assert cheap == own["digits", "simclr"] | {"lr": 0.03, "steps": 4}


def test_a_factor_is_above_it_and_a_budget_below(table: Write) -> None:
    path = table(
        ("digits", "mae", "smoke", "0.003", "12"),
        ("digits", "simclr", "smoke", "0.03", "4"),
    )
    below = board(path, budgets={"smoke": {"lr": 0.5}})
    assert settings(below)["digits", "mae"]["lr"] == 0.003
    assert settings(below)["gaussian_tree", "mae"]["lr"] == 0.5
    above = board(path, factors={"lr": (0.25,)})
    assert settings(above)["digits", "mae"]["lr"] == 0.25


def test_a_method_that_trains_and_is_missing_from_its_world_is_a_line(
    table: Write,
) -> None:
    path = table(("digits", "mae", "smoke", "0.003", ""))
    with pytest.raises(
        UsageError, match="simclr has no lr on digits, tier smoke"
    ) as no:
        settings(board(path))
    assert "mae-bench tune" in str(no.value)
    assert "\n" not in str(no.value)
    assert settings(board(path), "quick") == settings(board(path, chosen=None), "quick")
    # Nobody is asked for what is not run.
    ((cell, _),) = board(path, datasets=(Digits,)).cells(
        SMOKE, range(1), methods=["mae"]
    )
    assert cell.method_settings["lr"] == 0.003
    with pytest.raises(UsageError, match="mae has no steps_at_equal_cost on digits"):
        settings(board(path, AT_EQUAL_COST))


def test_what_is_written_anew_is_read_anew_and_another_table_is_refused(
    table: Write,
) -> None:
    rates = []
    for lr in ("0.003", "0.01"):
        path = table(("digits", "mae", "smoke", lr, "12"))
        rates.append(Chosen(LR, path)("digits", "mae", "smoke"))
    assert rates == [{"lr": 0.003}, {"lr": 0.01}]
    path.write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match="is no table of dataset, method"):
        Chosen(LR, path)("digits", "mae", "smoke")


@pytest.mark.parametrize("experiment", [LEADERBOARD, LEADERBOARD_AT_COST])
def test_with_an_empty_table_cells_keep_their_keys(
    experiment: Experiment, table: Write
) -> None:
    empty = replace(experiment, chosen=replace(experiment.chosen, path=table()))
    without = replace(LEADERBOARD, chosen=None, datasets=experiment.datasets)
    for tier in TIERS.values():
        keys = [[c.key for c, _ in e.cells(tier, range(2))] for e in (empty, without)]
        assert keys[0] == keys[1]


def test_the_table_that_is_there_can_be_read() -> None:
    assert TABLE.read_text().startswith(",".join(COLUMNS) + "\n")
    assert Chosen(AT_EQUAL_COST)("nowhere", "mae", "quick") == {}
