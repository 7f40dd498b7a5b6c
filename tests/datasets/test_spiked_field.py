"""Samples have the covariance that is declared; the last pixel is signal and noise."""

import math

import pytest
import torch

from mae_bench.datasets.spiked_field import SpikedField


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("spike", [0.0, 7.0])
def test_samples_have_the_exact_covariances(spike, samples_agree):
    samples_agree(SpikedField(rng(), image_size=3, spike=spike, target_noise=0.3))


@pytest.mark.parametrize("spike", [0.0, 7.0])
def test_the_best_regression_is_along_u_and_leaves_the_noise(spike):
    world = SpikedField(rng(), image_size=4, spike=spike, target_noise=0.3)
    C = world.covariance()
    beta = torch.linalg.solve(C[:-1, :-1], C[:-1, -1])
    u = world.direction
    torch.testing.assert_close(beta, u / math.sqrt(1 + spike))
    left = C[-1, -1] - beta @ C[:-1, -1]
    assert left.item() == pytest.approx(0.3**2)
    assert (u @ C[:-1, :-1] @ u).item() == pytest.approx(1 + spike)


def test_without_a_spike_the_covariates_are_white():
    C = SpikedField(rng(), spike=0.0).covariance()[:-1, :-1]
    torch.testing.assert_close(C, torch.eye(63, dtype=torch.float64))


@pytest.mark.parametrize(
    "settings",
    [
        {"image_size": 1},
        {"image_size": 65},
        {"spike": -1.0},
        {"spike": math.inf},
        {"target_noise": 0.0},
    ],
)
def test_a_setting_out_of_range_is_named(settings):
    with pytest.raises(ValueError, match=f"{next(iter(settings))} is"):
        SpikedField(rng(), **settings)
