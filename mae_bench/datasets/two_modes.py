"""Spins of two modes: one bit decides which way each spin is likelier to point.

The mode is + with probability w; given the mode the spins of an image are independent,
each equal to the mode with probability (1 + θ) / 2. So k spins tell the mode as well as
one sees the sign of a sum, and all of them tell it nearly always.

References:
    Cai & Shi 2026, arXiv 2608.01383: the product law with two separated modes.
"""

from typing import Any, ClassVar

import torch

from mae_bench.datasets import Batch, Generated


class TwoModes(Generated):
    """Images of spins -1 and 1, of which the mode is the class and the only latent."""

    version: ClassVar[int] = 1

    def __init__(
        self,
        generator: torch.Generator,
        *,
        image_size: int = 8,
        weight: float = 0.7,
        theta: float = 0.6,
        **settings: Any,
    ) -> None:
        """Keep the law.

        Args:
            generator: Draws the training images, if they shall be so many.
            image_size: h = w, in 2..64 pixels.
            weight: w, probability of the mode +, in (0, 1).
            theta: θ, mean of a spin given the mode +, in (0, 1).
            settings: Of ``Generated``.

        Raises:
            ValueError: A setting is outside its range.
        """
        super().__init__(generator, **settings)
        if not 2 <= image_size <= 64:
            raise ValueError(f"image_size is {image_size}; choose in 2..64")
        for name, value in (("weight", weight), ("theta", theta)):
            if not 0 < value < 1:
                raise ValueError(f"{name} is {value}; choose in (0, 1)")
        self.channels = 1
        self.image_size = image_size
        self.levels = ("level_0",)
        self.num_classes = 2
        self.weight, self.theta = weight, theta

    def draw(self, n: int, generator: torch.Generator) -> Batch:
        """``n`` fresh images with their mode."""
        d, device = self.image_size**2, generator.device
        drawn = torch.rand(n, 1 + d, generator=generator, device=device)
        mode = (drawn[:, :1] < self.weight).float() * 2 - 1
        agrees = (drawn[:, 1:] < (1 + self.theta) / 2).float() * 2 - 1
        images = (mode * agrees).view(n, 1, self.image_size, self.image_size)
        return Batch(images, {"level_0": mode}, (mode[:, 0] > 0).long())
