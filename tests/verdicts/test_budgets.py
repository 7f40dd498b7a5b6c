"""The headline of labels on other budgets, from synthetic rows."""

import math

import pandas as pd
import pytest

from mae_bench.experiments.learning_curves import LEARNING_CURVES
from mae_bench.verdicts.budgets import AT_COST, ON_THE_WAY, at_cost, on_the_way
from mae_bench.verdicts.rank import rank

LINEAR, ATTENTIVE = ("linear_probe", "mean"), ("attentive_probe", "patches")


def probed(method, read, test, val=None, seeds=5, **columns):
    """Rows of a read-out, of test images and of validation images."""
    metric, token = read
    ends = {"": test, "/shuffled": 0.1} | ({} if val is None else {"/val": val})
    return [
        {
            "dataset": "mnist",
            "method": method,
            "seed": seed,
            "metric": metric,
            "view": "unmasked",
            "token": token + end,
            "target": "",
            "value": value + seed / 1000,
            "status": "ok",
            "cell": f"{method}/{seed}/{columns}",
        }
        | columns
        for seed in range(seeds)
        for end, value in ends.items()
    ]


def test_the_shares_of_the_steps_are_the_experiments_but_for_all() -> None:
    assert (*ON_THE_WAY, 1.0) == LEARNING_CURVES.factors["stop"]


def test_at_equal_cost_a_method_is_read_by_its_best_there() -> None:
    steps = [
        *probed("mae", LINEAR, 0.8, 0.8),
        *probed("mae", ATTENTIVE, 0.9, 0.7),
        *probed("simclr", LINEAR, 0.85, 0.85),
    ]
    cheap = [
        *probed("mae", LINEAR, 0.8, 0.6),
        *probed("mae", ATTENTIVE, 0.9, 0.7),
        *probed("u_mae", LINEAR, 0.5, 0.5),
        *probed("simclr", LINEAR, 0.7, 0.7),
        *probed("random_init", LINEAR, 0.3, 0.3),
    ]
    rows = {"leaderboard": steps, "leaderboard_at_cost": cheap}
    by = rank({k: pd.DataFrame(v) for k, v in rows.items()}).set_index("method")
    assert by.loc["mae", "label_probe"] == pytest.approx(0.802)
    assert by.loc["mae", "label_probe_at_cost"] == pytest.approx(0.902)
    assert by.loc["simclr", "label_probe_at_cost"] == pytest.approx(0.702)
    assert by.loc["mae", "label_probe_at_cost_floor"] == pytest.approx(0.302)
    assert by.loc["mae", "label_probe_at_cost_chance"] == pytest.approx(0.102)
    assert by.loc["mae", "label_probe_at_cost_n_seeds"] == 5
    # A rival in the track, though it is at equal cost alone; synthetic seeds tie.
    assert by.loc["mae", "label_probe_at_cost_rank_worst"] == 2
    assert "u_mae" not in by.index
    assert at_cost(pd.DataFrame(cheap))["metric"].unique() == [AT_COST.metric]


def test_a_curve_is_of_the_read_out_at_the_end() -> None:
    whole = [*probed("mae", LINEAR, 0.8, 0.8), *probed("mae", ATTENTIVE, 0.9, 0.7)]
    curves = [
        row
        for stop, value in ((0.125, 0.2), (0.25, 0.4), (0.5, 0.6), (1.0, 0.8))
        for row in (
            *probed("mae", LINEAR, value, value, stop=stop),
            # It would be chosen on the way.
            *probed("mae", ATTENTIVE, value, 0.99, stop=stop),
        )
    ]
    lost = {"value": math.nan, "status": "diverged", "metric": "", "token": ""}
    curves.append(curves[0] | lost | {"seed": 7})
    found = on_the_way(pd.DataFrame(curves), {"mae": "linear mean"})
    wanted = {"at_1_8": 0.202, "at_1_4": 0.402, "at_1_2": 0.602}
    wanted = {f"label_probe_{k}": pytest.approx(v) for k, v in wanted.items()}
    assert found == {"mae": wanted}
    rows = {"leaderboard": whole, "learning_curves": curves}
    (board,) = rank({k: pd.DataFrame(v) for k, v in rows.items()}).to_dict("records")
    assert {name: board[name] for name in ON_THE_WAY.values()} == wanted


def test_without_curves_there_are_no_numbers() -> None:
    (board,) = rank(
        {"leaderboard": pd.DataFrame(probed("mae", LINEAR, 0.8, 0.8))}
    ).to_dict("records")
    assert all(math.isnan(board[name]) for name in ON_THE_WAY.values())
    assert math.isnan(board["label_probe_at_cost"])
