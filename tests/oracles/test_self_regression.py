"""Coefficients are those of d regressions; limits are those of large samples."""

import math

import pytest
import torch

from mae_bench.oracles.self_regression import (
    coefficients,
    leading,
    leading_eigenvalue,
    squared_overlap,
)

D, RIDGE = 6, 0.3


@pytest.fixture(scope="module")
def sample():
    noise = torch.Generator().manual_seed(0)
    mix = torch.randn(D, D, generator=noise, dtype=torch.float64)
    return torch.randn(40, D, generator=noise, dtype=torch.float64) @ mix


def test_the_matrix_is_that_of_every_pixels_own_ridge_regression(sample):
    found = coefficients(sample.T @ sample / 40, RIDGE)
    for i in range(D):
        rest = [j for j in range(D) if j != i]
        x, y = sample[:, rest], sample[:, i]
        ridge = 40 * RIDGE * torch.eye(D - 1, dtype=torch.float64)
        slow = torch.linalg.solve(x.T @ x + ridge, x.T @ y)
        torch.testing.assert_close(found[i, rest], slow)
        assert found[i, i] == pytest.approx(0, abs=1e-12)


def test_the_leading_pair_is_the_matrixs_own(sample):
    covariance = sample.T @ sample / 40
    value, vector = leading(covariance, RIDGE)
    A = coefficients(covariance, RIDGE)
    torch.testing.assert_close(A @ vector, value * vector)
    assert value == pytest.approx(torch.linalg.eigvals(A).real.max().item())


def spiked(d, n, spike, seed):
    noise = torch.Generator().manual_seed(seed)
    x = torch.randn(n, d, generator=noise, dtype=torch.float64)
    x += (math.sqrt(1 + spike) - 1) * x.mean(1, keepdim=True)  # along u = 1 / sqrt(d)
    return x.T @ x / n


@pytest.mark.parametrize(("n", "spike"), [(600, 0.3), (600, 2.0), (150, 0.6)])
def test_the_limits_are_those_of_many_pixels(n, spike):
    found = [leading(spiked(300, n, spike, seed), 0.1) for seed in range(3)]
    overlap = sum(v.sum().square().item() / 300 for _, v in found) / 3
    value = sum(value for value, _ in found) / 3
    assert overlap == pytest.approx(squared_overlap(spike, 300 / n), abs=0.06)
    assert value == pytest.approx(leading_eigenvalue(spike, 300 / n, 0.1), abs=0.01)


def test_a_pixel_that_stands_alone_is_no_direction_that_regressions_find():
    covariance = torch.eye(20, dtype=torch.float64)
    covariance[0, 0] = 5.0
    assert coefficients(covariance, 0.1).abs().max() < 1e-12


def test_of_uneven_noise_the_matrix_keeps_the_direction_and_components_do_not():
    noise = torch.Generator().manual_seed(1)
    u = torch.randn(300, generator=noise, dtype=torch.float64)
    u /= u.norm()
    loud = torch.where(torch.arange(300) < 150, 1.0, 4.0).double()
    covariance = torch.diag(loud) + 2 * torch.outer(u, u)
    component = torch.linalg.eigh(covariance).eigenvectors[:, -1]
    assert (leading(covariance, 1e-6)[1] @ u).square() > 0.97
    assert (component @ u).square() < 0.85
