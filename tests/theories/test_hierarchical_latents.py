import pytest

from mae_bench.experiments.mask_ratio import MASK_RATIO
from mae_bench.records.schema import Cell, Settings
from mae_bench.theories.hierarchical_latents import HIERARCHICAL_LATENTS

ROOT = ("linear_r2", "mean", "level_0")
LEAF = ("linear_r2", "mean", "level_2")


@pytest.mark.parametrize(
    ("heights", "verdict"),
    [
        ((0.5, 0.6, 0.7, 0.6, 0.5), "supported"),
        ((0.5, 0.5, 0.5, 0.6, 0.5), "supported"),
        ((0.7, 0.6, 0.5, 0.4, 0.3), "refuted"),
        ((0.3, 0.4, 0.5, 0.6, 0.7), "refuted"),
        ((0.5, 0.5, 0.5, 0.5, 0.5), "refuted"),
        ((0.7, 0.6, 0.5, 0.6, 0.7), "refuted"),
    ],
)
def test_only_a_root_kept_best_between_both_extremes_supports_k5(
    heights: tuple[float, ...], verdict: str, judged
) -> None:
    curve = dict(zip(MASK_RATIO.factors["mask_ratio"], heights, strict=True))

    def root(_: Cell, factors: Settings) -> dict[tuple[str, str, str], float]:
        value = curve[factors["mask_ratio"]]
        return {ROOT: value, LEAF: 0.8}

    assert judged(HIERARCHICAL_LATENTS.predictions, "K5", root) == verdict


def test_the_grid_is_ordered_by_what_c_holds_beside_the_root() -> None:
    _, forecast = HIERARCHICAL_LATENTS.forecasts

    def score(ratio: float, unit: int, family: str, dataset: str) -> float | None:
        at = {"mask_ratio": ratio, "mask_unit": unit, "mask_family": family}
        return forecast.score({"dataset": dataset, **at})

    for world in ("gaussian_tree", "random_hierarchy"):
        assert score(0.75, 4, "random", world) == -1  # the root alone
        assert score(0.125, 2, "aligned", world) == -2  # and a quarter
        assert score(0.75, 2, "grid", world) == -5  # and all of them
        # A mask and its complement share the same: the order is no trend in the ratio.
        low, middle, high = (score(r, 2, "random", world) for r in (0.125, 0.5, 0.875))
        assert low == pytest.approx(high)
        assert middle < low
    assert score(0.75, 4, "random", "digits") is None
