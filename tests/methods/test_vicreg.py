"""VICReg's three terms are what the loops say; it finds what its views share."""

import math
import statistics
from typing import ClassVar

import pytest
import torch
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods.vicreg import (
    VICReg,
    covariance,
    invariance,
    variance,
    vicreg_loss,
)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pairs(n: int, d: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    z = torch.randn(2, n, d, generator=rng(seed), dtype=torch.float64)
    return z[0], z[1]


def slow_terms(z1: Tensor, z2: Tensor) -> tuple[float, list[float], list[float]]:
    """Eq. 1 to 5 in loops: s over d, then v and c of both views."""
    n, d = z1.shape
    squares = [(z1[i, j] - z2[i, j]).item() ** 2 for i in range(n) for j in range(d)]
    v, c = [], []
    for z in (z1, z2):
        columns = z.T.tolist()
        spread = [math.sqrt(statistics.variance(a) + 1e-4) for a in columns]
        v.append(sum(max(0.0, 1 - s) for s in spread) / d)
        shared = [
            statistics.covariance(columns[i], columns[j]) ** 2
            for i in range(d)
            for j in range(d)
            if i != j
        ]
        c.append(sum(shared) / d)
    return sum(squares) / (n * d), v, c


@pytest.mark.parametrize("n", [2, 3, 8, 17])
@pytest.mark.parametrize("d", [1, 2, 16])
def test_the_terms_and_their_sum_equal_the_loops(n: int, d: int) -> None:
    z1, z2 = pairs(n, d)
    s, v, c = slow_terms(z1, z2)
    assert invariance(z1, z2).item() == pytest.approx(s)
    assert [variance(z).item() for z in (z1, z2)] == pytest.approx(v)
    assert [covariance(z).item() for z in (z1, z2)] == pytest.approx(c, abs=1e-12)
    for a, b, e in [(25.0, 25.0, 1.0), (1.0, 2.0, 3.0), (0.0, 0.0, 1.0)]:
        found = vicreg_loss(z1, z2, sim_coeff=a, std_coeff=b, cov_coeff=e).item()
        assert found == pytest.approx(a * s + b * sum(v) + e * sum(c), abs=1e-12)


def corners(d: int) -> Tensor:
    """All points of {-1, 1}^d: coordinates that vary and do not correlate."""
    return torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * d)


def test_views_that_agree_vary_and_do_not_correlate_cost_nothing() -> None:
    z = corners(3)
    assert vicreg_loss(z, z).item() == pytest.approx(0, abs=1e-9)
    assert vicreg_loss(z, z + 1).item() == pytest.approx(25)
    assert vicreg_loss(z, 3 * z).item() == pytest.approx(100)


def test_collapse_costs_the_whole_variance_term_and_copies_the_covariance() -> None:
    flat = torch.full((6, 4), 0.1)
    assert vicreg_loss(flat, flat).item() == pytest.approx(50 * 0.99, rel=1e-5)
    copied = corners(2)[:, :1].expand(-1, 4)
    # 12 covariances of 4 / 3, squared, over 4 coordinates, in both views.
    assert vicreg_loss(copied, copied).item() == pytest.approx(2 * 3 * (4 / 3) ** 2)


def test_the_loss_is_blind_to_order_shift_and_which_view_is_first_not_to_scale() -> (
    None
):
    z1, z2 = pairs(9, 4)
    loss = vicreg_loss(z1, z2)
    mixed, columns = torch.randperm(9, generator=rng(2)), torch.tensor([2, 0, 3, 1])
    for a, b in [
        (z2, z1),
        (z1 + 3, z2 + 3),
        (z1[mixed], z2[mixed]),
        (z1[:, columns], z2[:, columns]),
    ]:
        torch.testing.assert_close(vicreg_loss(a, b), loss)
    for a, b in [(z1, z2.roll(1, 0)), (z1 / 2, z2 / 2), (z1, z2 + 1)]:
        assert abs(vicreg_loss(a, b) - loss) > 1


def test_the_loss_has_the_gradient_of_its_differences() -> None:
    z1, z2 = (z.requires_grad_() for z in pairs(5, 3))
    assert torch.autograd.gradcheck(vicreg_loss, (z1, z2))


def test_where_nothing_varies_the_gradient_is_finite() -> None:
    z = torch.ones(4, 2, requires_grad=True)
    vicreg_loss(z, z.detach()).backward()
    assert z.grad.isfinite().all()


def test_one_pair_is_an_error() -> None:
    with pytest.raises(ValueError, match="1 pairs have no variance"):
        vicreg_loss(*pairs(1, 3))


@pytest.mark.parametrize("name", ["sim_coeff", "std_coeff", "cov_coeff"])
@pytest.mark.parametrize("value", [-1.0, math.nan])
def test_a_weight_below_zero_is_an_error(name: str, value: float) -> None:
    with pytest.raises(ValueError, match="must not be below 0"):
        VICReg(Redrawn(), rng(), **{name: value})


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
    world, weights = Redrawn(), {"sim_coeff": 3.0, "std_coeff": 5.0, "cov_coeff": 7.0}
    method, batch = VICReg(world, rng(), **weights), world.sample(6, rng())
    z1, z2 = (method.projector(method.pooled(x)) for x in method.prepare(batch, rng(3)))
    torch.testing.assert_close(
        method.loss(batch, rng(3)), vicreg_loss(z1, z2, **weights)
    )


def explained(method: VICReg, batch: Batch) -> float:
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
    method = VICReg(world, rng(), steps=100, **SMALL)
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


def spread(std_coeff: float) -> float:
    """Standard deviation of the projections after some training."""
    world = Redrawn()
    method = VICReg(world, rng(), steps=40, std_coeff=std_coeff, **SMALL)
    stream = rng(1)
    (optimizer,), (schedule,) = method.configure_optimizers()
    for _ in range(method.steps):
        optimizer.zero_grad()
        method.loss(world.sample(32, stream), stream).backward()
        optimizer.step()
        schedule["scheduler"].step()
    seen = world.sample(100, rng(11)).images
    return method.projector(method.pooled(seen)).std(0).mean().item()


def test_it_is_the_variance_term_that_keeps_it_from_collapse() -> None:
    assert spread(25.0) > 0.3
    assert spread(0.0) < 0.1
