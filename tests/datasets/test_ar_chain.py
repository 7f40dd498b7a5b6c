"""Samples have the covariance that is declared."""

import pytest
import torch

from mae_bench.datasets.ar_chain import ARChain


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("phi", [0.0, 0.7, -0.4])
def test_samples_have_the_exact_covariances(phi, samples_agree):
    samples_agree(ARChain(rng(), phi=phi))


def test_a_pixel_is_told_by_its_neighbours_in_the_chain_alone():
    precision = torch.linalg.inv(ARChain(rng(), phi=0.7).covariance())
    far = (torch.arange(9)[:, None] - torch.arange(9)).abs() > 1
    assert precision[far].abs().max() < 1e-12
    assert (precision.diag(1) < -1).all()


@pytest.mark.parametrize("settings", [{"image_size": 1}, {"phi": 1.0}, {"phi": -1.0}])
def test_a_setting_out_of_range_is_named(settings):
    with pytest.raises(ValueError, match=f"{next(iter(settings))} is"):
        ARChain(rng(), **settings)
