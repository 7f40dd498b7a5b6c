"""The reconstruction error at its ends, and against torchmetrics."""

import math

import pytest
import torch
from torchmetrics.functional import mean_squared_error

from mae_bench.metrics.reconstruction_error import reconstruction_error


def test_it_is_the_mean_squared_error(generator):
    prediction, target = torch.randn(2, 5, 3, 4, generator=generator)
    expected = mean_squared_error(prediction.flatten(), target.flatten())
    value = reconstruction_error(prediction, target)["masked"]
    assert float(value) == pytest.approx(float(expected))


def test_the_target_itself_has_no_error(generator):
    target = torch.randn(5, 3, 4, generator=generator)
    assert float(reconstruction_error(target, target)["masked"]) == 0


def test_the_mean_has_the_targets_variance_as_error(generator):
    target = torch.randn(50, 3, 4, generator=generator)
    constant = target.mean().expand_as(target)
    value = float(reconstruction_error(constant, target)["masked"])
    assert value == pytest.approx(float(target.var(correction=0)))


def test_the_order_of_images_and_patches_does_not_matter(generator):
    prediction, target = torch.randn(2, 5, 3, 4, generator=generator)
    value = reconstruction_error(prediction, target)["masked"]
    moved = reconstruction_error(prediction.flip(0, 1), target.flip(0, 1))["masked"]
    torch.testing.assert_close(moved, value)


def test_no_masked_pixel_and_nan_predictions_are_refused():
    with pytest.raises(ValueError, match="raise mask_ratio"):
        reconstruction_error(torch.zeros(2, 0, 4), torch.zeros(2, 0, 4))
    with pytest.raises(ValueError, match="NaN"):
        reconstruction_error(torch.full((1, 1, 1), math.nan), torch.zeros(1, 1, 1))
