import torch

from mae_bench.experiments.forecast_grid import FORECAST_GRID
from mae_bench.experiments.mask_unit_by_patch_size import MASK_UNIT_BY_PATCH_SIZE
from mae_bench.oracles.forecasting import BEST_DISTANCE, average_distance, mask_of
from mae_bench.records.registry import load
from mae_bench.records.schema import TIERS
from mae_bench.theories.average_distance import AVERAGE_DISTANCE


def test_every_mask_of_the_grid_is_past_the_ridge_as_the_claim_says() -> None:
    for experiment in (MASK_UNIT_BY_PATCH_SIZE, FORECAST_GRID):
        for _, factors in experiment.cells(TIERS["smoke"], range(1)):
            assert average_distance(8, *mask_of(factors)) > BEST_DISTANCE * 8


def test_its_worlds_have_the_images_that_the_forecast_is_of() -> None:
    for world in {*MASK_UNIT_BY_PATCH_SIZE.datasets, *FORECAST_GRID.datasets}:
        assert world(torch.Generator().manual_seed(0)).image_size == 8
    assert load("theories", "average_distance") is AVERAGE_DISTANCE


def test_it_forecasts_the_smaller_distance() -> None:
    assert AVERAGE_DISTANCE.forecast is not None
    near, far = (
        AVERAGE_DISTANCE.forecast.score({"mask_ratio": r, "mask_unit": u})
        for r, u in ((0.25, 2), (0.75, 4))
    )
    assert near > far


def test_a_block_leaves_its_middle_farther_than_a_grid_does() -> None:
    _, forecast = AVERAGE_DISTANCE.forecasts
    at = {"mask_ratio": 0.75, "mask_unit": 2}
    order = [
        forecast.score({**at, "mask_family": f}) for f in ("grid", "random", "block")
    ]
    assert order == sorted(order, reverse=True)
