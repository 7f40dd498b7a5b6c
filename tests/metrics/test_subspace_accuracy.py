"""The class is found in the subspace that holds it, and nowhere else."""

from typing import ClassVar

import pytest
import torch

from mae_bench.datasets import Batch, Dataset
from mae_bench.datasets.gaussian_field import GaussianField
from mae_bench.methods.mae import MAE
from mae_bench.methods.pixels import Pixels
from mae_bench.metrics import Skip, Split
from mae_bench.metrics.subspace_accuracy import (
    network_accuracy,
    subspace_accuracy,
    subspaces,
)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Line(Dataset):
    """16 independent pixels of falling size; the sign of one of them is the class."""

    version: ClassVar[int] = 1

    def __init__(self, pixel: int, labelled: bool = True) -> None:
        self.channels, self.image_size, self.levels = 1, 4, ()
        self.num_classes = 2 if labelled else None
        self.pixel = pixel

    def sample(self, n: int, generator: torch.Generator) -> Batch:
        x = torch.randn(n, 16, generator=generator)
        label = (x[:, self.pixel] > 0).long() if self.num_classes else None
        size = torch.tensor([4.0, 3.0] + [0.4] * 14)
        return Batch((size * x).view(n, 1, 4, 4), labels=label)


def measured(world: Dataset, seed: int = 3) -> dict[str, float]:
    found: dict[str, float] = subspace_accuracy(
        Pixels(world, rng()), world, world.sample(500, rng(2)), rng(seed)
    )
    return found


@pytest.mark.parametrize(
    ("pixel", "holds", "lacks"), [(0, "top", "bottom"), (9, "bottom", "top")]
)
def test_the_class_is_told_by_the_subspace_that_holds_it(
    pixel: int, holds: str, lacks: str
) -> None:
    found = measured(Line(pixel))
    for reader in ("", "/linear"):
        assert found[holds + reader] > 0.9
        assert found[lacks + reader] < 0.65
    # The first two axes have 25 of 27.2 of the variance, 92 %.
    assert found["top/axes"] == 2 / 16
    assert found["bottom/axes"] == 14 / 16


def test_subspaces_are_the_fewest_with_ninety_and_the_last_within_twenty_percent() -> (
    None
):
    size = torch.tensor([6.0, 3.0, 0.7, 0.3]).sqrt().double()
    images = torch.cat([torch.diag(size), -torch.diag(size)])
    images = torch.cat([images, torch.zeros(8, 1)], 1)  # a pixel that never varies
    top, bottom = subspaces(images)
    eye = torch.eye(5).double()
    torch.testing.assert_close((top @ top.T), eye[:, :2] @ eye[:2])
    torch.testing.assert_close((bottom @ bottom.T), eye[:, 2:4] @ eye[2:4])


def test_the_network_reads_what_no_line_can() -> None:
    x = torch.randn(2000, 2, generator=rng())
    label = (x[:, 0] * x[:, 1] > 0).long()
    split = Split(x, label)
    assert network_accuracy(split, split, 0) > 0.9
    shuffled = Split(x, label[torch.randperm(2000, generator=rng(1))])
    assert network_accuracy(shuffled, split, 0) < 0.65


def test_its_generator_draws_images_network_and_test() -> None:
    found = measured(Line(9))
    assert found == measured(Line(9))
    assert found != measured(Line(9), 4)


def test_what_it_is_not_of_is_skipped() -> None:
    field, nameless = GaussianField(rng()), Line(0, labelled=False)
    batch = field.sample(20, rng())
    with pytest.raises(Skip, match="whatever the encoder"):
        subspace_accuracy(MAE(field, rng()), field, batch, rng())
    with pytest.raises(Skip, match="no labels"):
        measured(nameless)
