"""Of many samples its direction is the world's."""

import pytest
import torch

from mae_bench.datasets.uneven_noise import UnevenNoise
from mae_bench.methods.self_regression import SelfRegression
from mae_bench.oracles.self_regression import coefficients


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def built(**settings) -> SelfRegression:
    return SelfRegression(UnevenNoise(rng(), image_size=4), rng(1), **settings)


def test_its_direction_is_an_eigenvector_of_the_regressions_of_its_samples():
    method = built(samples=30, fits=1, ridge=0.5)
    x = method.dataset.sample(30, rng(1)).images.flatten(1).double()
    A, v = coefficients(x.T @ x / 30, 0.5), method.directions[0]
    torch.testing.assert_close(A @ v, method.values[0] * v)
    S, c = x.T @ x / 30, method.components[0]
    torch.testing.assert_close(S @ c, (c @ S @ c) * c)


def test_of_many_samples_it_is_the_direction_and_components_are_not():
    method = built(samples=100_000, fits=1, ridge=1e-3)
    u = method.dataset.direction
    assert (method.directions[0] @ u).square() > 0.9
    assert (method.components[0] @ u).square() < 0.85


def test_features_are_images_along_the_directions():
    method = built(fits=3)
    batch = method.dataset.sample(4, rng(2))
    expected = batch.images.flatten(1) @ method.directions.float().T
    torch.testing.assert_close(method.features(batch)["mean"], expected)
    with pytest.raises(ValueError, match="leave ids_keep out"):
        method.features(batch, torch.zeros(4, 1, dtype=torch.int64))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"samples": 1}, "2 fits of 1 samples"),
        ({"fits": 0}, "0 fits of 200 samples"),
        ({"ridge": 0.0}, r"ridge is 0\.0; choose above 0"),
    ],
)
def test_a_setting_out_of_range_is_named(settings, message):
    with pytest.raises(ValueError, match=message):
        built(**settings)
