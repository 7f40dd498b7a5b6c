"""Samples have the covariance that is declared, and views noise along the nuisance."""

import math

import pytest
import torch

from mae_bench.datasets.aligned_nuisance import AlignedNuisance


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_samples_have_the_exact_covariances(samples_agree):
    samples_agree(AlignedNuisance(rng(), nuisance=0.5))


def test_the_covariance_has_four_signals_of_1_and_twelve_nuisances():
    values = torch.linalg.eigvalsh(AlignedNuisance(rng(), nuisance=7.0).covariance())
    torch.testing.assert_close(values, torch.tensor([1.0] * 4 + [7.0] * 12).double())


def test_a_views_noise_is_that_which_is_declared():
    world = AlignedNuisance(rng(), nuisance=2.0, alignment=0.5, isotropic=0.25)
    batch, n = world.sample(40_000, rng(1)), 40_000
    noise = (world.redraw(batch, rng(2)).images - batch.images).flatten(1).double()
    S = world.noise_covariance()
    torch.testing.assert_close(noise.T @ noise / n, S, atol=0.04, rtol=0)
    along = world.basis.T @ S @ world.basis
    torch.testing.assert_close(
        along, torch.tensor([0.25] * 4 + [1.25] * 12).double().diag()
    )


def test_unaligned_views_without_noise_are_the_image():
    world = AlignedNuisance(rng(), alignment=0.0)
    batch = world.sample(3, rng(1))
    assert torch.equal(world.redraw(batch, rng(2)).images, batch.images)


@pytest.mark.parametrize(
    "settings",
    [
        {"nuisance": 0.0},
        {"nuisance": math.inf},
        {"alignment": -0.1},
        {"isotropic": -1.0},
    ],
)
def test_a_setting_out_of_range_is_named(settings):
    with pytest.raises(ValueError, match=f"{next(iter(settings))} is"):
        AlignedNuisance(rng(), **settings)
