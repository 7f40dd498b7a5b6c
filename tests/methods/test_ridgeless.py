"""Fits are numpy's least-norm solutions on the masks that were drawn."""

import numpy as np
import pytest
import torch

from mae_bench.datasets.spiked_field import SpikedField
from mae_bench.methods.ridgeless import Ridgeless


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def world(**settings) -> SpikedField:
    return SpikedField(rng(), **({"image_size": 5} | settings))


@pytest.mark.parametrize("p", [0.0, 0.5, 0.95])
@pytest.mark.parametrize("samples", [10, 60])
def test_fits_are_the_pseudo_inverse_of_masked_covariates(p, samples):
    field, again = world(), rng(1)
    method = Ridgeless(field, rng(1), mask_ratio=p, samples=samples, fits=3)
    for found in method.coefficients:
        pixels = field.sample(samples, again).images.flatten(1).double().numpy()
        kept = torch.rand(samples, 24, generator=again).numpy() >= p
        expected = np.linalg.pinv(pixels[:, :-1] * kept) @ pixels[:, -1]
        np.testing.assert_allclose(found.numpy(), expected, atol=1e-8)


def test_with_many_whole_samples_it_finds_beta():
    field = world(target_noise=0.1)
    method = Ridgeless(field, rng(1), mask_ratio=0.0, samples=20_000, fits=1)
    beta = field.direction / (1 + field.spike) ** 0.5
    assert (method.coefficients[0] - beta).abs().max() < 0.01


def test_with_many_masked_samples_it_makes_up_for_what_is_hidden():
    field, p = world(target_noise=0.1), 0.5
    method = Ridgeless(field, rng(1), mask_ratio=p, samples=40_000, fits=1)
    C = field.covariance()
    masked = (1 - p) * C[:-1, :-1] + p * C[:-1, :-1].diag().diag()
    expected = torch.linalg.solve(masked, C[:-1, -1])
    assert (method.coefficients[0] - expected).abs().max() < 0.02
    beta = field.direction / (1 + field.spike) ** 0.5
    assert method.coefficients[0] @ beta > 1.3 * beta @ beta


def test_features_are_the_predictions_of_the_last_pixel():
    field = world()
    method, batch = Ridgeless(field, rng(1), fits=4), field.sample(6, rng(2))
    x = batch.images.flatten(1)[:, :-1]
    found = method.features(batch)["mean"]
    torch.testing.assert_close(found, (x.double() @ method.coefficients.T).float())
    assert found.shape == (6, 4)
    with pytest.raises(ValueError, match="leave ids_keep out"):
        method.features(batch, torch.zeros(6, 1, dtype=torch.int64))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mask_ratio": 1.0}, "mask_ratio is 1.0"),
        ({"mask_ratio": -0.1}, "mask_ratio is -0.1"),
        ({"samples": 0}, "20 fits of 0 samples"),
        ({"fits": 0}, "0 fits of 100 samples"),
    ],
)
def test_a_setting_out_of_range_is_named(settings, message):
    with pytest.raises(ValueError, match=message):
        Ridgeless(world(), rng(), **settings)
