"""The ceiling regresses on the root, or classifies, or says that it can do neither."""

from typing import ClassVar

import pytest
import torch

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods.supervised import Supervised


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class World(Dataset):
    """Columns that carry the root's 3 coordinates, and a leaf that is noise."""

    version: ClassVar[int] = 1
    channels, image_size = 1, 8

    def __init__(self, levels: tuple[str, ...], num_classes: int | None) -> None:
        self.levels, self.num_classes = levels, num_classes

    def sample(self, n: int, generator: torch.Generator) -> Batch:
        root = torch.randn(n, 3, generator=generator)
        leaf = torch.randn(n, 5, generator=generator)
        columns = root @ torch.randn(3, 8, generator=rng(7))
        noise = 0.3 * torch.randn(n, 1, 8, 8, generator=generator)
        known = {"level_0": root, "level_1": leaf}
        return Batch(
            columns[:, None, None] + noise,
            {level: known[level] for level in self.levels},
            (root[:, 0] > 0).long() if self.num_classes else None,
        )


ROOT_AND_LABELS = World(("level_0", "level_1"), 2)
ROOT_ONLY = World(("level_0", "level_1"), None)
LABELS_ONLY = World((), 2)


def answers(method: Supervised, batch: Batch) -> torch.Tensor:
    answer = method.head(method.features(batch)["mean"])
    assert isinstance(answer, torch.Tensor)
    return answer


@pytest.mark.parametrize("world", [ROOT_AND_LABELS, ROOT_ONLY])
def test_a_world_with_latents_is_regressed_on_its_root(world: World) -> None:
    method, batch = Supervised(world, rng()), world.sample(9, rng(1))
    told = answers(method, batch)
    assert told.shape == (9, 3)
    error = (told - batch.latents["level_0"]).square().mean()
    torch.testing.assert_close(method.loss(batch, rng()), error)


def test_a_world_without_latents_is_classified() -> None:
    method, batch = Supervised(LABELS_ONLY, rng()), LABELS_ONLY.sample(9, rng(1))
    assert batch.labels is not None
    chances = answers(method, batch).softmax(1)
    right = torch.stack([p[k] for p, k in zip(chances, batch.labels, strict=True)])
    torch.testing.assert_close(method.loss(batch, rng()), -right.log().mean())


def test_a_world_that_tells_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="World has neither latents nor labels"):
        Supervised(World((), None), rng())


@pytest.mark.parametrize("world", [ROOT_AND_LABELS, LABELS_ONLY])
def test_a_few_dozen_steps_reduce_the_loss(world: World, train) -> None:
    method = Supervised(world, rng(), steps=60, batch_size=32)
    held_out = world.sample(256, rng(11))
    before = method.loss(held_out, rng()).item()
    train(method)
    assert method.loss(held_out, rng()).item() < 0.6 * before
