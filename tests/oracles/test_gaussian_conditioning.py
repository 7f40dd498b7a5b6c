"""Conditioning agrees with NumPy mask by mask, and with what samples of a tree show."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression
from torch import Tensor

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.datasets.identity import Identity
from mae_bench.oracles.gaussian_conditioning import (
    bayes_error,
    best_code,
    conditional_mean,
    recoverable_r2,
)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def joint(d: int = 12, k: int = 3, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Cov(x) and Cov(z, x) of dependent numbers, Var(z) = 1."""
    loads = torch.randn(d + k, 5, generator=rng(seed), dtype=torch.float64)
    both = loads @ loads.T + 0.3 * torch.eye(d + k, dtype=torch.float64)
    scale = torch.cat([both.diag()[:k].rsqrt(), torch.ones(d).double()])
    both = scale[:, None] * both * scale
    return both[k:, k:], both[:k, k:]


def masks(kind: str, n: int = 20, d: int = 12, seed: int = 0) -> Tensor:
    """Masks of 9 pixels of 12, or of any number from 1 to 11."""
    noise = torch.rand(n, d, generator=rng(seed))
    rank = noise.argsort(1).argsort(1)
    if kind == "equal":
        return (rank < 9).float()
    return (rank < torch.randint(1, d, (n, 1), generator=rng(seed + 1))).float()


def tree() -> tuple[GaussianTree, Tensor]:
    """The default world, and masks of 12 of its 16 patches."""
    hidden = torch.rand(60, 16, generator=rng(5)).argsort(1).argsort(1) < 12
    square = hidden.view(60, 4, 4).repeat_interleave(2, 1).repeat_interleave(2, 2)
    return GaussianTree(rng(), node_width=2), square.flatten(1).float()


def slow(
    C: Tensor, cross: Tensor, x: Tensor, mask: Tensor
) -> tuple[np.ndarray, float, np.ndarray]:
    """Filled image, error and R² of one mask, by an explicit inverse."""
    C, cross, x = C.numpy(), cross.numpy(), x.double().numpy()
    v, m = np.flatnonzero(mask.numpy() == 0), np.flatnonzero(mask.numpy() == 1)
    inverse = np.linalg.inv(C[np.ix_(v, v)])
    filled = x.copy()
    filled[m] = C[np.ix_(m, v)] @ inverse @ x[v]
    left = C[np.ix_(m, m)] - C[np.ix_(m, v)] @ inverse @ C[np.ix_(v, m)]
    r2 = np.einsum("kv,vw,kw->k", cross[:, v], inverse, cross[:, v])
    return filled, float(np.trace(left) / len(m)), r2


@pytest.mark.parametrize("kind", ["equal", "unequal"])
@pytest.mark.parametrize("seed", [0, 1])
def test_every_mask_is_conditioned_on_as_if_it_were_alone(kind, seed):
    (C, cross), mask = joint(seed=seed), masks(kind, seed=seed)
    x = torch.randn(20, 12, generator=rng(9))
    filled, error = conditional_mean(C, x, mask), bayes_error(C, mask)
    r2 = recoverable_r2(C, cross, mask)
    for i in range(20):
        expected = slow(C, cross, x[i], mask[i])
        np.testing.assert_allclose(filled[i], expected[0], atol=1e-10)
        assert error[i].item() == pytest.approx(expected[1], rel=1e-10)
        np.testing.assert_allclose(r2[i], expected[2], atol=1e-10)
        assert bayes_error(C, mask[i]).item() == pytest.approx(expected[1], rel=1e-10)
        torch.testing.assert_close(recoverable_r2(C, cross, mask[i]), r2[i])


def test_what_stands_under_a_mask_does_not_matter():
    (C, _), mask = joint(), masks("unequal")
    x = torch.randn(20, 12, generator=rng())
    holed = torch.where(mask == 1, torch.nan, x)
    torch.testing.assert_close(
        conditional_mean(C, holed, mask), conditional_mean(C, x, mask)
    )


def test_the_conditional_mean_of_a_tree_errs_as_much_as_bayes_says():
    world, mask = tree()
    mask = mask.repeat_interleave(100, 0)
    x = world.sample(len(mask), rng(1)).images.flatten(1)
    C = world.covariance()
    wrong = (conditional_mean(C, x, mask) - x).square().sum(1) / mask.sum(1)
    surprise = wrong - bayes_error(C, mask)
    assert surprise.mean().abs() < 4 * surprise.std() / len(mask) ** 0.5


def test_a_big_regression_recovers_of_a_trees_latents_what_it_can():
    world, mask = tree()
    batch = world.sample(20_000, rng(2))
    x, cross = batch.images.flatten(1), world.cross_covariance()
    for hidden in (torch.zeros(64), mask[0], mask[1]):
        seen = x[:, hidden == 0].numpy()
        for level, z in batch.latents.items():
            best = recoverable_r2(world.covariance(), cross[level], hidden)
            fit = LinearRegression().fit(seen, z.numpy())
            left = z.numpy() - fit.predict(seen)
            found = 1 - left.var(0) / z.numpy().var(0)
            np.testing.assert_allclose(found, best, atol=0.025)


def test_an_identity_tells_of_visible_latents_all_and_of_masked_ones_nothing():
    world = Identity(rng())
    mask = masks("unequal", d=16)
    cross = world.cross_covariance()["level_0"]
    r2 = recoverable_r2(world.covariance(), cross, mask)
    torch.testing.assert_close(r2, 1 - mask.double())
    assert (bayes_error(world.covariance(), mask) == 1).all()


def test_a_pixel_more_never_hurts():
    C, cross = joint()
    order = torch.arange(12)
    nested = torch.stack([(order >= kept).float() for kept in range(1, 12)])
    r2 = recoverable_r2(C, cross, nested)
    assert (r2.diff(dim=0) >= -1e-12).all()
    per_pixel = [
        (C[11, 11] - C[11, :k] @ torch.linalg.solve(C[:k, :k], C[:k, 11])).item()
        for k in range(1, 12)
    ]
    assert per_pixel == sorted(per_pixel, reverse=True)
    assert bayes_error(C, nested[-1]).item() == pytest.approx(per_pixel[-1])


def test_a_copy_of_a_visible_pixel_is_known():
    C, _ = joint()
    twins = torch.cat([torch.arange(12), torch.tensor([3])])
    doubled = C[twins[:, None], twins]
    mask = torch.zeros(13)
    mask[12] = 1
    assert bayes_error(doubled, mask).item() == pytest.approx(0, abs=1e-12)
    x = torch.randn(1, 13, generator=rng())
    filled = conditional_mean(doubled, x, mask[None])
    assert filled[0, 12].item() == pytest.approx(x[0, 3].item(), abs=1e-9)
    with pytest.raises(ValueError, match="linearly dependent; add a little noise"):
        bayes_error(doubled, (torch.arange(13) == 0).float())


def code_error(C: Tensor, mask: Tensor, A: Tensor, B: Tensor) -> Tensor:
    """E ||x_m - (x A B)_m||² a masked pixel."""
    rest = (torch.eye(len(C)).double() - A @ B)[:, mask == 1]
    return torch.trace(rest.T @ C @ rest) / mask.sum()


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("kind", ["equal", "unequal"])
def test_a_best_code_has_the_error_and_the_r2_that_it_says(kind, rank):
    (C, cross), mask = joint(), masks(kind)
    mask = mask[(mask.sum(1) >= rank) & (mask.sum(1) <= 12 - rank)]
    code = best_code(C, cross, mask, rank)
    for i, (A, B) in enumerate(zip(code.encoder, code.decoder, strict=True)):
        assert not A[mask[i] == 1].any()
        assert not B[:, mask[i] == 0].any()
        error = code_error(C, mask[i], A, B)
        assert code.error[i].item() == pytest.approx(error.item(), rel=1e-10)
        shared = cross @ A
        inverse = torch.linalg.inv(A.T @ C @ A)
        slow_r2 = torch.einsum("zk,kl,zl->z", shared, inverse, shared)
        torch.testing.assert_close(code.r2[i], slow_r2)
        torch.testing.assert_close(B @ B.T, torch.eye(rank).double())


def test_a_best_code_is_reduced_rank_regression_by_eigenvectors():
    (C, cross), mask = joint(), masks("equal")
    code = best_code(C, cross, mask, 2)
    for i, hidden in enumerate(mask):
        v, m = (hidden == 0).nonzero()[:, 0], (hidden == 1).nonzero()[:, 0]
        weights = torch.linalg.solve(C[v[:, None], v], C[v[:, None], m])
        predicted = weights.T @ C[v[:, None], m]
        U = torch.linalg.eigh(predicted).eigenvectors[:, -2:]
        slow_map = torch.zeros_like(C)
        slow_map[v[:, None], m] = weights @ U @ U.T
        torch.testing.assert_close(code.encoder[i] @ code.decoder[i], slow_map)


def test_descent_finds_no_better_code():
    (C, cross), mask = joint(), masks("equal")[:1]
    best = best_code(C, cross, mask, 2)
    A, B = (
        torch.randn(shape, generator=rng(4)).double().requires_grad_()
        for shape in ((12, 2), (2, 12))
    )
    descent = torch.optim.LBFGS([A, B], max_iter=500, line_search_fn="strong_wolfe")
    keep = (1 - mask[0]).double()[:, None]

    def closure() -> Tensor:
        descent.zero_grad()
        loss = code_error(C, mask[0], keep * A, B)
        loss.backward()
        return loss

    descent.step(closure)
    assert closure().item() == pytest.approx(best.error.item(), rel=1e-6)


def test_the_widest_code_predicts_as_well_as_bayes_and_knows_no_more():
    C, cross = joint()
    mask = masks("equal")
    full = best_code(C, cross, mask, 3)
    torch.testing.assert_close(full.error, bayes_error(C, mask))
    r2 = [best_code(C, cross, mask, k).r2 for k in (1, 2, 3)]
    ceiling = recoverable_r2(C, cross, mask)
    assert (r2[0] <= r2[1] + 1e-12).all()
    torch.testing.assert_close(r2[2], ceiling)  # as many numbers as visible pixels


def test_a_code_wider_than_what_the_parts_share_is_left_empty():
    world, _ = tree()
    mask = torch.zeros(1, 8, 8)
    mask[:, :4, :4] = 1  # a quarter: it shares with the rest its parent's k = 2 numbers
    cross = torch.cat(list(world.cross_covariance().values()))
    two, five = (
        best_code(world.covariance(), cross, mask.flatten(1), k) for k in (2, 5)
    )
    torch.testing.assert_close(five.r2, two.r2)
    torch.testing.assert_close(five.error, two.error)
    torch.testing.assert_close(
        five.error, bayes_error(world.covariance(), mask.flatten(1))
    )
    assert two.encoder.any(1).all()
    assert not five.encoder[:, :, 2:].any()
    assert not five.decoder[:, 2:].any()


def test_what_is_no_covariance_is_refused():
    C, _ = joint()
    mask = masks("equal")
    skewed, holed = C.clone(), C.clone()
    skewed[0, 1] += 1
    holed[0, 0] = torch.nan
    with pytest.raises(ValueError, match="not symmetric"):
        bayes_error(skewed, mask)
    with pytest.raises(ValueError, match="not finite"):
        bayes_error(holed, mask)
    with pytest.raises(ValueError, match="eigenvalue"):
        bayes_error(C - 2 * torch.eye(12, dtype=torch.float64), mask)


def test_masks_that_leave_nothing_are_refused():
    C, cross = joint()
    mask, x = masks("equal", n=2), torch.zeros(2, 12)
    all_gone, all_kept, half = mask.clone(), mask.clone(), mask.clone()
    all_gone[1], all_kept[1], half[1] = 1, 0, 0.5
    for hidden, message in (
        (all_gone, "nothing visible"),
        (all_kept, "nothing masked"),
        (half, "not 0 \\(keep\\) or 1 \\(remove\\)"),
    ):
        for answer in (
            lambda hidden=hidden: bayes_error(C, hidden),
            lambda hidden=hidden: conditional_mean(C, x, hidden),
            lambda hidden=hidden: best_code(C, cross, hidden, 1),
        ):
            with pytest.raises(ValueError, match=message):
                answer()
    with pytest.raises(ValueError, match="nothing visible"):
        recoverable_r2(C, cross, all_gone)
    assert recoverable_r2(C, cross, all_kept).shape == (2, 3)


@pytest.mark.parametrize("rank", [0, 4])
def test_a_rank_above_the_smaller_part_is_refused(rank):
    C, cross = joint()
    with pytest.raises(ValueError, match=rf"rank is {rank}; choose in 1\.\.3"):
        best_code(C, cross, masks("equal"), rank)


def test_latents_of_another_variance_are_refused():
    C, cross = joint()
    with pytest.raises(ValueError, match="scale cross_covariance"):
        recoverable_r2(C, 3 * cross, torch.zeros(12))
