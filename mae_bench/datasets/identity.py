"""The world that hides nothing: the pixels are the latents."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from jaxtyping import Float64
from torch import Tensor

from mae_bench.datasets import Batch, Generated


class Identity(Generated):
    """Independent standard normal latents, one a pixel, for tests of the instruments.

    The class says whether the first latent is positive.
    """

    version: ClassVar[int] = 1

    def __init__(
        self,
        generator: torch.Generator,
        *,
        image_size: int = 4,
        channels: int = 1,
        **settings: Any,
    ) -> None:
        """Fix the size.

        Args:
            generator: Draws the training images, if they shall be so many.
            image_size: h = w, in pixels.
            channels: c.
            settings: Of ``Generated``.

        Raises:
            ValueError: A size below 1.
        """
        super().__init__(generator, **settings)
        if min(image_size, channels) < 1:
            raise ValueError(
                f"an image of {channels} channels of side {image_size} is empty; "
                "choose image_size and channels of at least 1"
            )
        self.channels = channels
        self.image_size = image_size
        self.levels = ("level_0",)
        self.num_classes = 2

    def draw(self, n: int, generator: torch.Generator) -> Batch:
        """``n`` images of noise."""
        shape = (n, self.channels, self.image_size, self.image_size)
        images = torch.randn(shape, generator=generator, device=generator.device)
        z = images.flatten(1)
        return Batch(images, {"level_0": z}, (z[:, 0] > 0).long())

    def covariance(self) -> Float64[Tensor, "d d"]:
        """Cov(x) = I."""
        return torch.eye(self.channels * self.image_size**2, dtype=torch.float64)

    def cross_covariance(self) -> Mapping[str, Float64[Tensor, "k d"]]:
        """Cov(z, x) = I."""
        return {"level_0": self.covariance()}
