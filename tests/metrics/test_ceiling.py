"""Ceilings of whole images and of what a method's own masks leave."""

import pytest
import torch

from mae_bench.datasets.digits import Digits
from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.methods.mae import MAE
from mae_bench.methods.pixels import Pixels
from mae_bench.metrics import Skip
from mae_bench.metrics.ceiling import ceiling
from mae_bench.oracles.gaussian_conditioning import recoverable_r2


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def ceilings(world, method, n=200):
    return ceiling(method, world, world.sample(n, rng(1)), rng(2))


def test_whole_images_have_the_ceiling_of_the_covariance():
    world = GaussianTree(rng())
    found = ceilings(world, Pixels(world, rng()))
    assert set(found) == {f"{level}/unmasked" for level in world.levels}
    for level, cross in world.cross_covariance().items():
        exact = recoverable_r2(world.covariance(), cross, torch.zeros(64)).mean()
        assert found[f"{level}/unmasked"] == pytest.approx(exact.item())


@pytest.mark.parametrize("world", [GaussianTree(rng()), RandomHierarchy(rng())])
def test_a_milder_mask_has_a_higher_ceiling_and_none_the_highest(world):
    mild, strong = (
        ceilings(world, MAE(world, rng(), mask_ratio=ratio)) for ratio in (0.25, 0.75)
    )
    for level in world.levels:
        whole = mild[f"{level}/unmasked"]
        assert whole == strong[f"{level}/unmasked"]
        low, high = strong[f"{level}/masked"], mild[f"{level}/masked"]
        assert low < high < whole + 1e-9


def test_the_mask_unit_counts_as_much_as_the_ratio():
    world = RandomHierarchy(rng())
    leaf, block = (
        ceilings(world, MAE(world, rng(), mask_ratio=0.5, mask_unit=unit), 1000)
        for unit in (2, 4)
    )
    # Whole sub-trees that are visible tell their root; scattered leaves tell leaves.
    assert block["level_0/masked"] > leaf["level_0/masked"]
    assert block["level_2/masked"] < leaf["level_2/masked"]


def test_a_world_without_an_exact_answer_is_skipped():
    world = Digits(rng())
    with pytest.raises(Skip, match="Digits has no exact answer"):
        ceilings(world, MAE(world, rng()), 4)
