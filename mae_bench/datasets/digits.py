"""Scikit-learn's 1,797 handwritten digits: real images, whose causes are unknown."""

from functools import cache
from typing import ClassVar

import numpy as np
import torch
from sklearn.datasets import load_digits

from mae_bench.datasets._finite import Collection, FiniteSet, collect


class Digits(FiniteSet):
    """8x8 grey digits in ten classes, cut 60 / 20 / 20 anew for every seed.

    References:
        Alpaydin & Kaynak 1998, Optical Recognition of Handwritten Digits, UCI.
    """

    version: ClassVar[int] = 2
    joins: ClassVar[tuple[str, ...]] = ("leaderboard",)

    def __init__(self, generator: torch.Generator) -> None:
        """Read and cut the images.

        Args:
            generator: Draws the cut.
        """
        self.channels = 1
        self.image_size = 8
        self.levels = ()
        self.num_classes = 10
        self.settle(_digits(), 0.2, generator)


@cache  # a world is built for every cell
def _digits() -> Collection:
    images, labels = load_digits(return_X_y=True)
    return collect(images.reshape(-1, 1, 8, 8).astype(np.uint8), labels)
