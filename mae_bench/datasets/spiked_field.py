"""White noise with one strong direction, and a last pixel that follows it.

All pixels but the last are x ~ N(0, I + s u uᵀ), with a random direction u of length 1:
isotropic at s = 0, spiked above. The last pixel is y = βᵀx + σ ε with β along u, scaled
so that the signal βᵀx has variance 1. To reconstruct the last pixel from the others is
a linear regression of as many coefficients as there are other pixels.

References:
    Dong, Wang & Kluger 2025, arXiv 2509.21650: isotropic and spiked covariates.
"""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from jaxtyping import Float64
from torch import Tensor

from mae_bench.datasets import Batch, Generated


class SpikedField(Generated):
    """Images of ``image_size`` pixels a side, i.e. ``image_size**2 - 1`` covariates.

    The latent is the signal βᵀx. n images of d pixels take O(n d) time and memory; the
    covariance takes O(d²).
    """

    version: ClassVar[int] = 1

    def __init__(
        self,
        generator: torch.Generator,
        *,
        image_size: int = 8,
        spike: float = 20.0,
        target_noise: float = 0.5,
        **settings: Any,
    ) -> None:
        """Draw u.

        Args:
            generator: Draws it.
            image_size: h = w, in 2..64 pixels.
            spike: s, at least 0.
            target_noise: σ > 0, where the signal has 1.
            settings: Of ``Generated``.

        Raises:
            ValueError: A setting is outside its range.
        """
        super().__init__(generator, **settings)
        if not 2 <= image_size <= 64:
            raise ValueError(f"image_size is {image_size}; choose in 2..64")
        if not 0 <= spike < math.inf:
            raise ValueError(f"spike is {spike}; choose a number of at least 0")
        if not 0 < target_noise < math.inf:
            raise ValueError(f"target_noise is {target_noise}; choose above 0")
        self.channels = 1
        self.image_size = image_size
        self.levels = ("level_0",)
        self.num_classes = None
        self.spike = spike
        self.target_noise = target_noise
        u = torch.randn(image_size**2 - 1, generator=generator, dtype=torch.float64)
        self.direction = u / u.norm()
        self._u = self.direction.float()

    def draw(self, n: int, generator: torch.Generator) -> Batch:
        """``n`` fresh images with their signal."""
        device, d = generator.device, len(self.direction)
        draw = torch.randn(n, d + 2, generator=generator, device=device)
        white, strength, noise = torch.split(draw, [d, 1, 1], 1)
        # There from now on: a step that copies from the host would wait for it.
        u = self._u = self._u.to(device)
        x = white + math.sqrt(self.spike) * strength * u
        signal = (x @ u)[:, None] / math.sqrt(1 + self.spike)
        pixels = torch.cat([x, signal + self.target_noise * noise], 1)
        images = pixels.view(n, 1, self.image_size, self.image_size)
        return Batch(images, {"level_0": signal})

    def covariance(self) -> Float64[Tensor, "d d"]:
        """Cov of the pixels."""
        x = torch.eye(len(self.direction), dtype=torch.float64)
        x += self.spike * torch.outer(self.direction, self.direction)
        signal = self._signal()
        y = signal.new_tensor([[1 + self.target_noise**2]])
        return torch.cat([torch.cat([x, signal.T], 1), torch.cat([signal, y], 1)])

    def cross_covariance(self) -> Mapping[str, Float64[Tensor, "k d"]]:
        """Cov(βᵀx, pixels)."""
        signal = self._signal()
        return {"level_0": torch.cat([signal, signal.new_ones(1, 1)], 1)}

    def parameters(self) -> Mapping[str, Tensor]:
        """The direction u."""
        return {"direction": self.direction}

    def _signal(self) -> Tensor:
        """Cov(βᵀx, x) = βᵀ (I + s u uᵀ) = sqrt(1 + s) uᵀ."""
        signal: Tensor = math.sqrt(1 + self.spike) * self.direction[None]
        return signal
