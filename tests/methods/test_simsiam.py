"""SimSiam's loss is its formula; it learns what its views share and stays apart."""

import copy
import math

import pytest
import torch
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods.simsiam import SimSiam, negative_cosine
from mae_bench.models.projector import Projector
from mae_bench.records import registry

SMALL = {"embed_dim": 16, "depth": 1, "num_heads": 2}


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pairs(n: int, d: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    z = torch.randn(2, n, d, generator=rng(seed))
    return z[0], z[1]


@pytest.mark.parametrize(("n", "d"), [(1, 2), (3, 1), (8, 5)])
def test_the_negative_cosine_equals_the_loop(n: int, d: int) -> None:
    p, z = pairs(n, d)
    total = 0.0
    for a, b in zip(p.tolist(), z.tolist(), strict=True):
        dot = sum(x * y for x, y in zip(a, b, strict=True))
        total -= dot / math.hypot(*a) / math.hypot(*b)
    assert negative_cosine(p, z).item() == pytest.approx(total / n, abs=1e-6)


def test_the_negative_cosine_at_its_ends() -> None:
    p, _ = pairs(7, 4)
    assert negative_cosine(p, 2 * p).item() == pytest.approx(-1)
    assert negative_cosine(p, -p).item() == pytest.approx(1)
    together = torch.ones(5, 3)
    assert negative_cosine(together, together).item() == pytest.approx(-1)
    assert negative_cosine(torch.eye(4), torch.eye(4).roll(1, 0)) == 0


def test_the_negative_cosine_is_blind_to_scale_rotation_and_order() -> None:
    p, z = pairs(9, 4)
    loss = negative_cosine(p, z)
    q = torch.linalg.qr(torch.randn(4, 4, generator=rng(1))).Q
    mixed = torch.randperm(9, generator=rng(2))
    for a, b in [(z, p), (3 * p, 0.2 * z), (p @ q, z @ q), (p[mixed], z[mixed])]:
        torch.testing.assert_close(negative_cosine(a, b), loss)


def test_the_negative_cosine_has_the_gradient_of_its_differences() -> None:
    p, z = (v.double().requires_grad_() for v in pairs(4, 3))
    assert torch.autograd.gradcheck(negative_cosine, (p, z))


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


def small(seed: int = 0, **settings) -> SimSiam:
    return SimSiam(Redrawn(), rng(seed), **{**SMALL, **settings})


def test_the_loss_is_half_the_negative_cosine_both_ways_each_view_by_itself() -> None:
    method = small()
    batch = method.dataset.sample(6, rng())
    x1, x2 = method.prepare(batch, rng(3))
    z1, z2 = (
        method.projector(method.encoder.readout(method.encoder(x))["mean"])
        for x in (x1, x2)
    )
    p1, p2 = method.predictor(z1), method.predictor(z2)
    cosines = torch.cosine_similarity(p1, z2), torch.cosine_similarity(p2, z1)
    expected = -(cosines[0].mean() + cosines[1].mean()) / 2
    torch.testing.assert_close(method.loss(batch, rng(3)), expected)


def test_no_gradient_flows_through_what_is_predicted() -> None:
    method = small().double()
    drawn = method.prepare(method.dataset.sample(6, rng()), rng(3))
    example = [x.double() for x in drawn]
    other = copy.deepcopy(method).requires_grad_(False)
    x1, x2 = example
    t1, t2 = (other.projector(other.pooled(x)) for x in (x1, x2))
    p1, p2 = (method.predictor(method.projector(method.pooled(x))) for x in (x1, x2))
    apart = (negative_cosine(p1, t2) + negative_cosine(p2, t1)) / 2
    weights = list(method.parameters())
    found = torch.autograd.grad(method(example), weights)
    for a, b in zip(found, torch.autograd.grad(apart, weights), strict=True):
        torch.testing.assert_close(a, b, atol=1e-9, rtol=0)


def trained(method: SimSiam) -> SimSiam:
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


def spread(z: Tensor) -> float:
    """Deviation of projections of unit length; 1 if they point everywhere."""
    z = torch.nn.functional.normalize(z, dim=1)
    return z.std(0).mean().item() * z.shape[1] ** 0.5


def test_it_learns_what_its_views_share_and_does_not_collapse() -> None:
    batch = Redrawn().sample(200, rng(55))
    before = between(small(steps=150).pooled(batch.images).detach(), batch.labels)
    method = trained(small(steps=150))
    h = method.pooled(batch.images)
    assert 1 - between(h, batch.labels) < 0.5 * (1 - before)
    assert spread(method.projector(h)) > 0.8
    assert method.loss(batch, rng(12)) < -0.7


def test_without_batch_norm_all_projections_become_nearly_one() -> None:
    method = small(1, steps=150)
    method.projector = Projector(rng(9), in_dim=16, hidden_dim=64, out_dim=64)
    method.predictor = Projector(rng(10), in_dim=64, hidden_dim=16, out_dim=64)
    batch = method.dataset.sample(200, rng(55))
    assert spread(method.projector(method.pooled(batch.images))) > 0.3
    trained(method)
    assert spread(method.projector(method.pooled(batch.images))) < 0.1


def test_a_bottleneck_is_what_is_projected() -> None:
    method = small(bottleneck=3)
    method.loss(method.dataset.sample(6, rng()), rng()).backward()
    assert method.projector.hidden.in_features == 3
    assert method.encoder.code is not None
    assert method.encoder.code.weight.grad is not None


def test_its_predictor_is_a_quarter_as_wide_as_the_projections() -> None:
    settings = registry.settings(SimSiam)
    assert 4 * settings["predictor_hidden_dim"] == settings["projector_dim"]
    assert small(predictor_hidden_dim=5).predictor.hidden.out_features == 5
    with pytest.raises(ValueError, match="must all be at least 1"):
        small(predictor_hidden_dim=0)
