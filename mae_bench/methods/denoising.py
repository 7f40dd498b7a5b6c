"""Denoising autoencoder: noise on all pixels where MAE hides some of the patches."""

from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from mae_bench.datasets import Dataset
from mae_bench.methods.autoencoder import Autoencoder


class Denoising(Autoencoder):
    """An autoencoder that is shown x + noise_std ε, ε ~ N(0, I), and asked for x.

    References:
        Vincent et al. 2008, Extracting and composing robust features with denoising
        autoencoders.
    """

    version: ClassVar[int] = 1

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        noise_std: float = 0.2,
        **settings: Any,
    ) -> None:
        """Build encoder and decoder.

        Args:
            dataset: The world that it learns from.
            generator: Draws the initial weights.
            noise_std: Standard deviation of the noise, in the images' unit, above 0.
            settings: See ``Autoencoder``.

        Raises:
            ValueError: No noise.
        """
        super().__init__(dataset, generator, **settings)
        if not noise_std > 0:
            raise ValueError(
                f"noise_std {noise_std}; choose a positive number, or Autoencoder"
            )
        self.noise_std = noise_std

    def corrupt(
        self, images: Float[Tensor, "n c h w"], generator: torch.Generator
    ) -> Float[Tensor, "n c h w"]:
        """The images and fresh noise."""
        noise = torch.empty_like(images).normal_(generator=generator)
        return images + self.noise_std * noise
