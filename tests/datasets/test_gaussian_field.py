"""Fields have the covariance that they state; surrogates keep second moments only."""

import math
from itertools import product

import pytest
import torch

from mae_bench.datasets import Batch
from mae_bench.datasets.gaussian_field import (
    GaussianField,
    exponential,
    longest_waves,
    power,
    surrogate,
    whiten_patches,
)

WORLDS = [
    {},
    {"spectrum": "power", "image_size": 6},
    {"spectrum": "whitened", "patch_size": 4},
    {"image_size": 4, "channels": 3, "length": 0.5},
]


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def eye(d: int) -> torch.Tensor:
    return torch.eye(d, dtype=torch.float64)


@pytest.mark.parametrize("settings", WORLDS)
def test_samples_have_the_exact_covariances_and_waves_are_independent(
    settings, samples_agree
):
    world, n = GaussianField(rng(), **settings), 40_000
    samples_agree(world)
    z = world.sample(n, rng(1)).latents["level_0"].double()
    assert (z.T @ z / n - eye(3)).abs().max() < 5.5 * math.sqrt(2 / n)


@pytest.mark.parametrize("settings", WORLDS)
def test_pixels_have_variance_one_and_none_is_a_function_of_the_others(settings):
    C = GaussianField(rng(), **settings).covariance()
    torch.testing.assert_close(C.diag(), torch.ones_like(C.diag()), atol=1e-12, rtol=0)
    torch.testing.assert_close(C, C.T, atol=1e-12, rtol=0)
    assert torch.linalg.eigvalsh(C).min() > 1e-3


@pytest.mark.parametrize("settings", WORLDS)
def test_latents_are_the_longest_waves_scaled_and_independent(settings):
    world = GaussianField(rng(), **settings)
    batch = world.sample(50, rng(1))
    w, z = world.image_size, batch.latents["level_0"].double()
    x = batch.images.double().mean(1)
    wave = [math.cos(math.pi * (i + 0.5) / w) for i in range(w)]
    slow = torch.zeros(50, 3, dtype=torch.float64)
    for i, j in product(range(w), repeat=2):
        slow += x[:, i, j, None] * torch.tensor([1.0, wave[j], wave[i]]).double()
    assert (slow / z).std(0).max() < 1e-3
    assert (slow / z > 0).all()
    # Var(z) = I exactly: z = P x and Cov(z, x) = P C, so Var(z) = P C Pᵀ.
    cross = world.cross_covariance()["level_0"]
    C = world.covariance()
    within = cross @ torch.linalg.solve(C, cross.T)
    torch.testing.assert_close(within, eye(3), atol=1e-10, rtol=0)


def test_exponential_correlations_fall_with_the_distance():
    C = exponential(5, 1.5).view(5, 5, 5, 5)
    for i, j, k, m in product(range(5), repeat=4):
        d = math.dist((i, j), (k, m))
        assert C[i, j, k, m].item() == pytest.approx(math.exp(-d / 1.5), rel=1e-12)


@pytest.mark.parametrize("w", [4, 5])
def test_the_power_field_has_its_spectrum_and_no_place(w):
    C = power(w, 2.0).view(w, w, w, w)
    for i, j in product(range(w), repeat=2):
        moved = C.roll((i, j, i, j), (0, 1, 2, 3))
        torch.testing.assert_close(moved, C, atol=1e-12, rtol=0)
    spectrum = torch.fft.fft2(C[0, 0]).real
    for i, j in product(range(w), repeat=2):
        f = math.hypot(min(i, w - i), min(j, w - j)) / w
        expected = (f * w) ** -2 if f > 0 else 1.0
        assert (spectrum[i, j] / spectrum[0, 1]).item() == pytest.approx(expected)


def test_the_flat_spectrum_is_white():
    torch.testing.assert_close(power(4, 0.0), eye(16), atol=1e-12, rtol=0)


def test_whitened_patches_are_white_within_and_correlated_across():
    C = GaussianField(rng(), spectrum="whitened", channels=2).covariance()
    blocks = C.view(2, 4, 2, 4, 2, 2, 4, 2, 4, 2)
    for r, s in product(range(4), repeat=2):
        patch = blocks[:, r, :, s, :, :, r, :, s, :].reshape(8, 8)
        torch.testing.assert_close(patch, eye(8), atol=1e-10, rtol=0)
    across = blocks[0, 0, 1, 0, 1, 0, 1, 0, 1, 0]
    assert across > 0.2
    # V = (1-m) C + m I has the eigenvectors of C: they commute.
    V = 0.25 * C + 0.75 * eye(128)
    torch.testing.assert_close(C @ V, V @ C, atol=1e-10, rtol=0)


def test_whitening_white_patches_changes_nothing():
    once = whiten_patches(exponential(4, 2.0), 2)
    torch.testing.assert_close(whiten_patches(once, 2), once, atol=1e-10, rtol=0)


def test_the_longest_waves_are_orthogonal():
    waves = longest_waves(6)
    gram = waves @ waves.T
    torch.testing.assert_close(gram, torch.tensor([36.0, 18, 18]).double().diag())


def test_classes_are_the_quadrants_of_two_waves_and_balanced():
    batch = GaussianField(rng()).sample(40_000, rng(1))
    slow = [int(a > 0) + 2 * int(b > 0) for a, b, _ in batch.latents["level_0"][:200]]
    assert batch.labels[:200].tolist() == slow
    share = batch.labels.bincount(minlength=4) / len(batch)
    assert share.sub(0.25).abs().max() < 0.01


@pytest.mark.parametrize("settings", WORLDS)
def test_a_view_shares_the_waves_and_what_they_say_and_no_more(settings):
    world, n = GaussianField(rng(), **settings), 40_000
    batch = world.sample(n, rng(1))
    view = world.redraw(batch, rng(2))
    assert torch.equal(view.latents["level_0"], batch.latents["level_0"])
    assert torch.equal(view.labels, batch.labels)
    x, y = (b.images.flatten(1).double() for b in (batch, view))
    z, cross = batch.latents["level_0"].double(), world.cross_covariance()["level_0"]
    assert (x.T @ y / n - cross.T @ cross).abs().max() < 5.5 * math.sqrt(2 / n)
    assert (y.T @ y / n - world.covariance()).abs().max() < 5.5 * math.sqrt(2 / n)
    # The view's own waves are those that it kept.
    readout = torch.linalg.solve(world.covariance(), cross.T)
    torch.testing.assert_close(y @ readout, z, atol=1e-4, rtol=0)


def test_the_world_draws_nothing():
    one, two = GaussianField(rng(0)), GaussianField(rng(1))
    assert torch.equal(one.covariance(), two.covariance())


def test_a_batch_is_what_the_world_declares():
    world = GaussianField(rng(), channels=2, image_size=4)
    batch = world.sample(5, rng())
    assert batch.images.shape == (5, 2, 4, 4)
    assert batch.images.dtype == batch.latents["level_0"].dtype == torch.float32
    assert tuple(batch.latents) == world.levels


def test_the_gaussian_surrogate_has_the_images_mean_and_covariance():
    # Two values a pixel, mean 1: as far from Gaussian as can be.
    coins = torch.rand(400, 1, 3, 3, generator=rng()) < 0.5
    images = 2.0 * coins.cummax(3).values + torch.arange(3.0)
    pool = torch.cat([surrogate(images, rng(seed)) for seed in range(50)])
    x, y = images.flatten(1), pool.flatten(1)
    torch.testing.assert_close(y.mean(0), x.mean(0), atol=0.05, rtol=0)
    torch.testing.assert_close(y.T.cov(), x.T.cov(), atol=0.08, rtol=0)
    standard = (y - y.mean(0)) / y.std(0)
    assert (standard**4).mean().item() == pytest.approx(3, abs=0.1)


@pytest.mark.parametrize("side", [7, 8])
def test_scrambled_phases_keep_each_power_spectrum_mean_and_channel_relation(side):
    images = torch.randn(20, 2, side, side, generator=rng()).exp()
    found = surrogate(images, rng(1), kind="phase")
    before, after = torch.fft.fft2(images), torch.fft.fft2(found)
    torch.testing.assert_close(after.abs(), before.abs(), atol=1e-3, rtol=1e-4)
    torch.testing.assert_close(found.mean((2, 3)), images.mean((2, 3)))
    cross = [f[:, 0] * f[:, 1].conj() for f in (before, after)]
    torch.testing.assert_close(*cross, atol=0.05, rtol=1e-3)


def test_scrambled_phases_take_the_edges_away():
    bars = torch.zeros(500, 1, 8, 8)
    bars[:, :, :, 2] = 1.0
    found = surrogate(bars, rng(), kind="phase")
    angles = torch.fft.fft2(found)[:, 0, 0, 1].angle()
    # Uniform angles: mean of e^{i t} is of size 1 / sqrt(n).
    assert torch.polar(torch.ones(500), angles).mean().abs() < 4 / math.sqrt(500)
    assert not torch.equal(found, surrogate(bars, rng(1), kind="phase"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"image_size": 1}, "image_size is 1"),
        ({"image_size": 65}, "image_size is 65"),
        ({"channels": 0}, "channels is 0"),
        ({"spectrum": "pink"}, "spectrum is 'pink'; choose one of"),
        ({"length": 0.0}, "length is 0.0"),
        ({"length": math.nan}, "length is nan"),
        ({"spectrum": "power", "exponent": -1.0}, "exponent is -1.0"),
        ({"spectrum": "whitened", "patch_size": 3}, "patch_size is 3; .* divisor of 8"),
        ({"spectrum": "whitened", "patch_size": 0}, "patch_size is 0"),
    ],
)
def test_a_setting_out_of_range_is_named(settings, message):
    with pytest.raises(ValueError, match=message):
        GaussianField(rng(), **settings)


def test_images_of_another_world_are_not_redrawn():
    world = GaussianField(rng())
    with pytest.raises(ValueError, match="not of this field"):
        world.redraw(Batch(torch.zeros(3, 1, 8, 8)), rng())
    other = GaussianField(rng(), image_size=4).sample(3, rng())
    with pytest.raises(ValueError, match=r"images of \(1, 4, 4\)"):
        world.redraw(other, rng())


def test_a_surrogate_needs_a_known_kind_and_two_images():
    with pytest.raises(ValueError, match="kind is 'pink'"):
        surrogate(torch.zeros(3, 1, 4, 4), rng(), kind="pink")
    with pytest.raises(ValueError, match="1 images have no covariance"):
        surrogate(torch.zeros(1, 1, 4, 4), rng())
