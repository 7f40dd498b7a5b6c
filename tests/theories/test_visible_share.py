import pandas as pd
import pytest

from mae_bench.experiments.mask_ratio import MASK_RATIO
from mae_bench.records.rows import COLUMNS
from mae_bench.records.schema import TIERS
from mae_bench.theories.visible_share import VISIBLE_SHARE
from mae_bench.verdicts.judge import judge_prediction

NOISE = (0.0, 0.001, -0.001, 0.002, -0.002)
RATIOS = tuple(map(float, MASK_RATIO.factors["mask_ratio"]))
FALLING, RISING = (0.7, 0.6, 0.5, 0.4, 0.3), (0.3, 0.4, 0.5, 0.6, 0.7)


def measured(heights: tuple[float, ...]) -> dict[str, pd.DataFrame]:
    curve = dict(zip(RATIOS, heights, strict=True))
    blank: dict[str, object] = dict.fromkeys(COLUMNS, "")
    rows = [
        blank
        | {
            "dataset": cell.dataset,
            "method": cell.method,
            "tier": "smoke",
            "seed": cell.seed,
            "metric": "linear_r2",
            "view": "unmasked",
            "token": "mean",
            "target": "level_0",
            "value": curve[float(factors["mask_ratio"] or 0)] + NOISE[cell.seed],
            "status": "ok",
            "cell": cell.key,
        }
        | factors
        for cell, factors in MASK_RATIO.cells(TIERS["smoke"], len(NOISE))
    ]
    return {"mask_ratio": pd.DataFrame(rows)}


@pytest.mark.parametrize(
    ("heights", "verdict"),
    [
        (FALLING, "supported"),
        (RISING, "refuted"),
        ((0.5, 0.5, 0.5, 0.5, 0.5), "refuted"),
        ((0.5, 0.6, 0.7, 0.6, 0.5), "refuted"),
    ],
)
def test_only_a_root_that_fades_with_the_mask_supports_n1(
    heights: tuple[float, ...], verdict: str
) -> None:
    prediction = VISIBLE_SHARE.predictions["N1"]
    assert (
        judge_prediction("visible_share/N1", "t", prediction, measured(heights)).verdict
        == verdict
    )


def test_the_forecast_is_the_visible_share() -> None:
    assert VISIBLE_SHARE.forecast is not None
    assert [VISIBLE_SHARE.forecast.score({"mask_ratio": r}) for r in (0.1, 0.75)] == [
        0.9,
        0.25,
    ]
