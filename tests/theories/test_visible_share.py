import pytest

from mae_bench.experiments.mask_ratio import MASK_RATIO
from mae_bench.records.schema import Cell, Settings
from mae_bench.theories.visible_share import VISIBLE_SHARE

ROOT = ("linear_r2", "mean", "level_0")
OTHER_IMAGES = ("linear_r2", "mean/shuffled", "level_0")
FALLING, RISING = (0.7, 0.6, 0.5, 0.4, 0.3), (0.3, 0.4, 0.5, 0.6, 0.7)


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
    heights: tuple[float, ...], verdict: str, judged
) -> None:
    curve = dict(zip(MASK_RATIO.factors["mask_ratio"], heights, strict=True))

    def root(_: Cell, factors: Settings) -> dict[tuple[str, str, str], float]:
        value = curve.get(factors["mask_ratio"], 0.0)
        return {ROOT: value, OTHER_IMAGES: 0.0}

    assert judged(VISIBLE_SHARE.predictions, "N1", root) == verdict


def test_the_forecast_is_the_visible_share() -> None:
    assert len(VISIBLE_SHARE.forecasts) == 2
    for forecast in VISIBLE_SHARE.forecasts:
        assert [forecast.score({"mask_ratio": r}) for r in (0.1, 0.75)] == [0.9, 0.25]
