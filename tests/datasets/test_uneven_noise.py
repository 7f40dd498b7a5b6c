"""Samples have the covariance that is declared."""

import pytest
import torch

from mae_bench.datasets.uneven_noise import UnevenNoise


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("noise_ratio", [1.0, 4.0])
def test_samples_have_the_exact_covariances(noise_ratio, samples_agree):
    samples_agree(UnevenNoise(rng(), image_size=3, noise_ratio=noise_ratio))


def test_half_of_the_pixels_are_loud_and_the_direction_is_no_pixel():
    world = UnevenNoise(rng(), image_size=4, noise_ratio=9.0)
    assert sorted(world.noise.tolist()) == [1.0] * 8 + [9.0] * 8
    assert world.direction.norm().item() == pytest.approx(1)
    assert world.direction.abs().max() < 0.8


@pytest.mark.parametrize(
    "settings", [{"image_size": 1}, {"spike": -1.0}, {"noise_ratio": 0.0}]
)
def test_a_setting_out_of_range_is_named(settings):
    with pytest.raises(ValueError, match=f"{next(iter(settings))} is"):
        UnevenNoise(rng(), **settings)
