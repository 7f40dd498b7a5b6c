"""Answers in every world that has one, against the oracles of a single world."""

import pytest
import torch

from mae_bench.datasets.gaussian_field import GaussianField
from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.datasets.invertible_tree import InvertibleTree
from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.datasets.sprites import Sprites
from mae_bench.models.masking import random_masking
from mae_bench.models.vit import patchify
from mae_bench.oracles.ceilings import (
    CHUNK,
    leaf_mask,
    least_error,
    pixel_mask,
    recoverable,
)
from mae_bench.oracles.gaussian_conditioning import bayes_error, recoverable_r2


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def masks_of(n, ratio=0.5, patch_size=2, grid=4, channels=1, seed=0):
    masking = random_masking(n, grid, ratio, rng(seed))
    return pixel_mask(masking.mask, patch_size, channels)


def test_a_masked_patch_is_masked_in_each_of_its_pixels_and_nowhere_else():
    masking = random_masking(5, 4, 0.75, rng())
    pixels = pixel_mask(masking.mask, 2, 3).view(5, 3, 8, 8)
    patches = patchify(pixels, 2)
    for image, chosen in zip(patches, masking.ids_masked, strict=True):
        assert image[chosen].min() == 1
        assert image.sum() == image[chosen].numel()


@pytest.mark.parametrize("world", [GaussianTree(rng()), GaussianField(rng())])
def test_a_gaussian_world_answers_by_conditioning_on_each_mask(world):
    mask = masks_of(6)
    covariance = world.covariance()
    for level, most in recoverable(world, world.sample(6, rng()), mask, rng()).items():
        cross = world.cross_covariance()[level]
        each = [recoverable_r2(covariance, cross, m).mean().item() for m in mask]
        assert most == pytest.approx(sum(each) / len(each))
    (error,) = least_error(world, torch.zeros(6, 1, 8, 8), mask).values()
    torch.testing.assert_close(
        error, torch.stack([bayes_error(covariance, m) for m in mask])
    )


def test_many_masks_are_answered_in_pieces_and_none_is_lost():
    world, mask = GaussianTree(rng()), masks_of(CHUNK + 3, 0.75)
    (error,) = least_error(world, torch.zeros(len(mask), 1, 8, 8), mask).values()
    assert error.shape == (CHUNK + 3,)
    last = least_error(world, torch.zeros(3, 1, 8, 8), mask[-3:])["bayes"]
    torch.testing.assert_close(error[-3:], last)


@pytest.mark.parametrize("world", [GaussianTree(rng()), RandomHierarchy(rng())])
def test_the_more_is_masked_the_less_is_known_and_the_larger_is_the_error(world):
    batch = world.sample(400, rng(1))
    whole = recoverable(world, batch, torch.zeros(1, 64), rng())
    known = [
        recoverable(world, batch, masks_of(400, r), rng()) for r in (0.25, 0.5, 0.9)
    ]
    for level in world.levels:
        values = [k[level] for k in (whole, *known)]
        assert values == sorted(values, reverse=True)
        assert 0 < values[-1] < values[0] <= 1
    errors = [
        least_error(world, batch.images, masks_of(400, r))["bayes"].mean()
        for r in (0.25, 0.5, 0.9)
    ]
    assert errors == sorted(errors)


def test_all_leaves_tell_the_class_of_a_hierarchy_and_the_root_helps_to_mend_it():
    world = RandomHierarchy(rng())
    batch = world.sample(500, rng(1))
    assert recoverable(world, batch, torch.zeros(1, 64), rng())["level_0"] > 0.99
    error = least_error(world, batch.images, masks_of(500, 0.25))
    assert set(error) == {"bayes", "bayes_cut_1"}
    assert error["bayes"].mean() < 0.7 * error["bayes_cut_1"].mean()


def test_leaves_are_masked_whole_whatever_the_patches_that_hide_them():
    world = RandomHierarchy(rng())
    large = random_masking(3, 2, 0.5, rng())
    leaves = leaf_mask(world, pixel_mask(large.mask, 4, 1))
    grid = large.mask.view(3, 2, 2)
    for row in range(4):
        for column in range(4):
            ours = leaves[:, 4 * row + column]
            assert torch.equal(ours, grid[:, row // 2, column // 2])
    pixels = leaves.view(3, 4, 4).repeat_interleave(2, 1).repeat_interleave(2, 2)
    assert torch.equal(leaf_mask(world, pixels.flatten(1)), leaves)


def test_what_has_no_exact_answer_has_an_empty_one():
    other = Sprites(rng())
    batch = other.sample(4, rng())
    whole = torch.zeros(1, batch.images[0].numel())
    assert recoverable(other, batch, whole, rng()) == {}
    assert least_error(other, batch.images, whole.expand(4, -1)) == {}
    pieces = masks_of(4, patch_size=1, grid=8)
    for world in (RandomHierarchy(rng()), InvertibleTree(rng())):
        batch = world.sample(4, rng())
        assert leaf_mask(world, pieces) is None
        assert recoverable(world, batch, pieces, rng()) == {}
        assert least_error(world, batch.images, pieces) == {}


def test_an_invertible_tree_is_known_where_a_leaf_is_seen():
    world = InvertibleTree(rng())
    batch = world.sample(2000, rng(1))
    whole = recoverable(world, batch, torch.zeros(1, 64), rng())
    assert whole == dict.fromkeys(world.levels, 1.0)
    masked = recoverable(world, batch, masks_of(2000, 0.75), rng())
    # Any leaf tells the root. Four of sixteen are seen; a quarter with none of them,
    # of binom(12, 4) / binom(16, 4), hides its ε.
    assert masked["level_0"] == 1.0
    assert masked["eps_1"] == pytest.approx(1 - 495 / 1820, abs=0.02)
    assert masked["eps_2"] == pytest.approx(0.25, abs=0.02)
    assert masked["eps_1"] < masked["level_1"] < 1


def test_masks_of_other_images_are_refused():
    world = RandomHierarchy(rng())
    with pytest.raises(ValueError, match="masks of 16 pixels"):
        recoverable(world, world.sample(2, rng()), torch.zeros(2, 16), rng())
    tree = GaussianTree(rng())
    with pytest.raises(ValueError, match="leaves nothing visible"):
        recoverable(tree, tree.sample(2, rng()), torch.ones(2, 64), rng())
