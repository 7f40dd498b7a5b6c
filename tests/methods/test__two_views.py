"""What holds for every method of two views: its loss, its pairs, what it learns."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mae_bench.datasets import Dataset
from mae_bench.methods._two_views import TwoViews
from mae_bench.methods.barlow_twins import barlow_twins_loss
from mae_bench.methods.byol import normalised_error
from mae_bench.methods.moco_v3 import info_nce
from mae_bench.methods.simclr import nt_xent
from mae_bench.methods.simsiam import SimSiam, negative_cosine
from mae_bench.methods.spectral_contrastive import into_ball, spectral_contrastive_loss
from mae_bench.methods.vicreg import vicreg_loss
from mae_bench.records import registry

SMALL = {"embed_dim": 16, "depth": 1, "num_heads": 2}


@dataclass(frozen=True)
class Loss:
    """What a method minimises: the loss of a batch of pairs, for one way if of two.

    Attributes:
        of: Projections of two views, and settings -> the loss.
        blind: The changes to the pairs that it does not see.
        falls: By how much 60 steps lower it, at the least.
        alone: Why it refuses a single pair; empty if it does not.
        settings: Those of the method that it takes, none of them a default.
    """

    of: Callable[..., Tensor]
    blind: str
    falls: float
    alone: str = ""
    settings: Mapping[str, float] = field(default_factory=dict)

    def __call__(self, z1: Tensor, z2: Tensor) -> Tensor:
        return self.of(z1, z2, **self.settings)


def half_cosine(z1: Tensor, z2: Tensor) -> Tensor:
    return negative_cosine(z1, z2) / 2


def in_ball(z1: Tensor, z2: Tensor, mu: float) -> Tensor:
    return spectral_contrastive_loss(into_ball(z1, mu), into_ball(z2, mu))


ALONE, WARM = "have no negatives", {"temperature": 0.3}
COEFFS = {"sim_coeff": 3.0, "std_coeff": 5.0, "cov_coeff": 7.0}
LOSSES = {
    "barlow_twins": Loss(
        barlow_twins_loss,
        "sides axes scale shift shifts",
        8.0,
        "do not correlate",
        {"lamb": 0.2},
    ),
    "byol": Loss(normalised_error, "sides axes rotation lengths", 2.0),
    "moco_v3": Loss(info_nce, "axes rotation lengths", 0.4, ALONE, WARM),
    "simclr": Loss(nt_xent, "sides axes rotation lengths", 0.5, ALONE, WARM),
    "simsiam": Loss(half_cosine, "sides axes rotation lengths", 0.5),
    "spectral_contrastive": Loss(
        in_ball, "sides axes rotation", 0.25, ALONE, {"mu": 0.5}
    ),
    "vicreg": Loss(vicreg_loss, "sides axes shift", 8.0, "have no variance", COEFFS),
}
each = pytest.mark.parametrize("name", LOSSES)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def small(name: str, world: Dataset, **settings: Any) -> TwoViews:
    return registry.load("methods", name)(world, rng(), **SMALL | settings)


def test_every_method_of_two_views_is_among_them() -> None:
    kinds = {name: registry.load("methods", name) for name in registry.names("methods")}
    known = [name for name, k in kinds.items() if k.prepare is TwoViews.prepare]
    assert known == [*LOSSES]


def changed(z1: Tensor, z2: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """The same pairs, seen otherwise."""
    d = z1.shape[1]
    turn = torch.linalg.qr(torch.randn(d, d, generator=rng(1), dtype=z1.dtype)).Q
    rows, axes = torch.randperm(len(z1), generator=rng(2)), torch.arange(d).roll(1)
    scale = torch.arange(1.0, d + 1)
    lengths = torch.rand(2, len(z1), 1, generator=rng(3)) + 0.2
    return {
        "axes": (z1[:, axes], z2[:, axes]),
        "lengths": (lengths[0] * z1, lengths[1] * z2),
        "order": (z1[rows], z2[rows]),
        "partners": (z1, z2.roll(1, 0)),
        "axes of one": (z1, z2.roll(1, 1)),
        "rotation": (z1 @ turn, z2 @ turn),
        "scale": (scale * z1, z2 / 2),
        "shift": (z1 + 3, z2 + 3),
        "shifts": (z1, z2 - 1),
        "sides": (z2, z1),
        "sign": (-z1, z2),
    }


@each
def test_a_loss_is_blind_to_what_it_should_be_and_to_nothing_else(
    name: str, pairs
) -> None:
    z1, noise = pairs(9, 4)
    z2 = z1 + noise / 2
    loss = LOSSES[name]
    for change, (a, b) in changed(z1, z2).items():
        gap = abs(loss(a, b) / loss(z1, z2) - 1).item()
        blind = change == "order" or change in loss.blind.split()
        assert gap < 1e-4 if blind else gap > 1e-2, (change, gap)
    # Pairs that agree are better than images that were never a pair.
    assert loss(*changed(z1, z2)["partners"]) > loss(z1, z2) + 0.3


@each
def test_a_loss_has_the_gradient_of_its_differences(name: str, pairs) -> None:
    z1, z2 = (z.requires_grad_() for z in pairs(5, 3))
    assert torch.autograd.gradcheck(LOSSES[name], (z1, z2))


@each
def test_a_loss_without_negatives_alone_takes_a_single_pair(name: str, pairs) -> None:
    loss = LOSSES[name]
    if not loss.alone:
        assert loss(*pairs(1, 3)).isfinite()
        return
    with pytest.raises(ValueError, match=f"1 pairs {loss.alone}; give at least 2"):
        loss(*pairs(1, 3))


@each
def test_a_world_that_can_redraw_gives_the_pair(name: str, redrawn: Dataset) -> None:
    batch = redrawn.sample(6, rng())
    first, second = small(name, redrawn).prepare(batch, rng(3))
    again = redrawn.redraw(batch, rng(3))
    assert again is not None
    assert torch.equal(first, batch.images)
    assert torch.equal(second, again.images)


@each
def test_a_world_that_cannot_is_augmented_twice(name: str, stripes: Dataset) -> None:
    batch = stripes.sample(6, rng())
    first, second = small(name, stripes).prepare(batch, rng(3))
    assert first.shape == second.shape == batch.images.shape
    assert not torch.allclose(first, second)
    assert not torch.allclose(first, batch.images)


def apart(method: TwoViews) -> TwoViews:
    """The same, as if after some steps: copies differ from what they are of."""
    with torch.no_grad():
        for name, weight in method.named_parameters():
            if name.startswith("momentum_"):
                weight += 0.1 * torch.randn(weight.shape, generator=rng(4))
    return method


def expected(method: TwoViews, loss: Loss, views: tuple[Tensor, Tensor]) -> Tensor:
    """The loss of each view projected by itself, and of predictions if it makes any.

    What is predicted has no gradient: a copy's projection, or the method's own.
    """

    def project(encoder: nn.Module, projector: nn.Module, x: Tensor) -> Tensor:
        read = encoder.readout(encoder(x))
        return projector(read["code" if method.encoder.bottleneck else "mean"])

    z1, z2 = (project(method.encoder, method.projector, x) for x in views)
    if not isinstance(method, SimSiam):
        return loss(z1, z2)
    own = copy.deepcopy(method).requires_grad_(False)
    encoder = getattr(own, "momentum_encoder", own.encoder)
    projector = getattr(own, "momentum_projector", own.projector)
    t1, t2 = (project(encoder, projector, x) for x in views)
    return loss(method.predictor(z1), t2) + loss(method.predictor(z2), t1)


@pytest.mark.parametrize("bottleneck", [0, 3])
@each
def test_the_loss_is_that_of_each_view_by_itself(
    name: str, bottleneck: int, redrawn: Dataset, agree
) -> None:
    loss = LOSSES[name]
    # In 64 bits: of 6 images some columns hardly vary, which magnifies rounding.
    method, plain = (
        apart(small(name, redrawn, bottleneck=bottleneck, **settings)).double()
        for settings in (loss.settings, {})
    )
    drawn = method.prepare(redrawn.sample(6, rng()), rng(3))
    views = tuple(view.double() for view in drawn)
    found, wanted = method(views), expected(method, loss, views)
    # Its settings have their say.
    assert torch.isclose(plain(views), wanted) != bool(loss.settings)
    agree(method, found, wanted)


@each
def test_it_learns_what_its_views_share_and_does_not_collapse(
    name: str, redrawn: Dataset, train, content, spread
) -> None:
    method = small(name, redrawn, steps=60, batch_size=32)
    batch = redrawn.sample(200, rng(11))
    before = method.pooled(batch.images).detach()
    losses = train(method)
    h = method.pooled(batch.images).detach()
    assert 1 - content(h, batch.labels) < 0.5 * (1 - content(before, batch.labels))
    assert h.std(0).mean() > 0.7 * before.std(0).mean()
    assert spread(method.projector(h)) > 0.6
    assert sum(losses[-5:]) / 5 < sum(losses[:5]) / 5 - LOSSES[name].falls


def test_augmented_views_teach_too(stripes: Dataset, train) -> None:
    losses = train(small("simclr", stripes, steps=40))
    assert sum(losses[-5:]) / 5 < sum(losses[:5]) / 5 - 0.3
