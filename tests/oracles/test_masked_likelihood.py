"""Variances are those of scores by automatic differentiation, over drawn samples."""

from itertools import combinations, pairwise

import pytest
import torch

from mae_bench.oracles.masked_likelihood import (
    chain,
    fisher_information,
    masks_of,
    relative_variance,
)

D, PHI, N = 4, 0.6, 40_000


def density(x, phi, subset):
    """log p of some coordinates."""
    place = torch.tensor(subset, dtype=torch.float64)
    covariance = phi ** (place[:, None] - place).abs()
    part = x[:, list(subset)]
    solved = torch.linalg.solve(covariance, part.T).T
    return -0.5 * ((part * solved).sum(1) + torch.logdet(covariance))


def scores(masked):
    """∂ log p(x_S | x_-S) / ∂φ of drawn samples, [masks, n], by central differences."""
    noise = torch.Generator().manual_seed(0)
    white = torch.randn(N, D, generator=noise, dtype=torch.float64)
    x = white @ torch.linalg.cholesky(chain(D, PHI)[0]).T
    found = []
    for hidden in combinations(range(D), masked):
        visible = [j for j in range(D) if j not in hidden]

        def conditional(phi, visible=visible):
            whole = density(x, phi, range(D))
            return whole - density(x, phi, visible) if visible else whole

        found.append((conditional(PHI + 1e-4) - conditional(PHI - 1e-4)) / 2e-4)
    return torch.stack(found)


@pytest.mark.parametrize("masked", [1, 2, 4])
def test_the_variances_are_those_of_drawn_scores(masked):
    found = scores(masked)
    information = fisher_information(D, PHI)
    curvature = found.var(1).mean().item()
    spread = found.mean(0).var().item()
    one, every = (relative_variance(D, PHI, masked, m) for m in ("one", "all"))
    assert one == pytest.approx(information / curvature, rel=0.03)
    assert every == pytest.approx(information * spread / curvature**2, rel=0.03)


@pytest.mark.parametrize("phi", [0.0, 0.3, 0.7, 0.95])
def test_larger_masks_are_never_worse_and_all_is_maximum_likelihood(phi):
    for masks in ("one", "all"):
        found = [relative_variance(7, phi, k, masks) for k in range(1, 8)]
        assert all(a >= b - 1e-9 for a, b in pairwise(found))
        assert found[-1] == pytest.approx(1)
    assert relative_variance(7, phi, 1, "one") >= relative_variance(7, phi, 1, "all")


def test_without_correlations_all_masks_lose_nothing_and_one_what_it_does_not_see():
    # Neighbours that are both visible are not seen: 21 of 36 pairs of 9 for k = 2.
    assert relative_variance(9, 0.0, 2, "all") == pytest.approx(1)
    assert relative_variance(9, 0.0, 2, "one") == pytest.approx(36 / 15)


def test_the_information_is_that_of_gaussians():
    covariance, slope = chain(6, 0.7)
    solved = torch.linalg.solve(covariance, slope)
    expected = 0.5 * (solved @ solved).trace().item()
    assert fisher_information(6, 0.7) == pytest.approx(expected)
    step = (chain(6, 0.7001)[0] - chain(6, 0.6999)[0]) / 2e-4
    torch.testing.assert_close(step, slope, atol=1e-6, rtol=0)


def test_masks_are_all_subsets_and_another_k_is_refused():
    assert [v.tolist() for v in masks_of(3, 2)] == [[2], [1], [0]]
    for k in (0, 10):
        with pytest.raises(
            ValueError, match=rf"masked is {k}; give an integer in 1\.\.9"
        ):
            relative_variance(9, 0.5, k, "one")
