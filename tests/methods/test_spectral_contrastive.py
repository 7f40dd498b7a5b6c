"""The spectral contrastive loss is the graph's own, within a ball."""

import math
from itertools import product

import pytest
import torch
from torch import Tensor

from mae_bench.datasets import Dataset
from mae_bench.methods.spectral_contrastive import (
    SpectralContrastive,
    into_ball,
    spectral_contrastive_loss,
)
from mae_bench.oracles.mask_graph import augmentation_graph, spectral_loss


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def slow_loss(z1: Tensor, z2: Tensor) -> float:
    """Eq. 6 in loops: n positive pairs, n (n - 1) negative ones."""
    a, b = z1.tolist(), z2.tolist()
    n = len(a)

    def dot(i: int, j: int) -> float:
        return sum(x * y for x, y in zip(a[i], b[j], strict=True))

    together = sum(dot(i, i) for i in range(n)) / n
    apart = [dot(i, j) ** 2 for i in range(n) for j in range(n) if i != j]
    return -2 * together + sum(apart) / len(apart)


@pytest.mark.parametrize("n", [2, 3, 8, 17])
@pytest.mark.parametrize("d", [1, 2, 16])
def test_the_loss_equals_the_double_loop(n: int, d: int, pairs) -> None:
    z1, z2 = pairs(n, d)
    found = spectral_contrastive_loss(z1, z2).item()
    assert found == pytest.approx(slow_loss(z1, z2), rel=1e-10)


def test_its_mean_over_the_batches_of_a_graph_is_the_graphs_exact_loss() -> None:
    joint = torch.rand(4, 3, generator=rng(), dtype=torch.float64)
    joint /= joint.sum()
    f = torch.randn(4, 2, generator=rng(1), dtype=torch.float64)
    root = joint.sum(1).sqrt()
    pair = (root[:, None] * augmentation_graph(joint) * root).flatten().tolist()
    left, right = f.repeat_interleave(4, 0), f.repeat(4, 1)
    mean = sum(
        pair[i] * pair[j] * spectral_contrastive_loss(left[[i, j]], right[[i, j]])
        for i, j in product(range(16), repeat=2)
    )
    torch.testing.assert_close(mean, spectral_loss(f, joint))


def test_the_loss_has_known_values_at_its_ends() -> None:
    apart, together = torch.eye(5), torch.eye(1, 4).expand(5, -1)
    assert spectral_contrastive_loss(apart, apart).item() == pytest.approx(-2)
    assert spectral_contrastive_loss(together, together).item() == pytest.approx(-1)
    assert spectral_contrastive_loss(together, -together).item() == pytest.approx(3)
    assert spectral_contrastive_loss(together, 0 * together).item() == 0


def test_the_loss_within_the_ball_has_the_gradient_of_its_differences(pairs) -> None:
    z1, z2 = (z.requires_grad_() for z in pairs(5, 3))
    assert (z1.norm(dim=1) < 2).tolist() == [False, True, True, False, True]
    assert torch.autograd.gradcheck(
        lambda a, b: spectral_contrastive_loss(into_ball(a, 4.0), into_ball(b, 4.0)),
        (z1, z2),
    )


@pytest.mark.parametrize("mu", [0.25, 1.0, 9.0])
def test_only_what_lies_outside_the_ball_is_cut_to_its_radius(mu: float, pairs) -> None:
    z, _ = pairs(50, 2)
    cut, length = into_ball(z, mu), z.norm(dim=1)
    for before, after, norm in zip(z, cut, length, strict=True):
        share = min(1.0, math.sqrt(mu) / norm.item())
        torch.testing.assert_close(after, before * share)


def test_a_projection_of_zero_has_a_finite_gradient() -> None:
    z = torch.zeros(3, 2, requires_grad=True)
    into_ball(z, 1.0).sum().backward()
    assert torch.equal(z.grad, torch.ones(3, 2))


@pytest.mark.parametrize("mu", [0.0, -1.0, math.nan, math.inf])
def test_a_ball_without_a_radius_is_an_error(mu: float, redrawn: Dataset) -> None:
    with pytest.raises(ValueError, match="bounds no ball"):
        SpectralContrastive(redrawn, rng(), mu=mu)
