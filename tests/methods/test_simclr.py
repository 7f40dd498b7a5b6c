"""NT-Xent is what the double loop says; SimCLR learns what its views share."""

import math
from typing import ClassVar

import pytest
import torch
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods.simclr import SimCLR, nt_xent


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pairs(n: int, d: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    z = torch.randn(2, n, d, generator=rng(seed))
    return z[0], z[1]


def slow_nt_xent(z1: Tensor, z2: Tensor, temperature: float) -> float:
    """Eq. 1 of the paper in loops, with its pairs (2k - 1, 2k) side by side."""
    rows = [row for pair in zip(z1.tolist(), z2.tolist(), strict=True) for row in pair]

    def s(i: int, j: int) -> float:
        dot = sum(a * b for a, b in zip(rows[i], rows[j], strict=True))
        return dot / math.hypot(*rows[i]) / math.hypot(*rows[j])

    def entropy(i: int, j: int) -> float:
        others = [k for k in range(len(rows)) if k != i]
        below = sum(math.exp(s(i, k) / temperature) for k in others)
        return -math.log(math.exp(s(i, j) / temperature) / below)

    halves = range(0, len(rows), 2)
    return sum(entropy(i, i + 1) + entropy(i + 1, i) for i in halves) / len(rows)


@pytest.mark.parametrize("n", [2, 3, 8, 17])
@pytest.mark.parametrize("d", [1, 2, 16])
@pytest.mark.parametrize("temperature", [0.05, 0.5, 1.0, 10.0])
def test_nt_xent_equals_the_double_loop(n: int, d: int, temperature: float) -> None:
    z1, z2 = pairs(n, d)
    fast = nt_xent(z1, z2, temperature).item()
    assert fast == pytest.approx(slow_nt_xent(z1, z2, temperature), rel=1e-5, abs=1e-5)


def test_nt_xent_at_its_ends_has_a_closed_form() -> None:
    n, t = 6, 0.5
    apart = torch.eye(n).double()  # every pair agrees, and is orthogonal to the others
    best = math.log(math.exp(1 / t) + 2 * n - 2) - 1 / t
    assert nt_xent(apart, apart, t).item() == pytest.approx(best, abs=1e-6)
    together = torch.ones(n, 3).double()
    flat = math.log(2 * n - 1)
    assert nt_xent(together, together, t).item() == pytest.approx(flat, abs=1e-6)


def test_nt_xent_is_blind_to_scale_rotation_order_and_which_view_is_first() -> None:
    z1, z2 = pairs(9, 4)
    loss = nt_xent(z1, z2, 0.3)
    q = torch.linalg.qr(torch.randn(4, 4, generator=rng(1))).Q
    mixed = torch.randperm(9, generator=rng(2))
    for a, b in [
        (z2, z1),
        (3 * z1, 0.2 * z2),
        (z1 @ q, z2 @ q),
        (z1[mixed], z2[mixed]),
    ]:
        torch.testing.assert_close(nt_xent(a, b, 0.3), loss)


def test_nt_xent_rises_when_the_partners_are_swapped_round() -> None:
    z1, _ = pairs(9, 8)
    assert nt_xent(z1, z1, 0.5) < nt_xent(z1, z1.roll(1, 0), 0.5) - 0.5


def test_nt_xent_has_the_gradient_of_the_double_loop() -> None:
    z1, z2 = (z.double().requires_grad_() for z in pairs(4, 3))
    assert torch.autograd.gradcheck(lambda a, b: nt_xent(a, b, 0.5), (z1, z2))


def test_one_pair_is_an_error() -> None:
    with pytest.raises(ValueError, match="1 pairs have no negatives"):
        nt_xent(*pairs(1, 3), 0.5)


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.nan])
def test_a_temperature_that_is_not_positive_is_an_error(temperature: float) -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        nt_xent(*pairs(3, 3), temperature)
    with pytest.raises(ValueError, match="must be above 0"):
        SimCLR(Stripes(), rng(), temperature=temperature)


class Stripes(Dataset):
    """Noisy columns of one of four random profiles: the profile is the content."""

    version: ClassVar[int] = 1
    channels, image_size, levels, num_classes = 1, 8, (), 4

    def sample(self, n: int, generator: torch.Generator) -> Batch:
        labels = torch.randint(4, (n,), generator=generator)
        return Batch(self.paint(labels, generator), labels=labels)

    def paint(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        profiles = torch.randn(4, 1, 1, 8, generator=rng(7)).expand(-1, -1, 8, -1)
        clean = profiles[labels]
        return clean + 0.5 * torch.randn(clean.shape, generator=generator)


class Redrawn(Stripes):
    """Stripes that know their content, and give other images of it."""

    def redraw(self, batch: Batch, generator: torch.Generator) -> Batch:
        assert batch.labels is not None
        return Batch(self.paint(batch.labels, generator), labels=batch.labels)


def test_a_world_that_can_redraw_gives_the_pair() -> None:
    world = Redrawn()
    batch = world.sample(6, rng())
    first, second = SimCLR(world, rng()).prepare(batch, rng(3))
    redrawn = world.redraw(batch, rng(3))
    assert torch.equal(first, batch.images)
    assert torch.equal(second, redrawn.images)


def test_a_world_that_cannot_redraw_is_augmented_twice() -> None:
    world = Stripes()
    batch = world.sample(6, rng())
    first, second = SimCLR(world, rng()).prepare(batch, rng(3))
    assert first.shape == second.shape == batch.images.shape
    assert not torch.allclose(first, second)
    assert not torch.allclose(first, batch.images)


def test_the_loss_is_nt_xent_of_each_view_projected_by_itself() -> None:
    world = Redrawn()
    method, batch = SimCLR(world, rng(), temperature=0.2), world.sample(6, rng())
    z1, z2 = (
        method.projector(method.encoder.readout(method.encoder(x))["mean"])
        for x in method.prepare(batch, rng(3))
    )
    torch.testing.assert_close(method.loss(batch, rng(3)), nt_xent(z1, z2, 0.2))


@pytest.mark.parametrize("world", [Stripes(), Redrawn()], ids=["augmented", "redrawn"])
def test_a_few_dozen_steps_reduce_the_loss(world: Stripes) -> None:
    method = SimCLR(world, rng(), steps=40)
    held_out = world.sample(64, rng(11))
    stream = rng(1)
    before = method.loss(held_out, rng(12)).item()
    (optimizer,), _ = method.configure_optimizers()
    for _ in range(40):
        optimizer.zero_grad()
        method.loss(world.sample(64, stream), stream).backward()
        optimizer.step()
    assert method.loss(held_out, rng(12)).item() < before - 0.3


def test_a_bottleneck_learns_too() -> None:
    world = Redrawn()
    method = SimCLR(world, rng(), bottleneck=2)
    method.loss(world.sample(4, rng()), rng()).backward()
    assert method.encoder.code is not None
    assert method.projector.hidden.in_features == 2
    assert method.encoder.code.weight.grad is not None
