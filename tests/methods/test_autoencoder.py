import pytest
import torch

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.methods.autoencoder import Autoencoder
from mae_bench.models.vit import patchify


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def world() -> GaussianTree:
    return GaussianTree(stream())


def test_it_sees_everything_and_is_asked_for_everything(world: GaussianTree) -> None:
    method = Autoencoder(world, stream(1))
    batch = world.sample(4, stream(2))
    prediction, target, masking = method.reconstruct(batch, stream(3))
    assert masking.mask.sum() == 0
    assert torch.equal(target, patchify(batch.images, 2))
    assert prediction.shape == target.shape


@pytest.mark.parametrize("asked", [{"mask_ratio": 0.75}, {"mask_family": "left"}])
def test_of_a_masked_image_it_is_asked_for_the_visible_patches(
    world: GaussianTree, asked: dict[str, float | str]
) -> None:
    method = Autoencoder(world, stream(1), **asked)
    batch = world.sample(4, stream(2))
    prediction, target, masking = method.reconstruct(batch, stream(3))
    assert masking.mask.sum() > 0
    for image in range(4):
        patches = patchify(batch.images, 2)[image]
        assert torch.equal(target[image], patches[masking.ids_keep[image]])
    assert prediction.shape == target.shape
