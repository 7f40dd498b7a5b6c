"""An encoder that does not look is invariant, and has nothing to say."""

import math

import pytest
import torch

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.methods.autoencoder import Autoencoder
from mae_bench.methods.linear_mae import LinearMAE
from mae_bench.methods.mae import MAE
from mae_bench.methods.random_init import RandomInit
from mae_bench.metrics import Skip
from mae_bench.metrics.occlusion_invariance import occlusion_invariance


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def found(method, world, batch=None):
    batch = world.sample(300, rng(3)) if batch is None else batch
    with torch.inference_mode():
        return occlusion_invariance(method, world, batch, rng(4))


@pytest.fixture
def world():
    return GaussianTree(rng())


def test_an_encoder_that_does_not_look_is_invariant_without_a_gap(world):
    method = RandomInit(world, rng(), depth=0, pos_embed=False)
    torch.nn.init.zeros_(method.encoder.patch_embed.weight)
    method.encoder.patch_embed.bias.data = torch.randn(32, generator=rng(1))
    values = found(method, world)
    assert values["cosine"] == pytest.approx(1, abs=1e-6)
    assert values["cosine_gap"] == pytest.approx(0, abs=1e-6)
    assert math.isnan(values["cka"])


def test_images_whose_patches_are_all_alike_can_be_told_from_any(world):
    method = RandomInit(world, rng(), depth=0, pos_embed=False)
    batch = world.sample(200, rng(3))
    tiled = batch.images[:, :, :2, :2].repeat(1, 1, 4, 4)
    values = found(method, world, type(batch)(tiled))
    assert values["cka"] == pytest.approx(1, abs=1e-6)
    assert values["cosine"] == pytest.approx(1, abs=1e-6)
    assert values["cosine_gap"] > 0.5


def test_images_of_unrelated_patches_cannot(world):
    # The mean over 4 of 16 independent patches shares a quarter of its variance with
    # the mean over all of them: CKA of linear features is the squared correlation.
    method = RandomInit(world, rng(), depth=0, pos_embed=False)
    # The norm would divide by the length of each token.
    method.encoder.norm = torch.nn.Identity()
    batch = world.sample(2000, rng(3))
    noise = torch.randn(batch.images.shape, generator=rng(5))
    values = found(method, world, type(batch)(noise))
    assert values["cka"] == pytest.approx(0.25, abs=0.06)


def test_the_masks_are_the_methods_own(world):
    mild, hard = (
        found(MAE(world, rng(), mask_ratio=ratio), world)["cka"] for ratio in (0.1, 0.9)
    )
    assert mild > hard + 0.2


def test_where_nothing_is_masked_or_seen_by_patches_it_is_skipped(world):
    with pytest.raises(Skip, match="nothing is masked"):
        found(Autoencoder(world, rng()), world)
    with pytest.raises(Skip, match="LinearMAE does not look at patches"):
        found(LinearMAE(world, rng()), world)
