"""The oracle's features are the causes, whatever the images show."""

from typing import ClassVar

import pytest
import torch

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods.oracle_latents import OracleLatents


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class World(Dataset):
    version: ClassVar[int] = 1
    channels, image_size = 1, 4

    def __init__(self, levels: tuple[str, ...], num_classes: int | None) -> None:
        self.levels, self.num_classes = levels, num_classes

    def sample(self, n: int, generator: torch.Generator) -> Batch:
        latents = {
            level: torch.randn(n, 2 + k, generator=generator)
            for k, level in enumerate(self.levels)
        }
        labels = torch.randint(self.num_classes or 1, (n,), generator=generator)
        known = None if self.num_classes is None else labels
        return Batch(torch.zeros(n, 1, 4, 4), latents, known)


@pytest.mark.parametrize("num_classes", [None, 3])
def test_latents_are_given_root_first(num_classes: int | None) -> None:
    world = World(("level_0", "level_1"), num_classes)
    batch = world.sample(6, rng(1))
    found = OracleLatents(world, rng()).features(batch)["mean"]
    assert torch.equal(found[:, :2], batch.latents["level_0"])
    assert torch.equal(found[:, 2:], batch.latents["level_1"])


def test_without_latents_the_labels_are_given_one_hot() -> None:
    world = World((), 4)
    batch = world.sample(30, rng(1))
    found = OracleLatents(world, rng()).features(batch)["mean"]
    assert batch.labels is not None
    for row, label in zip(found.tolist(), batch.labels.tolist(), strict=True):
        assert row == [float(k == label) for k in range(4)]


def test_the_width_does_not_depend_on_the_classes_that_happen_to_be_there() -> None:
    world = World((), 4)
    batch = Batch(torch.zeros(2, 1, 4, 4), labels=torch.tensor([0, 1]))
    assert OracleLatents(world, rng()).features(batch)["mean"].shape == (2, 4)


def test_a_mask_hides_nothing_from_it() -> None:
    world = World(("level_0",), None)
    batch, method = world.sample(3, rng(1)), OracleLatents(world, rng())
    masked = method.features(batch, torch.zeros(3, 1, dtype=torch.int64))["mean"]
    assert torch.equal(masked, method.features(batch)["mean"])


def test_a_world_that_tells_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="World has neither latents nor labels"):
        OracleLatents(World((), None), rng())
