import numpy as np

from mae_bench.experiments.masked_regression import MASKED_REGRESSION
from mae_bench.oracles.masked_regression import excess_risk
from mae_bench.records.schema import TIERS
from mae_bench.training.train import build

RATIOS = (0.0, 0.15, 0.3, 0.45, 0.6)


def cells():
    return list(MASKED_REGRESSION.cells(TIERS["quick"], range(1)))


def test_every_model_is_measured_along_the_whole_line_of_ratios():
    found = {(f["image_size"], f["spike"], f["mask_ratio"]) for _, f in cells()}
    models = ((6, 0.0), (6, 20.0), (20, 20.0), (32, 0.0), (32, 20.0))
    assert found == {(*model, p) for model in models for p in RATIOS}


def test_one_model_has_fewer_covariates_than_samples_and_two_have_more():
    for cell, factors in cells():
        covariates = factors["image_size"] ** 2 - 1
        samples = cell.method_settings["samples"]
        assert (covariates < samples) == (factors["image_size"] == 6)


def test_the_limit_has_its_best_ratios_where_the_grid_can_tell():
    best = {}
    for size in (6, 20, 32):
        risks = [
            excess_risk(p, size**2 - 1, 100, spike=20.0, noise=0.5) for p in RATIOS
        ]
        best[size] = RATIOS[int(np.argmin(risks))]
    assert best == {6: 0.0, 20: 0.0, 32: 0.3}


def test_a_cell_of_the_smallest_model_is_near_the_limit():
    cell = next(c for c, f in cells() if f["image_size"] == 6 and f["spike"] == 0.0)
    world, method = build(cell, "cpu")
    beta = world.direction
    risk = (method.coefficients - beta).square().sum(1).mean().item()
    assert abs(risk / excess_risk(0.0, 35, 100, spike=0.0, noise=0.5) - 1) < 0.25
