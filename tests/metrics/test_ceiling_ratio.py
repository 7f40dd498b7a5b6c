"""Shares of the ceiling: of R² for numbers, of accuracy for symbols."""

import pytest
import torch

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.metrics import Split
from mae_bench.metrics.ceiling_ratio import ceiling_ratio
from mae_bench.metrics.level_accuracy import level_accuracy
from mae_bench.metrics.linear_r2 import linear_r2
from mae_bench.oracles.ceilings import recoverable


def splits_of(world, generator, n=2000):
    batches = [world.sample(n, generator) for _ in range(3)]
    return [Split(b.images.flatten(1), dict(b.latents)) for b in batches], batches[2]


def test_all_pixels_of_a_gaussian_world_reach_the_ceiling(generator):
    world = GaussianTree(generator)
    splits, test = splits_of(world, generator)
    found = ceiling_ratio(
        *splits, recoverable(world, test, torch.zeros(1, 64), generator)
    )
    # The best reader of jointly Gaussian pixels is linear; what lacks is sampling.
    assert found == pytest.approx(dict.fromkeys(world.levels, 1.0), abs=0.03)


def test_numbers_are_divided_as_r2_and_symbols_as_accuracy(generator):
    for world, probe in (
        (GaussianTree(generator), linear_r2),
        (RandomHierarchy(generator), level_accuracy),
    ):
        splits, _ = splits_of(world, generator, n=100)
        ceiling = dict.fromkeys(world.levels, 0.5)
        twice = {level: 2 * value for level, value in probe(*splits).items()}
        assert ceiling_ratio(*splits, ceiling) == pytest.approx(twice)


def test_a_level_of_which_nothing_can_be_known_is_left_out(generator):
    world = GaussianTree(generator)
    splits, _ = splits_of(world, generator, n=100)
    ceiling = {"level_0": 0.0, "level_1": 0.3}
    assert set(ceiling_ratio(*splits, ceiling)) == {"level_1"}
