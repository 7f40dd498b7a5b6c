"""Scikit-learn's 1,797 handwritten digits: real images, whose causes are unknown."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor

from mae_bench.datasets import Batch, Dataset, SplitName


class Digits(Dataset):
    """8x8 grey digits in ten classes, cut 1,077 / 360 / 360 once and for all.

    The cut is stratified by class and its order is shuffled, so the first ``n`` images
    of a split are a fair sample of it. Pixels are scaled by two numbers, so that those
    of the training images have mean 0 and variance 1 over all of them.

    References:
        Alpaydin & Kaynak 1998, Optical Recognition of Handwritten Digits, UCI.
    """

    version: ClassVar[int] = 1
    joins: ClassVar[tuple[str, ...]] = ("leaderboard",)

    def __init__(self, generator: torch.Generator) -> None:
        """Read and cut the images.

        Args:
            generator: Unused: there is nothing to draw.
        """
        del generator
        self.channels = 1
        self.image_size = 8
        self.levels = ()
        self.num_classes = 10
        self._splits = _cut()

    def sample(self, n: int, generator: torch.Generator) -> Batch:
        """``n`` training images, drawn with replacement."""
        device = generator.device
        train = self._on("train", device)
        rows = torch.randint(len(train), (n,), generator=generator, device=device)
        return train.rows(rows)

    def split(self, name: SplitName, n: int, generator: torch.Generator) -> Batch:
        """The first ``n`` images of a split, or all of it where it holds fewer."""
        return self._on(name, generator.device).rows(slice(n))

    def parameters(self) -> Mapping[str, Tensor]:
        """All images, by split."""
        return {name: batch.images for name, batch in self._splits.items()}

    def _on(self, name: SplitName, device: torch.device) -> Batch:
        """A split on ``device``, where it stays."""
        self._splits[name] = self._splits[name].to(device)
        return self._splits[name]


def _cut() -> dict[SplitName, Batch]:
    """Train, val and test images, scaled."""
    images, labels = load_digits(return_X_y=True)
    rest, test, labels_rest, labels_test = train_test_split(
        images, labels, test_size=0.2, stratify=labels, random_state=0
    )
    train, val, labels_train, labels_val = train_test_split(
        rest, labels_rest, test_size=0.25, stratify=labels_rest, random_state=0
    )
    mean, std = train.mean(), train.std()

    def batch(pixels: NDArray[Any], classes: NDArray[Any]) -> Batch:
        x = torch.from_numpy((pixels - mean) / std).float()
        return Batch(x.view(-1, 1, 8, 8), labels=torch.from_numpy(classes).long())

    return {
        "train": batch(train, labels_train),
        "val": batch(val, labels_val),
        "test": batch(test, labels_test),
    }
