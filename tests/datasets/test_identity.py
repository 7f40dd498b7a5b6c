"""The pixels are the latents, and nothing else."""

import pytest
import torch

from mae_bench.datasets.identity import Identity


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("size", "channels"), [(4, 1), (1, 1), (3, 2)])
def test_the_pixels_are_the_latents(size, channels):
    world = Identity(rng(), image_size=size, channels=channels)
    batch = world.sample(6, rng())
    assert batch.images.shape == (6, channels, size, size)
    assert torch.equal(batch.latents["level_0"], batch.images.flatten(1))
    assert torch.equal(batch.labels == 1, batch.latents["level_0"][:, 0] > 0)
    assert tuple(batch.latents) == world.levels


def test_samples_have_the_declared_covariance_and_balanced_classes(samples_agree):
    samples_agree(Identity(rng()))
    labels = Identity(rng()).sample(40_000, rng(1)).labels
    assert labels.float().mean().item() == pytest.approx(0.5, abs=0.0125)


@pytest.mark.parametrize("settings", [{"image_size": 0}, {"channels": 0}])
def test_an_empty_image_is_refused(settings):
    with pytest.raises(ValueError, match="is empty; choose"):
        Identity(rng(), **settings)
