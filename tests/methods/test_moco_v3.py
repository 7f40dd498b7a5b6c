"""MoCo v3's loss is what the double loop says; it learns what its views share."""

import math

import pytest
import torch
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods.moco_v3 import MoCoV3, info_nce

SMALL = {"embed_dim": 16, "depth": 1, "num_heads": 2}


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pairs(n: int, d: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    z = torch.randn(2, n, d, generator=rng(seed))
    return z[0], z[1]


def slow_info_nce(q: Tensor, k: Tensor, temperature: float) -> float:
    """Eq. 1 of the paper in loops, times 2 tau."""

    def s(i: int, j: int) -> float:
        a, b = q[i].tolist(), k[j].tolist()
        dot = sum(x * y for x, y in zip(a, b, strict=True))
        return dot / math.hypot(*a) / math.hypot(*b)

    total = 0.0
    for i in range(len(q)):
        own = math.exp(s(i, i) / temperature)
        others = [math.exp(s(i, j) / temperature) for j in range(len(k)) if j != i]
        total -= math.log(own / (own + sum(others)))
    return 2 * temperature * total / len(q)


@pytest.mark.parametrize(("n", "d"), [(2, 1), (3, 16), (9, 2)])
@pytest.mark.parametrize("temperature", [0.05, 0.2, 1.0, 10.0])
def test_info_nce_equals_the_double_loop(n: int, d: int, temperature: float) -> None:
    q, k = pairs(n, d)
    slow = slow_info_nce(q, k, temperature)
    assert info_nce(q, k, temperature).item() == pytest.approx(slow, rel=1e-4, abs=1e-5)


def test_info_nce_at_its_ends_has_a_closed_form() -> None:
    n, t = 6, 0.5
    best = math.log(math.exp(1 / t) + n - 1) - 1 / t
    found = info_nce(torch.eye(n).double(), torch.eye(n).double(), t).item()
    assert found == pytest.approx(2 * t * best, abs=1e-6)
    together = torch.ones(n, 3).double()
    flat = info_nce(together, together, t).item()
    assert flat == pytest.approx(2 * t * math.log(n), abs=1e-6)


def test_info_nce_is_blind_to_scale_rotation_and_order_but_not_to_sides() -> None:
    q, k = pairs(9, 4)
    loss = info_nce(q, k, 0.3)
    turn = torch.linalg.qr(torch.randn(4, 4, generator=rng(1))).Q
    mixed = torch.randperm(9, generator=rng(2))
    for a, b in [(3 * q, 0.2 * k), (q @ turn, k @ turn), (q[mixed], k[mixed])]:
        torch.testing.assert_close(info_nce(a, b, 0.3), loss)
    # Queries are compared with keys alone, so the two are no equals.
    assert not torch.isclose(info_nce(k, q, 0.3), loss)


def test_info_nce_has_the_gradient_of_its_differences() -> None:
    q, k = (v.double().requires_grad_() for v in pairs(4, 3))
    assert torch.autograd.gradcheck(lambda a, b: info_nce(a, b, 0.5), (q, k))


def test_one_pair_or_a_temperature_that_is_not_positive_is_an_error() -> None:
    with pytest.raises(ValueError, match="1 pairs have no negatives"):
        info_nce(*pairs(1, 3), 0.5)
    for temperature in (0.0, -1.0, math.nan):
        with pytest.raises(ValueError, match="must be above 0"):
            info_nce(*pairs(3, 3), temperature)
        with pytest.raises(ValueError, match="must be above 0"):
            small(temperature=temperature)


class Redrawn(Dataset):
    """Noisy columns of one of four random profiles, drawn again with other noise."""

    version = 1
    channels, image_size, levels, num_classes = 1, 8, (), 4

    def sample(self, n, generator):
        labels = torch.randint(4, (n,), generator=generator)
        return Batch(self.paint(labels, generator), labels=labels)

    def paint(self, labels, generator):
        profiles = torch.randn(4, 1, 1, 8, generator=rng(7)).expand(-1, -1, 8, -1)
        clean = profiles[labels]
        return clean + 0.5 * torch.randn(clean.shape, generator=generator)

    def redraw(self, batch, generator):
        return Batch(self.paint(batch.labels, generator), labels=batch.labels)


def small(seed: int = 0, **settings) -> MoCoV3:
    return MoCoV3(Redrawn(), rng(seed), **{**SMALL, **settings})


def test_the_loss_is_that_of_queries_and_the_copys_keys_both_ways() -> None:
    method = small(temperature=0.3)
    with torch.no_grad():
        for weight in method.momentum_encoder.parameters():
            weight += 0.1 * torch.randn(weight.shape, generator=rng(4))
    batch = method.dataset.sample(6, rng())
    x1, x2 = method.prepare(batch, rng(3))
    slow = method.momentum_encoder
    k1, k2 = (
        method.momentum_projector(slow.readout(slow(x))["mean"]) for x in (x1, x2)
    )
    q1, q2 = (method.predictor(method.projector(method.pooled(x))) for x in (x1, x2))
    expected = info_nce(q1, k2, 0.3) + info_nce(q2, k1, 0.3)
    torch.testing.assert_close(method.loss(batch, rng(3)), expected)


@pytest.mark.parametrize("frozen", [True, False])
def test_the_patches_embedding_is_trained_only_if_it_is_not_frozen(frozen) -> None:
    method = small(frozen_patch_embed=frozen, steps=3)
    before = method.encoder.patch_embed.weight.clone()
    trained(method)
    assert torch.equal(method.encoder.patch_embed.weight, before) == frozen


def trained(method: MoCoV3) -> MoCoV3:
    (optimizer,), (schedule,) = method.configure_optimizers()
    data, noise = rng(1), rng(51)
    for step in range(method.steps):
        loss = method.loss(method.dataset.sample(32, data), noise)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        method.follow(dict(method.named_parameters()), step)
        schedule["scheduler"].step()
    return method.requires_grad_(False)


def between(h: Tensor, labels: Tensor) -> float:
    """Share of the features' variance that lies between the classes."""
    h = h - h.mean(0)
    centres = torch.stack([h[labels == k].mean(0) for k in range(4)])[labels]
    return (centres.square().sum() / h.square().sum()).item()


def test_it_learns_what_its_views_share_and_does_not_collapse() -> None:
    start, batch = small(steps=150), Redrawn().sample(200, rng(55))
    h = start.pooled(batch.images).detach()
    before, loss, spread = between(h, batch.labels), start.loss(batch, rng(12)), h.std()
    method = trained(start)
    h = method.pooled(batch.images)
    assert 1 - between(h, batch.labels) < 0.5 * (1 - before)
    assert h.std() > 0.5 * spread
    assert method.loss(batch, rng(12)) < loss - 0.3
