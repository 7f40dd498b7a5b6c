"""How well forecasts order synthetic grids, over seeds and world by world."""

import math

import numpy as np
import pandas as pd
import pytest

from mae_bench.verdicts.forecast import forecast_skill


def test_forecast_skill_is_the_rank_correlation_over_the_grid(forecast, measured):
    rows = {"mask_ratio": measured([0, 1, 2, 3, 4])}
    skill = forecast_skill(forecast(lambda f: f["mask_ratio"]), rows)
    assert skill[:3] == pytest.approx((1, 1, 1))
    assert skill[3:] == ("world 1", 1.0)
    assert forecast_skill(forecast(lambda f: -f["mask_ratio"]), rows)[0] < -0.999
    swapped = {0.1: 1, 0.25: 0, 0.5: 2, 0.75: 3, 0.9: 4}
    skill = forecast_skill(forecast(lambda f: swapped[f["mask_ratio"]]), rows)
    assert skill[0] == pytest.approx(0.8)  # 9 of 10 pairs


def test_a_constant_forecast_and_an_empty_grid_have_no_skill(forecast, measured):
    rows = {"mask_ratio": measured([0, 1, 2, 3, 4])}
    constant = forecast_skill(forecast(lambda _: 0.0), rows)
    assert np.isnan(constant[:3]).all()
    assert constant[3:] == ("", 0.0)
    nothing = forecast_skill(forecast(lambda _: 0.0), {})
    assert math.isnan(nothing.skill)
    assert math.isnan(nothing.coverage)


def test_each_world_is_ordered_apart_and_counts_alike(forecast, measured):
    # Between the worlds the order is wrong; within each it is right, or half so.
    rows = pd.concat(
        [
            measured([9, 10, 11, 12, 13], dataset="digits"),
            measured([1, 0, 2, 3, 4], dataset="tree"),
        ]
    )
    skill = forecast_skill(
        forecast(lambda f: f["mask_ratio"] + 100 * (f["dataset"] == "tree")),
        {"mask_ratio": rows},
    )
    assert skill.skill == pytest.approx(0.9)
    assert skill.worlds == "digits 1; tree 0.8"


def test_what_a_theory_does_not_say_is_left_out_and_counts_in_coverage(
    forecast, measured
):
    rows = pd.concat([measured([0, 1, 2, 4, 3], dataset=d) for d in ("a", "b", "c")])
    said = {"a": lambda r: r if r < 0.9 else None, "b": lambda _: None}
    skill = forecast_skill(
        forecast(lambda f: said.get(f["dataset"], lambda _: 1.0)(f["mask_ratio"])),
        {"mask_ratio": rows},
    )
    assert skill[:3] == pytest.approx((1, 1, 1))
    assert skill.worlds == "a 1"
    assert skill.coverage == pytest.approx(4 / 15)  # c is not told apart


def test_ties_of_the_forecast_are_tau_b(forecast, measured):
    rows = {"mask_ratio": measured([0, 1, 2, 3, 4])}
    skill = forecast_skill(forecast(lambda f: f["mask_ratio"] > 0.3), rows)
    assert skill.skill == pytest.approx(6 / math.sqrt(6 * 10))


def test_what_does_not_move_has_not_followed(forecast, measured):
    rows = {"mask_ratio": measured([1, 1, 1, 1, 1], noise=0)}
    assert forecast_skill(forecast(lambda f: f["mask_ratio"]), rows).skill == 0


def test_a_forecast_is_given_the_experiments_own_values(forecast, measured):
    seen = []
    rows = measured([0, 1, 2, 3, 4], seeds=1)
    rows.loc[0, "depth"] = math.nan
    forecast_skill(
        forecast(lambda f: seen.append(dict(f)) or f["mask_ratio"]),
        {"mask_ratio": rows},
    )
    assert [f["depth"] for f in seen] == [None, 1, 1, 1, 1]
    assert isinstance(seen[1]["depth"], int)
    assert {f["dataset"] for f in seen} == {"world"}


def test_a_forecast_leaves_out_seeds_without_the_whole_grid(forecast, measured):
    rows = measured([0, 1, 2, 3, 4], noise=0)
    rows.loc[rows.seed == 1, "value"] *= -1
    skewed = forecast_skill(forecast(lambda f: f["mask_ratio"]), {"mask_ratio": rows})
    holed = rows.copy()
    failed = (rows.seed == 1) & (rows.mask_ratio == 0.5)
    holed.loc[failed, ["metric", "token", "value", "status"]] = [
        "",
        "",
        math.nan,
        "diverged",
    ]
    whole = forecast_skill(forecast(lambda f: f["mask_ratio"]), {"mask_ratio": holed})
    assert skewed[0] == pytest.approx(0.6)
    assert whole[:3] == pytest.approx((1, 1, 1))
