"""Barlow Twins correlates what the loops do."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from mae_bench.datasets import Dataset
from mae_bench.methods.barlow_twins import (
    BarlowTwins,
    barlow_twins_loss,
    cross_correlation,
)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def slow_loss(z1: Tensor, z2: Tensor, lamb: float) -> float:
    """Eq. 1 and 2 in loops."""
    a, b = (
        [[x - math.fsum(c) / len(c) for x in c] for c in z.T.tolist()] for z in (z1, z2)
    )
    total = 0.0
    for i, u in enumerate(a):
        for j, w in enumerate(b):
            dot = sum(x * y for x, y in zip(u, w, strict=True))
            C = dot / math.hypot(*u) / math.hypot(*w)
            total += (1 - C) ** 2 if i == j else lamb * C**2
    return total


@pytest.mark.parametrize("n", [3, 8, 17])
@pytest.mark.parametrize("d", [1, 2, 16])
@pytest.mark.parametrize("lamb", [0.0, 0.005, 1.0])
def test_the_loss_equals_the_double_loop(n: int, d: int, lamb: float, pairs) -> None:
    z1, z2 = (20 * z for z in pairs(n, d))  # far above the 1e-5 beside the variance
    found = barlow_twins_loss(z1, z2, lamb).item()
    assert found == pytest.approx(slow_loss(z1, z2, lamb), rel=1e-4, abs=1e-6)


def test_the_cross_correlation_is_numpys(pairs) -> None:
    z1, z2 = (20 * z for z in pairs(12, 4))
    both = np.corrcoef(torch.cat([z1, z2], 1).numpy(), rowvar=False)
    found = cross_correlation(z1, z2).numpy()
    np.testing.assert_allclose(found, both[:4, 4:], atol=1e-5)


def corners(d: int) -> Tensor:
    """All points of {-1, 1}^d: coordinates that vary and do not correlate."""
    return torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * d)


def test_the_loss_has_known_values_at_its_ends() -> None:
    z = corners(3)
    assert barlow_twins_loss(z, z, 0.5).item() == pytest.approx(0, abs=1e-6)
    assert barlow_twins_loss(z, -z, 0.5).item() == pytest.approx(4 * 3, rel=1e-4)
    copied = z[:, :1].expand(-1, 3)
    assert barlow_twins_loss(copied, copied, 0.5).item() == pytest.approx(3, rel=1e-4)


@pytest.mark.parametrize("value", [0.0, 0.1, -30.0])
def test_collapse_correlates_with_nothing_and_costs_one_a_coordinate(
    value: float,
) -> None:
    flat = torch.full((7, 5), value, requires_grad=True)
    loss = barlow_twins_loss(flat, flat, 0.5)
    assert loss.item() == pytest.approx(5)
    loss.backward()
    assert flat.grad.isfinite().all()


@pytest.mark.parametrize("lamb", [-0.1, math.nan])
def test_a_weight_below_zero_is_an_error(lamb: float, redrawn: Dataset) -> None:
    with pytest.raises(ValueError, match="would ask for redundancy"):
        BarlowTwins(redrawn, rng(), lamb=lamb)


def test_two_pairs_correlate_and_one_does_not() -> None:
    z = torch.tensor([[1.0, 2.0], [3.0, 1.0]])
    assert barlow_twins_loss(z, z, 0.0).isfinite()
    with pytest.raises(ValueError, match="1 pairs do not correlate"):
        barlow_twins_loss(z[:1], z[:1], 0.0)


def test_the_last_layer_has_no_bias_as_in_the_released_code(redrawn: Dataset) -> None:
    assert BarlowTwins(redrawn, rng()).projector.out.bias is None


def test_views_are_compared_by_the_loss_with_the_weight_that_was_given(
    redrawn: Dataset, pairs
) -> None:
    z1, z2 = pairs(8, 4)
    for lamb in (0.0, 0.3):
        found = BarlowTwins(redrawn, rng(), lamb=lamb).compare(z1, z2)
        assert torch.equal(found, barlow_twins_loss(z1, z2, lamb))
