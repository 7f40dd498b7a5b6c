"""How well forecasts order synthetic grids, over seeds and world by world."""

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mae_bench.verdicts import forecast as verb
from mae_bench.verdicts.forecast import (
    ORDERS,
    Skill,
    forecast_skill,
    forecast_skills,
    of_theories,
    table,
    tau_b,
)


def test_forecast_skill_is_the_rank_correlation_over_the_grid(forecast, measured):
    rows = {"mask_ratio": measured([0, 1, 2, 3, 4])}
    skill = forecast_skill(forecast(lambda f: f["mask_ratio"]), rows)
    assert skill[:3] == pytest.approx((1, 1, 1))
    assert (skill.worlds, skill.coverage, skill.points) == ("world 1", 1.0, 5)
    assert forecast_skill(forecast(lambda f: -f["mask_ratio"]), rows)[0] < -0.999
    swapped = {0.1: 1, 0.25: 0, 0.5: 2, 0.75: 3, 0.9: 4}
    skill = forecast_skill(forecast(lambda f: swapped[f["mask_ratio"]]), rows)
    assert skill[0] == pytest.approx(0.8)  # 9 of 10 pairs


def test_a_constant_forecast_and_an_empty_grid_have_no_skill(forecast, measured):
    rows = {"mask_ratio": measured([0, 1, 2, 3, 4])}
    constant = forecast_skill(forecast(lambda _: 0.0), rows)
    assert np.isnan(constant[:6]).all()
    assert constant[6:] == (0, 0.0, "")
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


def test_scores_that_rounding_alone_tells_apart_are_ties(forecast, measured):
    rows = {"mask_ratio": measured([0, 1, 2, 3, 4])}
    noise = {0.1: 1e-16, 0.25: -2e-17, 0.5: 5.0, 0.75: 5.0 + 1e-15, 0.9: 5.0}
    skill = forecast_skill(forecast(lambda f: noise[f["mask_ratio"]]), rows)
    assert skill.skill == pytest.approx(6 / math.sqrt(6 * 10))
    same = forecast_skill(forecast(lambda f: 0.7 + 1e-16 * f["mask_ratio"]), rows)
    assert same.points == 0


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


def test_a_point_that_no_seed_could_measure_leaves_no_seed(forecast, measured):
    rows = measured([0, 1, 2, 3, math.nan])
    skill = forecast_skill(forecast(lambda f: f["mask_ratio"]), {"mask_ratio": rows})
    assert math.isnan(skill.skill)
    assert skill.points == 5


def test_tau_b_of_many_orders_is_scipys_of_each_with_ties_on_both_sides() -> None:
    rng = np.random.default_rng(3)
    scores, values = (rng.integers(0, 4, n).astype(float) for n in (12, (12, 3)))
    values[:, 2] = 1.0
    orders = rng.random((6, 12)).argsort(1)
    found = tau_b(scores, values, orders)
    for order, row in zip(orders, found, strict=True):
        for column, tau in zip(values.T[:2], row, strict=False):
            expected = stats.kendalltau(scores[order], column).statistic
            assert tau == pytest.approx(expected, abs=1e-12)
    assert (found[:, 2] == 0).all()


N = 24
GRID = SimpleNamespace(id="grid", factors={"point": tuple(range(N))})


def worlds(heights: np.ndarray, seeds: int = 3) -> pd.DataFrame:
    """Rows of some worlds, their points at the given heights, with noise of 0.3."""
    noise = np.random.default_rng(1).normal(0, 0.3, (*heights.shape, seeds))
    rows = [
        {"dataset": f"world_{w}", "point": point, "seed": seed, "metric": "mcc"}
        | {"value": heights[w, point] + noise[w, point, seed], "status": "ok"}
        | {"tier": "planted", "reason": "", "cell": f"{w}/{point}/{seed}"}
        for w, point, seed in np.ndindex(*noise.shape)
    ]
    return pd.DataFrame(rows)


def said(scores: np.ndarray) -> SimpleNamespace:
    """A forecast with scores of its own in each world."""
    return SimpleNamespace(
        experiment=GRID,
        metric=SimpleNamespace(id="mcc"),
        where={},
        score=lambda f: scores[int(f["dataset"][-1]), f["point"]],
    )


@pytest.mark.parametrize("of_each_world", [False, True])
def test_p_is_uniform_for_random_scores_even_if_worlds_and_seeds_are_alike(
    of_each_world: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verb, "ORDERS", 199)
    # The worlds have one and the same picture, which scores of the points alone hit,
    # or miss, three times at once.
    rng = np.random.default_rng(2)
    rows = {"grid": worlds(np.tile(rng.standard_normal(N), (3, 1)), seeds=1)}
    shape = (3, N) if of_each_world else (1, N)
    drawn = (np.broadcast_to(rng.standard_normal(shape), (3, N)) for _ in range(100))
    p = [forecast_skill(said(scores), rows).p_value for scores in drawn]
    assert stats.kstest(p, "uniform").pvalue > 0.01
    # Chance of its own in each world would call a third of these extreme.
    assert sum(not 0.05 < x < 0.95 for x in p) < 20
    assert 0 < min(p) < 0.1
    assert max(p) <= 1


def test_p_is_least_for_the_truth_and_largest_for_its_reverse() -> None:
    heights = np.random.default_rng(4).standard_normal((2, N))
    rows = {"grid": worlds(heights)}
    true, reverse = (forecast_skill(said(s), rows) for s in (heights, -heights))
    assert true.p_value == 1 / (ORDERS + 1)
    assert reverse.p_value == 1
    assert true.null_low < 0 < true.null_high < true.skill
    # Of 24 points chance reaches less than of 9 (0.4 to 0.5).
    assert true.null_high < 0.25


def test_the_same_rows_give_the_same_p() -> None:
    rng = np.random.default_rng(5)
    rows, scores = worlds(rng.standard_normal((2, N))), rng.standard_normal((2, N))
    first, again = (
        forecast_skills(said(scores), {"grid": r})
        for r in (rows, rows.sample(frac=1, random_state=0))
    )
    assert first == again
    assert list(first) == ["world_0", "world_1", "mean"]


def test_every_forecast_of_a_theory_has_a_row_a_world_and_one_of_their_mean():
    heights = np.random.default_rng(6).standard_normal((2, N))
    elsewhere = said(heights)
    elsewhere.experiment = SimpleNamespace(id="elsewhere", factors={})
    theories = {
        "silent": SimpleNamespace(forecasts=()),
        "says": SimpleNamespace(forecasts=(elsewhere, said(heights))),
    }
    found = table(of_theories(theories, {"grid": worlds(heights)}))
    assert found["world"].tolist() == ["world_0", "world_1", "mean"]
    assert set(found["theory"]) == {"says"}
    assert set(found["forecast_of"]) == {"grid"}
    assert found["points"].tolist() == [N, N, 2 * N]
    assert list(found) == ["theory", "forecast_of", "world", *Skill._fields[:-1]]
    assert table(of_theories({}, {})).empty
