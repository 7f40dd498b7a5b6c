"""Samples have the covariance that is declared, and every mode its λ and ρ."""

import math

import pytest
import torch

from mae_bench.datasets.linear_pair import LinearPair


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_samples_have_the_exact_covariances(samples_agree):
    samples_agree(LinearPair(rng(), rho_low=0.3, covariance_high=2.0))


def test_a_pixel_covaries_with_its_twin_on_the_right_alone():
    world = LinearPair(rng())
    C = world.covariance().view(4, 4, 4, 4)
    for row in range(4):
        for column in range(2):
            mode = 2 * row + column
            lamb, rho = world.lamb[mode], world.rho[mode]
            expected = torch.zeros(4, 4, dtype=torch.float64)
            expected[row, column] = lamb / rho
            expected[row, column + 2] = lamb
            torch.testing.assert_close(C[row, column], expected)


def test_rows_have_one_rho_and_columns_one_covariance():
    settings = {"rho_low": 0.2, "rho_high": 0.8, "covariance_low": 0.1}
    world = LinearPair(rng(), **settings, covariance_high=3.0)
    rho = torch.tensor([[0.8] * 2, [0.6] * 2, [0.4] * 2, [0.2] * 2]).double()
    torch.testing.assert_close(world.rho.view(4, 2), rho)
    lamb = torch.tensor([[0.1, 3.0]] * 4).double()
    torch.testing.assert_close(world.lamb.view(4, 2), lamb)


@pytest.mark.parametrize(
    "settings",
    [
        {"rho_low": 0.0},
        {"rho_high": 1.0},
        {"rho_low": 0.9, "rho_high": 0.8},
        {"covariance_low": 0.0},
        {"covariance_low": 2.0},
        {"covariance_high": math.inf},
    ],
)
def test_a_setting_out_of_range_is_named(settings):
    with pytest.raises(ValueError, match=f"{next(iter(settings))} "):
        LinearPair(rng(), **settings)
