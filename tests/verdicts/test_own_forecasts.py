from itertools import product

import pandas as pd
import pytest

from mae_bench.experiments.mask_unit_by_patch_size import MASK_UNIT_BY_PATCH_SIZE
from mae_bench.records import registry
from mae_bench.records.own_rows import own_rows
from mae_bench.verdicts.applying import Asked
from mae_bench.verdicts.own_forecasts import judge_own_forecasts

RATIOS = (0.25, 0.5, 0.75)


@pytest.fixture(scope="module")
def theories():
    return registry.load_all("theories", ["visible_share", "average_distance"])


def grid(by_ratio, by_unit=0.0, ratios=RATIOS, **columns):
    points = product(range(4), ratios, (2, 4))
    rows = [
        {
            "seed": seed,
            "mask_ratio": ratio,
            "mask_unit": unit,
            "patch_size": 2,
            "metric": "linear_probe",
            "value": by_ratio * ratio + by_unit * unit + seed / 1000,
            **columns,
        }
        for seed, ratio, unit in points
    ]
    return pd.DataFrame(rows)


def judged(theories, rows):
    found = judge_own_forecasts(theories, own_rows(rows), Asked(theories))
    of_grid = found[found["forecast_of"] == MASK_UNIT_BY_PATCH_SIZE.id]
    return found, of_grid.set_index("theory")


def test_the_theory_that_knows_the_order_is_first(theories) -> None:
    found, on = judged(theories, grid(-1, -0.01))
    assert found["theory"].iloc[0] == "visible_share"
    assert on.loc["visible_share", "skill"] > 0.8
    assert on.loc["visible_share", "p_value"] < 0.05
    assert on.loc["visible_share", "points"] == 6
    assert on.loc["visible_share", "low"] <= on.loc["visible_share", "skill"]
    assert on.loc["visible_share", "missing"] == ""
    _, turned = judged(theories, grid(1))
    assert turned.loc["visible_share", "skill"] == pytest.approx(-1)


def test_what_its_grid_does_not_have_is_no_point(theories) -> None:
    more = grid(-1, ratios=(*RATIOS, 0.6, 0.61))
    assert judged(theories, more)[1].loc["visible_share", "points"] == 6


@pytest.mark.parametrize(
    ("rows", "missing"),
    [
        (
            grid(1).drop(columns=["mask_unit", "patch_size"])[::2],
            "columns mask_unit, patch_size, of one value where all have the same",
        ),
        (grid(1, metric="mcc"), "metric linear_probe"),
        (
            grid(1, ratios=(0.25, 0.3)),
            r"3 points of its grid \(there are 2\)",
        ),
        (
            grid(1, dataset="ising"),
            r"dataset .* \(there is ising\)",
        ),
        (
            pd.concat([grid(1, method=m) for m in ("a", "b")]),
            r"one method alone \(there are a or b\)",
        ),
    ],
)
def test_of_other_rows_it_is_said_what_is_missing(theories, rows, missing) -> None:
    _, on = judged(theories, rows.reset_index(drop=True))
    assert on["skill"].isna().all()
    assert on["missing"].str.fullmatch(missing).all(), on["missing"].tolist()
