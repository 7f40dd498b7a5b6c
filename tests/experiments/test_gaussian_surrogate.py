import pytest
import torch

from mae_bench.experiments.gaussian_surrogate import GAUSSIAN_SURROGATE
from mae_bench.metrics.linear_gain import fitted_covariance, linear_guess, masked_error
from mae_bench.models.masking import random_masking
from mae_bench.oracles.ceilings import pixel_mask
from mae_bench.records.schema import TIERS


def test_both_worlds_see_every_ratio_and_each_seed_once():
    cells = [cell for cell, _ in GAUSSIAN_SURROGATE.cells(TIERS["quick"], range(5))]
    assert len({cell.key for cell in cells}) == 20
    for name in ("digits", "surrogate_digits"):
        mine = [cell for cell in cells if cell.dataset == name]
        ratios = sorted(c.method_settings["mask_ratio"] for c in mine if c.seed == 0)
        assert ratios == [0.5, 0.75]


@pytest.mark.parametrize("ratio", GAUSSIAN_SURROGATE.factors["mask_ratio"])
def test_the_linear_guess_is_about_as_good_in_both_worlds(ratio):
    stream = torch.Generator().manual_seed(0)
    errors = []
    for world in (kind(stream) for kind in GAUSSIAN_SURROGATE.datasets):
        fit, choose, test = (
            world.split(name, 2000, stream).images.flatten(1)
            for name in ("train", "val", "test")
        )
        masks = [
            pixel_mask(random_masking(len(x), 4, ratio, stream).mask, 2, 1)
            for x in (choose, test)
        ]
        mean = fit.mean(0)
        C = fitted_covariance(fit - mean, choose - mean, masks[0])
        guess = linear_guess(C, test - mean, masks[1])
        errors.append(masked_error(guess, test - mean, masks[1]))
    # But that of the digits is known from 1,079 images.
    assert errors[0] == pytest.approx(errors[1], rel=0.12)
