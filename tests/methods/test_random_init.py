"""The floor is the initial encoder of the other methods, and stays so."""

from typing import ClassVar

import pytest
import torch

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods.random_init import RandomInit
from mae_bench.methods.supervised import Supervised


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Noise(Dataset):
    version: ClassVar[int] = 1
    channels, image_size, levels, num_classes = 1, 8, (), 2

    def sample(self, n: int, generator: torch.Generator) -> Batch:
        images = torch.randn(n, 1, 8, 8, generator=generator)
        return Batch(images, labels=(images.mean((1, 2, 3)) > 0).long())


def test_its_features_are_those_of_a_method_that_has_not_started() -> None:
    world = Noise()
    batch = world.sample(5, rng(1))
    floor = RandomInit(world, rng(2)).features(batch)
    start = Supervised(world, rng(2)).features(batch)
    assert floor.keys() == start.keys()
    assert all(torch.equal(floor[token], start[token]) for token in floor)


def test_it_can_be_shown_a_masked_view() -> None:
    world = Noise()
    batch, method = world.sample(5, rng(1)), RandomInit(world, rng(2))
    masked = method.features(batch, torch.arange(4).repeat(5, 1))["mean"]
    whole = method.features(batch)["mean"]
    assert masked.shape == whole.shape
    assert not torch.allclose(masked, whole)


def test_it_has_nothing_to_learn() -> None:
    world = Noise()
    method = RandomInit(world, rng())
    assert not method.trains
    with pytest.raises(TypeError, match="RandomInit has nothing to learn"):
        method.loss(world.sample(2, rng()), rng())
