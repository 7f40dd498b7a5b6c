import pandas as pd
import pytest

from mae_bench.experiments.mask_ratio import MASK_RATIO
from mae_bench.records.rows import COLUMNS
from mae_bench.records.schema import TIERS
from mae_bench.theories.hierarchical_latents import HIERARCHICAL_LATENTS
from mae_bench.verdicts.judge import judge_prediction

K5 = HIERARCHICAL_LATENTS.predictions["K5"]
NOISE = (0.0, 0.001, -0.001, 0.002, -0.002)


def judged(curve: dict[float, float]) -> str:
    """Verdict on K5 if the root's R² of MAE is ``curve``, and of others the reverse."""
    blank: dict[str, object] = dict.fromkeys(COLUMNS, "")
    rows = []
    for cell, factors in MASK_RATIO.cells(TIERS["smoke"], len(NOISE)):
        value = curve[float(factors["mask_ratio"] or 0)] + NOISE[cell.seed]
        row = {
            "dataset": cell.dataset,
            "method": cell.method,
            "tier": "smoke",
            "seed": cell.seed,
            "metric": "linear_r2",
            "view": "unmasked",
            "token": "mean",
            "target": "level_0",
            "value": value if cell.method == "mae" else -value,
            "status": "ok",
            "cell": cell.key,
        }
        rows.append(blank | row | factors)
    found = {"mask_ratio": pd.DataFrame(rows)}
    return judge_prediction("hierarchical_latents/K5", "t", K5, found).verdict


RATIOS = tuple(map(float, MASK_RATIO.factors["mask_ratio"]))


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
    heights: tuple[float, ...], verdict: str
) -> None:
    assert judged(dict(zip(RATIOS, heights, strict=True))) == verdict
