import pytest
import torch

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.methods.denoising import Denoising
from mae_bench.models.vit import patchify


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_encoder_sees_noise_of_its_size_and_is_asked_for_the_clean_image() -> None:
    world = GaussianTree(stream())
    method = Denoising(world, stream(1), noise_std=0.5)
    batch = world.sample(500, stream(2))
    noise = method.corrupt(batch.images, stream(3)) - batch.images
    assert noise.std().item() == pytest.approx(0.5, rel=0.02)
    assert noise.mean().abs() < 0.02
    _, target, masking = method.reconstruct(batch, stream(3))
    assert torch.equal(target, patchify(batch.images, 2))
    assert masking.mask.sum() == 0


def test_the_noise_is_fresh_in_training_and_absent_from_the_features() -> None:
    world = GaussianTree(stream())
    method = Denoising(world, stream(1))
    batch = world.sample(8, stream(2))
    losses = {method.loss(batch, stream(k)).item() for k in (3, 4)}
    assert len(losses) == 2
    one, two = (method.features(batch)["mean"] for _ in range(2))
    assert torch.equal(one, two)


@pytest.mark.parametrize("noise_std", [0.0, -1.0, float("nan")])
def test_without_noise_it_refuses(noise_std: float) -> None:
    with pytest.raises(ValueError, match="choose a positive number"):
        Denoising(GaussianTree(stream()), stream(), noise_std=noise_std)
