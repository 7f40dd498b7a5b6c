"""Bounds hold of random functions, tightly where they should; R2 is that of samples."""

import numpy as np
import pytest
import torch

from mae_bench.datasets.ou_mixing import generalised_normal
from mae_bench.oracles.lejepa_bounds import (
    distance_bound,
    isotropy_error,
    orthogonal_distance,
    shape_r2,
)

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(24)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


def moments(coefficients, rho):
    """Exact loss, Cov h and least distance of h = Σ c_ijk He_i(u1) He_j(u2)."""
    k, a, b = coefficients.shape
    degree = np.add.outer(np.arange(a), np.arange(b))
    factorial = np.array([np.prod(np.arange(1, n + 1)) for n in range(max(a, b))])
    norm = np.multiply.outer(factorial[:a], factorial[:b])
    c = coefficients * np.sqrt(norm)  # orthonormal polynomials
    c[:, 0, 0] = 0
    flat, power = c.reshape(k, -1), rho ** degree.reshape(-1)
    covariance = flat @ flat.T
    loss = 2 * (flat**2 * (1 - power)).sum()
    linear = np.stack([c[:, 1, 0], c[:, 0, 1]], 1)
    distance = np.trace(covariance) + 2 - 2 * np.linalg.svd(linear)[1].sum()
    return loss, torch.from_numpy(covariance), distance


@pytest.mark.parametrize("seed", range(20))
def test_no_polynomial_breaks_a_bound(seed):
    noise = np.random.default_rng(seed)
    size = 0.03 if seed % 2 else 0.4
    c = size * noise.standard_normal((2, 4, 4)) / 4
    c[:, 1, 0] += np.array([1, 0]) * noise.uniform(0.5, 1.2)
    c[:, 0, 1] += np.array([0, 1]) * noise.uniform(0.5, 1.2)
    rho = noise.uniform(0.1, 0.95)
    loss, covariance, distance = moments(c, rho)
    slack = loss - 2 * (1 - rho) * covariance.trace().item()
    assert slack >= -1e-12
    bound = distance_bound(slack, isotropy_error(covariance), rho)
    assert distance <= bound + 1e-9


def test_a_rotation_is_at_no_distance_and_a_quadratic_at_all():
    linear = np.zeros((2, 2, 2))
    linear[0, 1, 0] = linear[1, 0, 1] = 1.0
    loss, covariance, distance = moments(linear, 0.7)
    assert loss == pytest.approx(2 * 0.3 * 2)
    assert distance_bound(0.0, isotropy_error(covariance), 0.7) == 0
    assert distance == pytest.approx(0)
    square = np.zeros((2, 3, 3))
    square[0, 2, 0] = square[1, 0, 2] = 0.5**0.5
    loss, covariance, distance = moments(square, 0.7)
    assert loss == pytest.approx(2 * (1 - 0.49) * 2)
    assert distance == pytest.approx(4)
    # All its energy is of degree 2, where D is the energy itself.
    slack = loss - 2 * 0.3 * 2
    assert distance_bound(slack, 0.0, 0.7) == pytest.approx(2 + 4)


def test_the_distance_is_that_of_the_best_rotation():
    noise = torch.Generator().manual_seed(0)
    h, u = torch.randn(2, 500, 2, generator=noise, dtype=torch.float64)
    h = h + 2 * u @ torch.tensor([[0.6, 0.8], [-0.8, 0.6]]).double() + 3
    one, other = h - h.mean(0), u - u.mean(0)
    best = min(
        (one - other @ turn).square().sum(1).mean().item()
        for angle in torch.linspace(0, 2 * torch.pi, 3000).double()
        for c, s in [(angle.cos(), angle.sin())]
        for turn in (
            torch.stack([torch.stack([c, s]), torch.stack([-s, c])]),
            torch.stack([torch.stack([c, s]), torch.stack([s, -c])]),
        )
    )
    assert orthogonal_distance(h, u) == pytest.approx(best, abs=1e-4)


@pytest.mark.parametrize("alpha", [0.5, 1.0, 8.0])
def test_what_is_told_of_a_shape_is_a_correlation_of_samples(alpha):
    u = np.random.default_rng(0).standard_normal(400_000)
    found = np.corrcoef(u, generalised_normal(u, alpha))[0, 1] ** 2
    assert shape_r2(alpha) == pytest.approx(found, abs=0.01)


def test_gaussian_causes_are_told_best():
    found = [shape_r2(a) for a in (0.5, 1.0, 2.0, 4.0, 16.0)]
    assert found == pytest.approx([0.782, 0.963, 1.0, 0.987, 0.961], abs=1e-3)
