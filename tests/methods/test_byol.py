"""BYOL's loss is its formula; its copies follow, and without them it collapses."""

import math

import pytest
import torch
from torch import Tensor, nn

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods.byol import BYOL, normalised_error
from mae_bench.models.momentum import frozen_copy
from mae_bench.models.projector import Projector
from mae_bench.records import registry

SMALL = {"embed_dim": 16, "depth": 1, "num_heads": 2}


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pairs(n: int, d: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    z = torch.randn(2, n, d, generator=rng(seed))
    return z[0], z[1]


@pytest.mark.parametrize(("n", "d"), [(1, 2), (3, 1), (8, 5)])
def test_the_error_equals_the_loop(n: int, d: int) -> None:
    q, z = (v.double() for v in pairs(n, d))
    total = 0.0
    for a, b in zip(q.tolist(), z.tolist(), strict=True):
        one, two = math.hypot(*a), math.hypot(*b)
        total += sum((x / one - y / two) ** 2 for x, y in zip(a, b, strict=True))
    assert normalised_error(q, z).item() == pytest.approx(total / n, abs=1e-6)


def test_the_error_at_its_ends_and_as_a_cosine() -> None:
    q, z = pairs(7, 4)
    assert normalised_error(q, 2 * q).item() == pytest.approx(0, abs=1e-6)
    assert normalised_error(q, -q).item() == pytest.approx(4)
    assert normalised_error(torch.eye(4), torch.eye(4).roll(1, 0)).item() == 2
    cosine = torch.cosine_similarity(q, z).mean()
    torch.testing.assert_close(normalised_error(q, z), 2 - 2 * cosine)


def test_the_error_is_blind_to_scale_rotation_and_order() -> None:
    q, z = pairs(9, 4)
    loss = normalised_error(q, z)
    turn = torch.linalg.qr(torch.randn(4, 4, generator=rng(1))).Q
    mixed = torch.randperm(9, generator=rng(2))
    for a, b in [(z, q), (3 * q, 0.2 * z), (q @ turn, z @ turn), (q[mixed], z[mixed])]:
        torch.testing.assert_close(normalised_error(a, b), loss)


def test_the_error_has_the_gradient_of_its_differences() -> None:
    q, z = (v.double().requires_grad_() for v in pairs(4, 3))
    assert torch.autograd.gradcheck(normalised_error, (q, z))


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


def small(seed: int = 0, **settings) -> BYOL:
    return BYOL(Redrawn(), rng(seed), **{**SMALL, **settings})


def apart(method: BYOL) -> BYOL:
    """The same, after some steps: its copies differ from what they are of."""
    with torch.no_grad():
        for weight in method.parameters():
            if weight.requires_grad:
                weight += 0.1 * torch.randn(weight.shape, generator=rng(4))
    return method


@pytest.mark.parametrize("bottleneck", [0, 3])
def test_the_loss_is_the_error_of_what_is_told_of_the_copys_view(bottleneck) -> None:
    method = apart(small(bottleneck=bottleneck))
    batch = method.dataset.sample(6, rng())
    read = "code" if bottleneck else "mean"

    def project(encoder: nn.Module, projector: nn.Module, x: Tensor) -> Tensor:
        return projector(encoder.readout(encoder(x))[read])

    x1, x2 = method.prepare(batch, rng(3))
    copies = method.momentum_encoder, method.momentum_projector
    t1, t2 = project(*copies, x1), project(*copies, x2)
    p1, p2 = (
        method.predictor(project(method.encoder, method.projector, x)) for x in (x1, x2)
    )
    expected = normalised_error(p1, t2) + normalised_error(p2, t1)
    torch.testing.assert_close(method.loss(batch, rng(3)), expected)
    assert not torch.allclose(t1, project(method.encoder, method.projector, x1))


def test_its_copies_start_equal_and_follow_by_a_momentum_that_grows_to_1() -> None:
    method = small(steps=10, momentum=0.6)
    pairs_ = [
        (method.momentum_encoder, method.encoder),
        (method.momentum_projector, method.projector),
    ]
    for slow, fast in pairs_:
        for a, b in zip(slow.parameters(), fast.parameters(), strict=True):
            assert torch.equal(a, b)
    apart(method)
    for step, momentum in ((0, 0.6), (5, 0.8), (10, 1.0)):
        before = [w.clone() for slow, _ in pairs_ for w in slow.parameters()]
        method.follow(dict(method.named_parameters()), step)
        after = [w for slow, _ in pairs_ for w in slow.parameters()]
        fast_ = [w for _, fast in pairs_ for w in fast.parameters()]
        for old, new, fast in zip(before, after, fast_, strict=True):
            torch.testing.assert_close(new, momentum * old + (1 - momentum) * fast)


def trained(method: BYOL) -> BYOL:
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
    assert spread(method.projector(h)) > 0.6
    assert method.loss(batch, rng(12)) < 0.5


def plain(method: BYOL) -> BYOL:
    """The same without batch norm."""
    method.projector = Projector(rng(9), in_dim=16, hidden_dim=64, out_dim=64)
    method.predictor = Projector(rng(10), in_dim=64, hidden_dim=64, out_dim=64)
    method.momentum_projector = frozen_copy(method.projector)
    return method


def test_the_predictor_and_the_slow_copy_keep_it_apart_without_batch_norm() -> None:
    """The paper's claim (Sec. 5, Table 5): without both, all projections are one."""
    batch = Redrawn().sample(200, rng(55))
    whole = trained(plain(small(steps=150)))
    assert spread(whole.projector(whole.pooled(batch.images))) > 0.3
    bare = plain(small(steps=150, momentum=0.0))
    bare.predictor = nn.Identity()
    trained(bare)
    assert spread(bare.projector(bare.pooled(batch.images))) < 0.05


def test_its_settings_are_the_papers() -> None:
    settings = registry.settings(BYOL)
    assert settings["momentum"] == 0.99
    assert settings["predictor_hidden_dim"] == settings["projector_hidden_dim"]
    with pytest.raises(ValueError, match=r"momentum 1\.5 is no share"):
        small(momentum=1.5)
