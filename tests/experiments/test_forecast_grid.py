from collections import Counter
from functools import cache
from itertools import combinations

import torch

from mae_bench.experiments.forecast_grid import FORECAST_GRID
from mae_bench.experiments.mask_unit_by_patch_size import MASK_UNIT_BY_PATCH_SIZE
from mae_bench.oracles.forecasting import mask_of, masks
from mae_bench.records.schema import TIERS
from mae_bench.theories.hierarchical_latents import HIERARCHICAL_LATENTS
from mae_bench.theories.spatial_correlations import SPATIAL_CORRELATIONS
from mae_bench.training.train import build

CELLS = list(FORECAST_GRID.cells(TIERS["smoke"], range(1)))
POINTS = [factors for cell, factors in CELLS if cell.dataset == "digits"]


def test_every_world_has_the_same_points_two_dozen_or_more() -> None:
    worlds = Counter(cell.dataset for cell, _ in CELLS)
    assert set(worlds) == {"digits", "gaussian_tree", "random_hierarchy"}
    assert set(worlds.values()) == {len(POINTS)}
    assert len(POINTS) >= 24


def test_every_point_can_be_trained_and_hides_the_share_that_it_says() -> None:
    for cell, factors in CELLS:
        _, method = build(cell, "cpu")
        mask = method.masking(3, torch.Generator().manual_seed(0)).mask
        assert (mask.mean(1) == factors["mask_ratio"]).all()


@cache
def together(index: int) -> torch.Tensor:
    ratio, unit, family = mask_of(POINTS[index])
    keep = 1 - masks(8, ratio, unit, n=20_000, family=family)
    return keep.T @ keep / len(keep)


def test_no_two_points_are_one_and_the_same() -> None:
    # How often each pair of pixels is seen together tells masks apart.
    for patch_size in (2, 4):
        mine = [i for i, f in enumerate(POINTS) if f["patch_size"] == patch_size]
        for one, other in combinations(mine, 2):
            assert (together(one) - together(other)).abs().max() > 0.02, (
                POINTS[one],
                POINTS[other],
            )


def test_it_holds_the_smaller_grid_and_trains_it_no_second_time() -> None:
    tier = TIERS["quick"]
    mine = {cell.key for cell, _ in FORECAST_GRID.cells(tier, range(1))}
    old = {
        cell.key
        for cell, _ in MASK_UNIT_BY_PATCH_SIZE.cells(tier, range(1))
        if cell.dataset != "invertible_tree"
    }
    assert old <= mine
    assert len(old) * 5 == 90
    assert len(mine) * 5 == 375


def test_theories_that_order_it_disagree() -> None:
    tree = [{"dataset": "gaussian_tree", **factors} for factors in POINTS]
    orders = []
    for theory in (HIERARCHICAL_LATENTS, SPATIAL_CORRELATIONS):
        (score,) = (f.score for f in theory.forecasts if f.experiment is FORECAST_GRID)
        orders.append(sorted(range(len(tree)), key=lambda i, s=score: s(tree[i])))
    assert orders[0] != orders[1]
