"""Shares of the knowable: at their ends, and where a ratio of accuracies lies."""

import pytest
import torch

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.metrics import Split
from mae_bench.metrics.ceiling_ratio import ceiling_ratio
from mae_bench.metrics.knowable_share import blind, knowable_share
from mae_bench.metrics.level_accuracy import level_accuracy
from mae_bench.metrics.linear_r2 import linear_r2
from mae_bench.models.masking import random_masking
from mae_bench.oracles.ceilings import pixel_mask, recoverable


def splits_of(world, generator, n=2000, shown=None):
    """Splits of images, of which the features are the pixels that are shown."""
    batches = [world.sample(n, generator) for _ in range(3)]
    shown = torch.ones(1, 64) if shown is None else shown
    splits = [Split(b.images.flatten(1) * shown, dict(b.latents)) for b in batches]
    return splits, batches[2]


def test_of_numbers_it_is_the_ratio_to_the_ceiling(generator):
    world = GaussianTree(generator)
    splits, test = splits_of(world, generator)
    most = recoverable(world, test, torch.zeros(1, 64), generator)
    found = knowable_share(*splits, most)
    assert found == ceiling_ratio(*splits, most)
    assert found == pytest.approx(dict.fromkeys(world.levels, 1.0), abs=0.03)
    twice = {k: 2 * v for k, v in linear_r2(*splits).items()}
    assert knowable_share(*splits, dict.fromkeys(most, 0.5)) == pytest.approx(twice)


def test_of_symbols_the_blind_guess_is_taken_from_both(generator):
    world = RandomHierarchy(generator)
    splits, _ = splits_of(world, generator, n=400)
    found = knowable_share(*splits, dict.fromkeys(world.levels, 0.9))
    train, _, test = splits
    for level, value in level_accuracy(*splits).items():
        symbols = test.target[level].view(400, -1, 4).argmax(2)
        common = train.target[level].view(400, -1, 4).sum(0).argmax(1)
        floor = (symbols == common).double().mean().item()
        assert blind(train.target[level], test.target[level]) == pytest.approx(floor)
        assert found[level] == pytest.approx((value - floor) / (0.9 - floor))


def test_features_that_say_nothing_have_no_share_and_a_ratio_near_1(generator):
    """Of one leaf of sixteen: a ratio of accuracies praises noise, a share does not."""
    world = RandomHierarchy(generator, rules="random:1,random:4")
    splits, test = splits_of(world, generator)
    mask = pixel_mask(random_masking(2000, 4, 0.9375, generator).mask, 2, 1)
    most = recoverable(world, test, mask, generator)
    noise = [
        Split(torch.randn(len(s.features), 8, generator=generator), s.target)
        for s in splits
    ]
    assert min(ceiling_ratio(*noise, most).values()) > 0.5
    shares = knowable_share(*noise, most)
    assert set(shares) == set(world.levels)
    assert shares == pytest.approx(dict.fromkeys(shares, 0.0), abs=0.08)


def test_a_level_of_which_next_to_nothing_can_be_known_is_left_out(generator):
    world = RandomHierarchy(generator)
    splits, _ = splits_of(world, generator, n=200)
    ceiling = {"level_0": 0.25, "level_1": 0.8}
    assert set(knowable_share(*splits, ceiling)) == {"level_1"}
