"""Barlow Twins correlates what the loops do; it finds what its views share."""

import math
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods.barlow_twins import (
    BarlowTwins,
    barlow_twins_loss,
    cross_correlation,
)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pairs(n: int, d: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    z = torch.randn(2, n, d, generator=rng(seed), dtype=torch.float64)
    return z[0], z[1]


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
def test_the_loss_equals_the_double_loop(n: int, d: int, lamb: float) -> None:
    z1, z2 = (20 * z for z in pairs(n, d))  # far above the 1e-5 beside the variance
    found = barlow_twins_loss(z1, z2, lamb).item()
    assert found == pytest.approx(slow_loss(z1, z2, lamb), rel=1e-4, abs=1e-6)


def test_the_cross_correlation_is_numpys() -> None:
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


def test_the_loss_is_blind_to_order_scale_shift_and_which_view_is_first() -> None:
    z1, noise = (20 * z for z in pairs(9, 4))
    z2 = z1 + 0.3 * noise
    loss = barlow_twins_loss(z1, z2, 0.1)
    mixed, columns = torch.randperm(9, generator=rng(2)), torch.tensor([2, 0, 3, 1])
    scale = torch.tensor([1.0, 2.0, 3.0, 4.0])
    for a, b in [
        (z2, z1),
        (scale * z1 + scale, z2 - 3),
        (z1[mixed], z2[mixed]),
        (z1[:, columns], z2[:, columns]),
    ]:
        torch.testing.assert_close(
            barlow_twins_loss(a, b, 0.1), loss, rtol=1e-5, atol=1e-5
        )
    for a, b in [(z1, z2.roll(1, 0)), (z1, z2.roll(1, 1)), (-z1, z2)]:
        assert abs(barlow_twins_loss(a, b, 0.1) - loss) > 1


def test_the_loss_has_the_gradient_of_its_differences() -> None:
    z1, z2 = (z.requires_grad_() for z in pairs(5, 3))
    assert torch.autograd.gradcheck(lambda a, b: barlow_twins_loss(a, b, 0.3), (z1, z2))


def test_one_pair_is_an_error() -> None:
    with pytest.raises(ValueError, match="1 pairs do not correlate"):
        barlow_twins_loss(*pairs(1, 3), 0.1)


@pytest.mark.parametrize("lamb", [-0.1, math.nan])
def test_a_weight_below_zero_is_an_error(lamb: float) -> None:
    with pytest.raises(ValueError, match="would ask for redundancy"):
        BarlowTwins(Redrawn(), rng(), lamb=lamb)


class Redrawn(Dataset):
    """Noisy columns of one of four profiles; a redrawn image keeps its profile."""

    version: ClassVar[int] = 1
    channels, image_size, levels, num_classes = 1, 8, (), 4

    def sample(self, n: int, generator: torch.Generator) -> Batch:
        return self.paint(torch.randint(4, (n,), generator=generator), generator)

    def paint(self, labels: Tensor, generator: torch.Generator) -> Batch:
        profiles = 0.5 * torch.randn(4, 1, 1, 8, generator=rng(7)).expand(-1, -1, 8, -1)
        clean = profiles[labels]
        noise = torch.randn(clean.shape, generator=generator)
        return Batch(clean + noise, labels=labels)

    def redraw(self, batch: Batch, generator: torch.Generator) -> Batch:
        assert batch.labels is not None
        return self.paint(batch.labels, generator)


SMALL = {"embed_dim": 16, "depth": 1, "projector_hidden_dim": 32, "projector_dim": 16}


def test_the_loss_of_a_batch_is_that_of_each_view_projected_by_itself() -> None:
    world = Redrawn()
    method, batch = BarlowTwins(world, rng(), lamb=0.2), world.sample(6, rng())
    z1, z2 = (method.projector(method.pooled(x)) for x in method.prepare(batch, rng(3)))
    expected = barlow_twins_loss(z1, z2, 0.2)
    torch.testing.assert_close(method.loss(batch, rng(3)), expected)


def explained(method: BarlowTwins, batch: Batch) -> float:
    """Share of the features' variance that lies between the four contents."""
    with torch.no_grad():
        h = method.features(batch)["mean"]
    assert batch.labels is not None
    h = h - h.mean(0)
    means = torch.stack([h[batch.labels == k].mean(0) for k in range(4)])
    return (means[batch.labels].square().sum() / h.square().sum()).item()


def test_it_learns_what_its_views_share_and_without_batch_norm_does_not_collapse() -> (
    None
):
    world = Redrawn()
    method = BarlowTwins(world, rng(), steps=100, **SMALL)
    seen, stream = world.sample(256, rng(11)), rng(1)
    before = explained(method, seen)
    (optimizer,), (schedule,) = method.configure_optimizers()
    for _ in range(method.steps):
        optimizer.zero_grad()
        method.loss(world.sample(64, stream), stream).backward()
        optimizer.step()
        schedule["scheduler"].step()
    after = explained(method, seen)
    assert after > before + 0.3
    assert method.features(seen)["mean"].std(0).mean() > 0.3
