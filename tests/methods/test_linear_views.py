"""Losses are those of slow loops; training meets the closed form."""

import pytest
import torch

from mae_bench.datasets.aligned_nuisance import AlignedNuisance
from mae_bench.datasets.digits import Digits
from mae_bench.methods.linear_views import LinearViews, by_moments
from mae_bench.methods.spectral_contrastive import spectral_contrastive_loss
from mae_bench.oracles.aligned_views import kept_subspace
from mae_bench.oracles.principal_angle import principal_angle

BOTH = pytest.mark.parametrize("objective", ["reconstruction", "joint_embedding"])


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_by_moments_the_loss_is_the_spectral_contrastive_one(pairs):
    z1, z2 = pairs(12, 3)
    torch.testing.assert_close(by_moments(z1, z2), spectral_contrastive_loss(z1, z2))


def test_reconstruction_is_of_the_image_without_its_noise():
    world = AlignedNuisance(rng())
    method = LinearViews(world, rng())
    batch = world.sample(5, rng(1))
    view = world.redraw(batch, rng(2)).images.flatten(1)
    error = batch.images.flatten(1) - view @ method.A @ method.B
    found = method.loss(batch, rng(2))
    torch.testing.assert_close(found, error.square().mean())


def test_joint_embedding_sees_two_views_and_no_image():
    world = AlignedNuisance(rng())
    method = LinearViews(world, rng(), objective="joint_embedding")
    batch, noise = world.sample(5, rng(1)), rng(2)
    views = [world.redraw(batch, noise).images.flatten(1) for _ in range(2)]
    assert not torch.equal(*views)
    for one, other in zip(method.prepare(batch, rng(2)), views, strict=True):
        assert torch.equal(one, other)
    assert not hasattr(method, "B")


@BOTH
def test_it_learns_the_subspace_of_the_closed_form(objective, train):
    world = AlignedNuisance(rng(), nuisance=0.5, alignment=1.0)
    settings = {
        "objective": objective,
        "steps": 120,
        "batch_size": 256,
        "warmup": 0.1,
        "lr": 0.05,
    }
    method = LinearViews(world, rng(), **settings)
    losses = train(method)
    best = kept_subspace(world.covariance(), world.noise_covariance(), 4, objective)
    start = LinearViews(world, rng(), **settings).A.detach().double()
    assert principal_angle(start, best)[0] > 0.7
    assert principal_angle(method.A.detach().double(), best)[0] < 0.2
    assert losses[-1] < losses[0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"objective": "clip"}, "objective is 'clip'"),
        ({"rank": 0}, r"rank is 0; give an integer in 1\.\.16"),
        ({"rank": 17}, "rank is 17"),
    ],
)
def test_a_setting_out_of_range_is_named(settings, message):
    with pytest.raises(ValueError, match=message):
        LinearViews(AlignedNuisance(rng()), rng(), **settings)


def test_of_a_world_without_views_it_sees_augmentations_and_no_masked_view():
    digits = Digits(rng())
    method = LinearViews(digits, rng())
    batch = digits.sample(2, rng())
    view, image = method.prepare(batch, rng())
    assert torch.equal(image, batch.images.flatten(1))
    assert not torch.equal(view, image)
    with pytest.raises(ValueError, match="leave ids_keep out"):
        method.features(batch, torch.zeros(2, 1, dtype=torch.int64))
