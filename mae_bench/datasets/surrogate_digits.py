"""The digits' Gaussian surrogate: their mean, their covariance, and nothing else."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from mae_bench.datasets import Batch, Generated
from mae_bench.datasets.digits import Digits


class SurrogateDigits(Generated):
    """8x8 images drawn from N(mean, C) of a seed's training digits, fresh for ever.

    Pixels that no digit ever inks stay blank. There are no strokes and no classes: what
    a network learns of these images, a linear map of the visible pixels knows.

    References:
        Theiler et al. 1992, Physica D 58, 77: surrogate data.
    """

    version: ClassVar[int] = 2

    def __init__(self, generator: torch.Generator, **settings: Any) -> None:
        """Take the moments of the training digits.

        Args:
            generator: Draws which digits are there to train on.
            settings: Of ``Generated``.
        """
        super().__init__(generator, **settings)
        digits = Digits(generator)
        images = digits.split("train", 2**31, torch.Generator()).images
        self.channels = digits.channels
        self.image_size = digits.image_size
        self.levels = ()
        self.num_classes = None
        x = images.flatten(1).double()
        self._mean, C = x.mean(0).float(), torch.cov(x.T)
        values, vectors = torch.linalg.eigh(C)
        # Signs and, of equal eigenvalues, vectors are free, but their product is not.
        root = vectors * values.clamp(min=0).sqrt() @ vectors.T
        self._root = root.float()

    def draw(self, n: int, generator: torch.Generator) -> Batch:
        """``n`` fresh images."""
        device = generator.device
        # The world moves to the generator's device, and stays there.
        self._mean, self._root = self._mean.to(device), self._root.to(device)
        noise = torch.randn(n, len(self._root), generator=generator, device=device)
        x = self._mean + noise @ self._root
        side = self.image_size
        return Batch(x.view(n, self.channels, side, side))

    def parameters(self) -> Mapping[str, Tensor]:
        """Mean and root of the covariance."""
        return {"mean": self._mean, "root": self._root}
