"""The optimum has no gap, and what is not the optimum has the gap that it should."""

import math

import pytest
import torch

from mae_bench.datasets.digits import Digits
from mae_bench.datasets.gaussian_field import GaussianField
from mae_bench.methods.linear_mae import LinearMAE
from mae_bench.methods.pixels import Pixels
from mae_bench.metrics import Skip
from mae_bench.metrics.closed_form_gap import closed_form_gap
from mae_bench.oracles.linear_mae import all_pixels_loss, solve_all_pixels


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def gap(method, world):
    return closed_form_gap(method, world, world.sample(2, rng()), rng())


def built(world, A=None, B=None, **settings):
    method = LinearMAE(world, rng(), **settings)
    with torch.no_grad():
        if A is not None:
            method.A.copy_(A)
            method.B.copy_(B)
    return method


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("patch_size", [2, 4])
def test_the_optimum_in_any_basis_of_its_code_has_no_gap(patch_size, channels):
    world = GaussianField(rng(), channels=channels)
    settings = {"mask_ratio": 0.6, "patch_size": patch_size, "rank": 4}
    best = solve_all_pixels(world.covariance(), 0.6, patch_size, 4, channels=channels)
    T = torch.randn(4, 4, generator=rng(), dtype=torch.float64)
    A, B = best.encoder @ T.inverse(), T @ best.decoder
    found = gap(built(world, A, B, **settings), world)
    assert found["loss"] == pytest.approx(0, abs=1e-9)
    assert found["angle"] == pytest.approx(0, abs=1e-5)
    assert found["overlap"] == pytest.approx(1, abs=1e-9)
    for name in ("radius", "out_of_patch_share", "overlap_pca"):
        assert found[name] == pytest.approx(found[f"{name}_closed_form"], rel=1e-5)


def test_a_model_that_says_nothing_loses_all_the_variance():
    world = GaussianField(rng())
    silent = built(world, torch.zeros(64, 8), torch.eye(8, 64), mask_ratio=0.5)
    best = solve_all_pixels(world.covariance(), 0.5, 2, 8)
    silent.A.data[0, 0] = 1e-9  # a reach of W = 0 is no number
    assert gap(silent, world)["loss"] == pytest.approx(64 / best.loss - 1, rel=1e-6)


def test_the_untrained_model_is_far_and_no_model_is_below_the_optimum():
    world = GaussianField(rng())
    found = gap(built(world), world)
    assert found["loss"] > 0.2
    assert 1 < found["angle"] <= math.pi / 2
    assert found["radius"] > found["radius_closed_form"]


def test_the_optimum_is_the_principal_subspace_in_the_whitened_field_alone():
    overlap = {
        spectrum: gap(
            built(world := GaussianField(rng(), spectrum=spectrum), mask_ratio=0.9),
            world,
        )["overlap_pca_closed_form"]
        for spectrum in ("exponential", "whitened")
    }
    assert overlap["whitened"] == pytest.approx(1)
    assert overlap["exponential"] < 0.99


@pytest.mark.parametrize("noise_std", [0.0, 0.5, 2.0])
def test_under_noise_the_optimum_is_the_principal_subspace_shrunk(noise_std):
    world = GaussianField(rng())
    values, vectors = torch.linalg.eigh(world.covariance())
    U, kept = vectors[:, -8:], values[-8:]
    A = U * (kept / (kept + noise_std**2))
    found = gap(built(world, A, U.T, mask_ratio=0.0, noise_std=noise_std), world)
    assert found["loss"] == pytest.approx(0, abs=1e-9)
    assert found["angle"] == pytest.approx(0, abs=1e-5)
    assert found["overlap_pca_closed_form"] == pytest.approx(1)
    # Unshrunk, the principal components let the noise pass: k of its d coordinates.
    residual = values[:-8].sum()
    best = residual + (kept * noise_std**2 / (kept + noise_std**2)).sum()
    passed = (residual + 8 * noise_std**2) / best
    assert found["loss_pca"] == pytest.approx(float(passed) - 1)


def test_principal_components_are_not_the_optimum_of_masked_images():
    world, m = GaussianField(rng()), 0.75
    best = solve_all_pixels(world.covariance(), m, 2, 8)
    pca = torch.linalg.eigh(world.covariance()).eigenvectors[:, -8:]
    exact = all_pixels_loss(pca @ pca.T, world.covariance(), m, 2).item()
    found = gap(built(world, mask_ratio=m), world)
    assert found["loss_pca"] == pytest.approx(exact / best.loss - 1)
    assert found["loss_pca"] > 0.01


def test_an_untrained_code_overlaps_by_chance():
    world = GaussianField(rng())
    found = gap(built(world), world)  # 8 random directions among 64
    assert found["overlap"] == pytest.approx(8 / 64, abs=0.1)


def test_what_has_no_closed_form_is_skipped():
    field, digits = GaussianField(rng()), Digits(rng())
    with pytest.raises(Skip, match="Pixels is no linear MAE"):
        gap(Pixels(field, rng()), field)
    with pytest.raises(Skip, match="loss on all pixels"):
        gap(built(field, masked_only=True), field)
    with pytest.raises(Skip, match="masks and noise together"):
        gap(built(field, noise_std=0.5), field)
    with pytest.raises(Skip, match="covariance of Digits"):
        gap(built(digits), digits)
