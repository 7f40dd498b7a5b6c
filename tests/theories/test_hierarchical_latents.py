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
