import torch

from mae_bench.datasets.digits import Digits
from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.oracles.forecasting import masks
from mae_bench.oracles.linear_mae import patch_index, radius, solve_all_pixels
from mae_bench.oracles.linear_reach import (
    best_linear,
    kept_moments,
    linear_reach,
    pixel_covariances,
)


def test_the_best_linear_map_is_the_papers_for_independent_patches() -> None:
    covariance = GaussianTree(torch.Generator().manual_seed(1)).covariance()
    patches = patch_index(64, 2)
    for ratio in (0.25, 0.75):
        kept = torch.full((64, 64), (1 - ratio) ** 2, dtype=torch.float64)
        kept[patches[:, None] == patches] = 1 - ratio
        paper = solve_all_pixels(covariance, ratio, 2)
        torch.testing.assert_close(
            best_linear(covariance, kept), paper.encoder @ paper.decoder
        )


def test_the_best_linear_map_has_the_least_loss_of_the_masks_at_hand() -> None:
    covariance = GaussianTree(torch.Generator().manual_seed(1)).covariance()
    keep = 1 - masks(8, 0.375, 2, n=300, family="block").double()

    def loss(w: torch.Tensor) -> float:
        # E ||x - (R x) W||² of each mask, by its own error covariance.
        residual = torch.eye(64, dtype=torch.float64) - keep[:, :, None] * w
        return (residual * (covariance @ residual)).sum((1, 2)).mean().item()

    best = best_linear(covariance, keep.T @ keep / len(keep))
    least = loss(best)
    for seed in range(3):
        stream = torch.Generator().manual_seed(seed)
        noise = torch.randn(64, 64, generator=stream, dtype=torch.float64)
        for step in (1e-3, -1e-3):
            assert loss(best + step * noise) > least


def test_a_world_without_correlations_reaches_nowhere_and_a_smooth_one_far() -> None:
    white = torch.eye(16, dtype=torch.float64)
    kept = kept_moments(4, 0.5, 2, "random")
    assert radius(best_linear(white, kept)) == 0
    assert linear_reach("gaussian_tree", 0.25, 2) < linear_reach(
        "gaussian_tree", 0.75, 2
    )
    assert linear_reach("digits", 0.5, 2) > linear_reach("gaussian_tree", 0.5, 2)


def test_covariances_are_exact_or_those_of_the_training_images() -> None:
    first, second, *_ = pixel_covariances("digits")
    world = Digits(torch.Generator().manual_seed(0))
    images = world.split("train", 2000, torch.Generator()).images.flatten(1).double()
    centred = images - images.mean(0)
    expected = centred.T @ centred / (len(images) - 1)
    torch.testing.assert_close(first, expected)
    assert not torch.equal(first, second)
    tree, other, *_ = pixel_covariances("gaussian_tree")
    exact = GaussianTree(torch.Generator().manual_seed(0)).covariance()
    torch.testing.assert_close(tree, exact)
    assert not torch.equal(tree, other)
