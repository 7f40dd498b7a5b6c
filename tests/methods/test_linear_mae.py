"""Training meets the closed form; losses and masks are those of slow loops."""

from collections.abc import Callable
from itertools import product

import pytest
import torch
from torch import Tensor

from mae_bench.datasets import Batch
from mae_bench.datasets.digits import Digits
from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.methods.linear_mae import LinearMAE
from mae_bench.oracles.linear_mae import (
    all_pixels_loss,
    patch_index,
    solve_all_pixels,
    solve_denoising,
    solve_masked_only,
)
from mae_bench.oracles.principal_angle import principal_angle
from mae_bench.records import registry


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def world(**settings: int) -> GaussianTree:
    fixed = {"node_width": 2, "parent_weight": 0.8, "pixel_noise": 0.5}
    return GaussianTree(rng(), **(fixed | settings))


@pytest.fixture
def trained(train) -> Callable[..., LinearMAE]:
    """A method after its own optimiser's steps, on images and masks that are drawn."""

    def make(dataset: GaussianTree, **settings: float | bool) -> LinearMAE:
        method = LinearMAE(dataset, rng(1), **settings)
        train(method)
        return method.double().requires_grad_(False)

    return make


@pytest.mark.parametrize("mask_ratio", [0.25, 0.75])
@pytest.mark.parametrize(("patch_size", "rank"), [(2, 8), (4, 2)])
def test_training_ends_within_a_hundredth_of_the_closed_form(
    mask_ratio, patch_size, rank, trained
):
    tree, where = world(), {"mask_ratio": mask_ratio, "patch_size": patch_size}
    method = trained(tree, steps=400, rank=rank, **where)
    cov = tree.covariance()
    best = solve_all_pixels(cov, mask_ratio, patch_size, rank).loss
    reached = all_pixels_loss(method.A @ method.B, cov, mask_ratio, patch_size).item()
    assert best <= reached < 1.01 * best


def test_the_decoder_spans_the_closed_forms_subspace(trained):
    tree = world()  # its root and level 1 are 2 + 6 directions: U_8 is unique
    method = trained(tree, steps=400, rank=8, mask_ratio=0.5)
    subspace = solve_all_pixels(tree.covariance(), 0.5, 2, 8).subspace
    assert principal_angle(method.B.T, subspace).max() < 0.2
    untrained = LinearMAE(tree, rng(1), rank=8).double()
    assert principal_angle(untrained.B.T.detach(), subspace).max() > 1.2


def test_the_loss_of_masked_pixels_ends_within_a_hundredth_of_its_closed_form(trained):
    tree, m = world(tree_depth=1), 0.5
    method = trained(tree, steps=400, rank=16, mask_ratio=m, masked_only=True)
    cov, patches = tree.covariance(), patch_index(16, 2)
    reached = slow_loss(method.A @ method.B, cov, m, patches, masked_only=True)
    best = solve_masked_only(cov, m, 2).loss
    assert best <= reached < 1.01 * best


def slow_loss(
    weights: Tensor, cov: Tensor, m: float, patches: Tensor, *, masked_only: bool
) -> float:
    """The mean over every mask, one by one."""
    total = 0.0
    for kept in product((0.0, 1.0), repeat=4):
        seen = torch.tensor(kept, dtype=torch.float64)
        odds = (seen * (1 - m) + (1 - seen) * m).prod()
        seen = seen[patches]
        error = torch.eye(16, dtype=torch.float64) - seen[:, None] * weights
        error = error * (1 - seen) if masked_only else error
        total += float(odds * (error * (cov @ error)).sum())
    return total


@pytest.mark.parametrize("masked_only", [False, True])
def test_the_mean_loss_is_the_theorys_by_pixel(masked_only):
    tree, m, n = world(tree_depth=1), 0.6, 20_000
    method = LinearMAE(tree, rng(5), rank=4, mask_ratio=m, masked_only=masked_only)
    found = method.loss(tree.sample(n, rng(1)), rng(2)).item()
    weights = (method.A @ method.B).detach().double()
    patches = patch_index(16, 2)
    exact = slow_loss(weights, tree.covariance(), m, patches, masked_only=masked_only)
    pixels = 16 * m if masked_only else 16
    assert found == pytest.approx(exact / pixels, rel=0.03)


@pytest.mark.parametrize(
    ("mask_ratio", "noise_std"), [(0.6, 0.0), (0.0, 0.8), (0.6, 0.8)]
)
def test_the_expected_loss_is_the_mean_over_images_masks_and_noise(
    mask_ratio, noise_std
):
    tree = world(tree_depth=1)
    settings = {"rank": 4, "mask_ratio": mask_ratio, "noise_std": noise_std}
    drawn, exact = (
        LinearMAE(tree, rng(5), expected=expected, **settings)
        for expected in (False, True)
    )
    mean = drawn.loss(tree.sample(20_000, rng(1)), rng(2)).item()
    assert exact.loss(tree.sample(1, rng(1)), rng()).item() == pytest.approx(
        mean, rel=0.03
    )


def test_the_expected_loss_is_that_of_the_oracle():
    tree = world(channels=2)
    method = LinearMAE(tree, rng(), mask_ratio=0.4, patch_size=4)
    W = torch.randn(128, 128, generator=rng(), dtype=torch.float64) / 20
    cov = tree.covariance()
    exact = all_pixels_loss(W, cov, 0.4, 4, channels=2)
    torch.testing.assert_close(method.expected_loss(W, cov), exact)


def test_without_noise_of_drawn_images_training_ends_at_the_closed_form(trained):
    tree, where = world(), {"mask_ratio": 0.75, "patch_size": 2, "rank": 64}
    method = trained(tree, steps=400, batch_size=1, expected=True, **where)
    best = solve_all_pixels(tree.covariance(), 0.75, 2)
    W, exact = method.A @ method.B, best.encoder @ best.decoder
    assert (W - exact).norm() < 0.01 * exact.norm()


@pytest.mark.parametrize("noise_std", [0.0, 1.0])
def test_without_masks_it_learns_the_principal_subspace_at_any_noise(
    noise_std, trained
):
    tree = world()
    method = trained(tree, steps=400, rank=8, mask_ratio=0.0, noise_std=noise_std)
    pca = torch.linalg.eigh(tree.covariance()).eigenvectors[:, -8:]
    assert principal_angle(method.B.T, pca).max() < 0.2
    best = solve_denoising(tree.covariance(), noise_std, 8).loss
    reached = method.expected_loss(method.A @ method.B, tree.covariance()).item()
    assert best <= reached < 1.01 * best


def test_noise_is_fresh_gaussian_of_its_size_and_hidden_by_the_mask():
    tree = world()
    method = LinearMAE(tree, rng(), rank=64, mask_ratio=0.5, noise_std=2.0)
    with torch.no_grad():
        method.A.copy_(torch.eye(64))
        method.B.copy_(torch.eye(64))
    still = Batch(torch.zeros(4000, 1, 8, 8))
    # Of black images the copy gets the noise of the visible half alone.
    assert method.loss(still, rng(1)).item() == pytest.approx(4 * 0.5, rel=0.02)
    assert method.loss(still, rng(1)) != method.loss(still, rng(2))


def test_a_world_of_unknown_covariance_has_no_expected_loss():
    with pytest.raises(ValueError, match="Digits has no covariance"):
        LinearMAE(Digits(rng()), rng(), expected=True)


@pytest.mark.parametrize("masked_only", [False, True])
def test_the_loss_is_a_loop_over_images_and_pixels(masked_only):
    tree = world(channels=2)
    method = LinearMAE(tree, rng(), masked_only=masked_only, mask_ratio=0.5).double()
    batch = Batch(tree.sample(3, rng(1)).images.double())
    found = method.loss(batch, rng(2))
    kept, total = method.masks(3, rng(2)), 0.0
    for x, r in zip(batch.images.flatten(1), kept, strict=True):
        guess = sum(x[i] * method.A[i] for i in range(128) if r[i]) @ method.B
        for i in range(128):
            if not (masked_only and r[i]):
                total += (x[i] - guess[i]).item() ** 2
    assert found.item() == pytest.approx(
        total / (3 * 128 * (0.5 if masked_only else 1))
    )


def test_patches_are_kept_each_by_itself():
    method = LinearMAE(world(channels=2), rng(), mask_ratio=0.7, patch_size=4)
    kept = method.masks(5000, rng(1)).view(5000, 2, 2, 4, 2, 4)
    patch = kept[:, 0, :, 0, :, 0]
    assert torch.equal(kept, patch[:, None, :, None, :, None].expand_as(kept))
    flat = patch.flatten(1)
    assert (flat.mean(0) - 0.3).abs().max() < 0.03
    assert (torch.corrcoef(flat.T) - torch.eye(4)).abs().max() < 0.06
    assert set(flat.sum(1).tolist()) == {0, 1, 2, 3, 4}


def test_features_are_the_code_of_what_is_visible():
    tree = world(channels=2)
    method, batch = LinearMAE(tree, rng(), patch_size=4), tree.sample(5, rng(1))
    whole = method.features(batch)
    torch.testing.assert_close(whole["code"], batch.images.flatten(1) @ method.A)
    assert torch.equal(whole["code"], whole["mean"])
    corner = batch.images.clone()
    corner[:, :, :4] = 0
    corner[:, :, 4:, :4] = 0
    seen = method.features(batch, torch.full((5, 1), 3))["code"]
    torch.testing.assert_close(seen, corner.flatten(1) @ method.A)


def test_only_the_two_matrices_are_kept():
    for expected in (False, True):
        method = LinearMAE(world(), rng(), expected=expected)
        assert set(method.state_dict()) == {"A", "B"}
    assert registry.settings(LinearMAE)["weight_decay"] == 0.0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mask_ratio": -0.1}, "mask_ratio is -0.1"),
        ({"mask_ratio": 1.0}, "mask_ratio is 1.0"),
        ({"noise_std": -1.0}, "noise_std is -1.0"),
        ({"masked_only": True, "expected": True}, "needs drawn masks"),
        ({"masked_only": True, "mask_ratio": 0.0}, "needs drawn masks"),
        ({"rank": 0}, "rank is 0"),
        ({"rank": 65}, r"rank is 65; give an integer in 1\.\.64"),
        ({"patch_size": 3}, "patch_size is 3"),
    ],
)
def test_a_setting_out_of_range_is_named(settings, message):
    with pytest.raises(ValueError, match=message):
        LinearMAE(world(), rng(), **settings)
