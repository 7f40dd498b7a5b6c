"""The closed forms against masks counted one by one, descent, and known limits."""

import math
import time
from itertools import pairwise, product

import pytest
import torch
from scipy.linalg import eigh, subspace_angles
from scipy.optimize import minimize

from mae_bench.oracles.linear_mae import (
    all_pixels_loss,
    all_ranks_loss,
    out_of_patch_share,
    patch_blocks,
    patch_index,
    radius,
    shrunk_covariance,
    solve_all_pixels,
    solve_denoising,
    solve_masked_only,
)
from tests.emulated import emulated, here

RATIOS = (0.01, 0.25, 0.5, 0.75, 0.9, 0.99)


def draw(seed, *shape):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def wishart(seed, d=16, rank=None):
    n = rank or 3 * d
    x = draw(seed, n, d) * torch.linspace(0.5, 2.0, d, dtype=torch.float64)
    return x.T @ x / n


def exponential_field(length, side=16):
    axis = torch.arange(side, dtype=torch.float64)
    where = torch.cartesian_prod(axis, axis)
    return torch.exp(-(where[:, None] - where).norm(dim=-1) / length)


def slow_loss(weights, covariance, mask_ratio, patches, *, masked_only=False):
    """The mean over every mask of the patches, one by one."""
    total = 0.0
    for kept in product((0.0, 1.0), repeat=int(patches.max()) + 1):
        kept = torch.tensor(kept, dtype=torch.float64)
        odds = (kept * (1 - mask_ratio) + (1 - kept) * mask_ratio).prod()
        seen = kept[patches]
        error = (
            torch.eye(len(covariance), dtype=torch.float64) - seen[:, None] * weights
        )
        error = error * (1 - seen) if masked_only else error
        total = total + odds * (error * (covariance @ error)).sum()
    return total


def largest_angle(one, other):
    return subspace_angles(one.numpy(), other.numpy()).max()


def product_of(best):
    return best.encoder @ best.decoder


def top(matrix, k):
    return torch.linalg.eigh(matrix)[1].flip(1)[:, :k]


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("mask_ratio", [0.2, 0.75])
@pytest.mark.parametrize("rank", [1, 3, 16])
def test_the_loss_is_the_mean_over_every_mask(mask_ratio, rank, channels):
    c = wishart(0, d=16 * channels)
    w = product_of(best := solve_all_pixels(c, mask_ratio, 2, rank, channels=channels))
    slow = slow_loss(w, c, mask_ratio, patch_index(16, 2).repeat(channels)).item()
    fast = all_pixels_loss(w, c, mask_ratio, 2, channels=channels).item()
    assert [best.loss, fast] == pytest.approx([slow, slow], rel=1e-12)


def test_the_loss_is_the_mean_over_drawn_images_and_masks():
    c, n, m = wishart(1), 100_000, 0.6
    x = draw(1, n, 16) @ torch.linalg.cholesky(c).T
    kept = torch.rand(n, 4, generator=torch.Generator().manual_seed(2)) >= m
    best = solve_all_pixels(c, m, 2, 5)
    seen = x * kept[:, patch_index(16, 2)]
    errors = (x - seen @ product_of(best)).square().sum(1)
    four_sigma = 4 * errors.std().item() / n**0.5
    assert errors.mean().item() == pytest.approx(best.loss, abs=four_sigma)


def test_descent_from_random_weights_ends_at_the_closed_form():
    c, m, k = wishart(2), 0.5, 3

    def loss_and_gradient(flat):
        ab = torch.from_numpy(flat).clone().requires_grad_()
        a, b = ab.reshape(2, 16, k)
        loss = all_pixels_loss(a @ b.T, c, m, 2)
        return loss.item(), torch.autograd.grad(loss, ab)[0].numpy()

    start = 0.3 * draw(3, 2 * 16 * k).numpy()
    found = minimize(loss_and_gradient, start, jac=True, method="L-BFGS-B", tol=1e-14)
    a, b = torch.from_numpy(found.x).reshape(2, 16, k)
    best = solve_all_pixels(c, m, 2, k)
    assert found.fun == pytest.approx(best.loss, rel=1e-9)
    assert found.fun >= best.loss * (1 - 1e-12)
    assert largest_angle(b, best.subspace) < 1e-3
    torch.testing.assert_close(a @ b.T, product_of(best), atol=1e-3, rtol=0)


def test_an_invertible_change_of_code_is_as_good():
    c, v = wishart(3), shrunk_covariance(wishart(3), 0.5, 2)
    best = solve_all_pixels(c, 0.5, 2, 4)
    b = (torch.eye(4, dtype=torch.float64) + 0.3 * wishart(4, 4)) @ best.subspace.T
    a = torch.linalg.solve(v, c) @ b.T @ torch.linalg.inv(b @ b.T)
    torch.testing.assert_close(a @ b, product_of(best))


def test_one_solution_serves_every_rank():
    c = wishart(5)
    losses = all_ranks_loss(c, 0.75, 2)
    slow = [solve_all_pixels(c, 0.75, 2, k).loss for k in range(1, 17)]
    assert losses.tolist() == pytest.approx([c.trace().item(), *slow])
    assert (losses.diff() <= 1e-12).all()
    full, part = solve_all_pixels(c, 0.75, 2), solve_all_pixels(c, 0.75, 2, 6)
    torch.testing.assert_close(full.encoder[:, :6], part.encoder)


def test_almost_no_mask_gives_pca_and_almost_nothing_else_what_patches_share():
    c = wishart(6)
    best = solve_all_pixels(c, 1e-9, 2, 4)
    assert largest_angle(best.subspace, top(c, 4)) < 1e-7
    torch.testing.assert_close(best.eigenvalues, torch.linalg.eigvalsh(c).flip(0))
    cross = c @ torch.linalg.solve(patch_blocks(c, 2), c)
    best = solve_all_pixels(c, 1 - 1e-9, 2, 4)
    assert largest_angle(best.subspace, top(cross, 4)) < 1e-6


@pytest.mark.parametrize("mask_ratio", RATIOS)
def test_pca_is_the_answer_where_the_patch_is_the_image(mask_ratio):
    c = wishart(8)
    best = solve_all_pixels(c, mask_ratio, 4, 4)
    assert largest_angle(best.subspace, top(c, 4)) < 1e-7
    unseen = mask_ratio * c.trace().item()
    assert solve_masked_only(c, mask_ratio, 4).loss == pytest.approx(unseen)


@pytest.mark.parametrize("mask_ratio", RATIOS)
def test_whitened_patches_give_pca_at_every_ratio(mask_ratio):
    c = wishart(10)
    values, vectors = torch.linalg.eigh(patch_blocks(c, 2))
    whiten = (vectors / values.sqrt()) @ vectors.T
    white = whiten @ c @ whiten
    best = solve_all_pixels(white, mask_ratio, 2, 4)
    assert largest_angle(best.subspace, top(white, 4)) < 1e-6
    spectrum = torch.linalg.eigvalsh(white).flip(0)
    expected = spectrum**2 / ((1 - mask_ratio) * spectrum + mask_ratio)
    torch.testing.assert_close(best.eigenvalues, expected)


def test_masking_turns_the_subspace_away_from_pca_and_noise_does_not():
    c = wishart(11)
    overlap = [
        (top(c, 4).T @ solve_all_pixels(c, m, 2, 4).subspace).square().sum() / 4
        for m in (1e-6, 0.5, 0.99)
    ]
    assert overlap[0] > 1 - 1e-6 > overlap[1] > overlap[2]
    for sigma in (0.0, 0.2, 5.0):
        noisy = solve_denoising(c, sigma, 4)
        assert largest_angle(noisy.subspace, top(c, 4)) < 1e-7


def test_the_denoiser_leaves_wieners_error():
    c, sigma = wishart(12), 0.7
    noisy = c + sigma**2 * torch.eye(16, dtype=torch.float64)
    best, spectrum = solve_denoising(c, sigma, 3), torch.linalg.eigvalsh(c)
    gains = spectrum**2 / (spectrum + sigma**2)
    assert best.loss == pytest.approx((c.trace() - gains[-3:].sum()).item())
    w = product_of(best)
    assert torch.trace(c - 2 * c @ w + w.T @ noisy @ w).item() == pytest.approx(
        best.loss
    )


@pytest.mark.parametrize("patch_size", [1, 2, 4])
def test_masks_as_multiplicative_noise_pose_the_same_problem(patch_size):
    c, q = wishart(13), 0.6
    patches = patch_index(16, patch_size)
    same = (patches[:, None] == patches).double()
    m2 = c * (1 - q) * (same + (1 - q) * (1 - same))
    torch.testing.assert_close(m2, (1 - q) * shrunk_covariance(c, q, patch_size))
    _, vectors = eigh(((1 - q) ** 2 * c @ c).numpy(), m2.numpy())
    best = solve_all_pixels(c, q, patch_size, 4)
    assert subspace_angles(vectors[:, -4:], best.encoder.numpy()).max() < 1e-6


@pytest.mark.parametrize("mask_ratio", [0.2, 0.75])
def test_no_map_predicts_masked_pixels_better(mask_ratio):
    c, patches = wishart(14), patch_index(16, 2)
    best = solve_masked_only(c, mask_ratio, 2)
    weights = best.weights.clone().requires_grad_()
    loss = slow_loss(weights, c, mask_ratio, patches, masked_only=True)
    assert loss.item() == pytest.approx(best.loss, rel=1e-12)
    (gradient,) = torch.autograd.grad(loss, weights)  # the loss is convex in W
    assert gradient.abs().max() < 1e-12
    other = product_of(solve_all_pixels(c, mask_ratio, 2))
    worse = slow_loss(other, c, mask_ratio, patches, masked_only=True)
    assert worse > 1.001 * best.loss


def test_flat_images_have_a_singular_covariance_and_an_answer():
    c, patches = wishart(15, rank=5), patch_index(16, 2)
    best = solve_all_pixels(c, 0.5, 2, 5)
    slow = slow_loss(product_of(best), c, 0.5, patches)
    assert slow.item() == pytest.approx(best.loss, rel=1e-9)
    ridge = 1e-9 * torch.eye(16, dtype=torch.float64)
    nearby = solve_all_pixels(c + ridge, 0.5, 2, 5).loss
    assert best.loss == pytest.approx(nearby, rel=1e-6)
    masked = solve_masked_only(c, 0.5, 2)
    slow = slow_loss(masked.weights, c, 0.5, patches, masked_only=True)
    assert masked.loss == pytest.approx(slow.item(), rel=1e-9)


@pytest.mark.parametrize("channels", [1, 2])
def test_an_identity_reaches_nowhere_and_a_constant_everywhere(channels):
    pixels = list(product(range(4), repeat=2))
    slow = sum(math.dist(one, other) for one in pixels for other in pixels) / 256
    identity = torch.eye(16 * channels, dtype=torch.float64)
    flat = torch.ones_like(identity)
    assert radius(identity, channels=channels) == 0
    assert out_of_patch_share(identity, 2, channels=channels) == 0
    assert radius(-flat, channels=channels) == pytest.approx(slow)
    assert out_of_patch_share(-flat, 2, channels=channels) == pytest.approx(0.75)


REACH = {  # correlation length, k, p -> radius at RATIOS | share outside the patch
    (4, None, 2): ".20 1.57 2.21 2.93 3.67 4.63 | .09 .59 .74 .84 .90 .94",
    (4, 64, 2): "4.71 3.87 3.60 3.59 3.91 4.66 | .81 .86 .88 .91 .93 .95",
    (4, 16, 2): "5.16 5.37 5.26 5.02 4.87 5.09 | .90 .94 .95 .95 .95 .96",
    (1, None, 1): ".02 .33 .62 .98 1.33 1.66 | .02 .28 .49 .66 .75 .81",
    (1, None, 8): ".01 .21 .34 .43 .48 .51 | .00 .08 .13 .18 .21 .23",
}


@pytest.mark.parametrize("setting", REACH)
def test_masking_widens_full_rank_maps_but_not_bottlenecks(setting):
    length, rank, p = setting
    c = exponential_field(length)
    maps = [product_of(solve_all_pixels(c, m, p, rank)) for m in RATIOS]
    radii = [radius(w) for w in maps]
    shares = [out_of_patch_share(w, p) for w in maps]
    expected = [float(cell) for cell in REACH[setting].replace("|", "").split()]
    # Rank 16 splits a pair of equal eigenvalues: the last direction is LAPACK's choice,
    # and moves the radius by up to 0.03, as half a turn of the pair shows.
    tolerance = 0.035 if rank == 16 else 0.0051
    assert radii + shares == pytest.approx(expected, abs=tolerance)
    assert all(b > a for a, b in pairwise(radii)) == (rank is None)


PEAKS = {4: [1.91, 2.93, 3.39, 3.14], 1: [0.98, 1.06, 0.85, 0.43]}


@pytest.mark.parametrize("length", PEAKS)
def test_reach_peaks_where_the_patch_is_about_the_correlation_length(length):
    c, sizes = exponential_field(length), (1, 2, 4, 8)
    maps = [product_of(solve_all_pixels(c, 0.75, p)) for p in sizes]
    assert [radius(w) for w in maps] == pytest.approx(PEAKS[length], abs=0.0051)
    shares = [out_of_patch_share(w, p) for w, p in zip(maps, sizes, strict=True)]
    assert shares == sorted(shares, reverse=True)


def test_all_ranks_of_an_image_of_16_by_16_take_less_than_a_second():
    start = time.perf_counter()
    all_ranks_loss(exponential_field(4), 0.75, 2)
    assert time.perf_counter() - start < 1


C, ONE = wishart(0), torch.eye(16, dtype=torch.float64)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: solve_all_pixels(C, 0.0, 2), "mask_ratio is 0.0"),
        (lambda: solve_masked_only(C, 1.0, 2), "mask_ratio is 1.0"),
        (lambda: solve_all_pixels(C, 0.5, 3), "patch_size is 3"),
        (lambda: solve_all_pixels(C, 0.5, 2, 0), "rank is 0"),
        (lambda: solve_denoising(C, 0.5, 17), "rank is 17"),
        (lambda: patch_blocks(C, 2, channels=2), "16 pixels are not 2 square"),
        (lambda: all_ranks_loss(C + C[0], 0.5, 2), "not symmetric"),
        (lambda: solve_masked_only(C - 9 * ONE, 0.5, 2), "eigenvalue"),
        (lambda: solve_denoising(C / 0, 0.5), "not finite"),
        (lambda: solve_denoising(C, -1.0), "sigma is -1"),
    ],
)
def test_a_value_out_of_range_is_named(ask, message):
    with pytest.raises(ValueError, match=message):
        ask()


@pytest.mark.parametrize(
    "answer",
    [
        lambda C: solve_all_pixels(C, 0.5, 2).encoder,
        lambda C: solve_denoising(C, 0.5).encoder,
        lambda C: solve_masked_only(C, 0.5, 2).weights,
        lambda C: all_ranks_loss(C, 0.5, 2),
        lambda C: patch_blocks(C, 2),
        lambda C: C.new_tensor(radius(C)),
        lambda C: C.new_tensor(out_of_patch_share(C, 2)),
    ],
)
def test_answers_are_on_the_covariances_device(answer):
    expected = answer(C)
    with emulated():
        found = answer(C.to("cuda"))
    assert found.device.type == "cuda"
    torch.testing.assert_close(here(found), expected)
