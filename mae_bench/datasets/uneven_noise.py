"""One strong direction in noise that is louder in some pixels than in others.

x ~ N(0, D + s u uᵀ): u a random direction of length 1, D diagonal, with variance 1 in
half of the pixels and ``noise_ratio`` in the others. Even noise is the spiked model of
random matrix theory. Uneven noise has principal components of its own.
"""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from jaxtyping import Float64
from torch import Tensor

from mae_bench.datasets import Batch, Generated


class UnevenNoise(Generated):
    """Images of d pixels, whose only cause is how far they go along u.

    n images take O(n d) time and memory; the covariance takes O(d²).
    """

    version: ClassVar[int] = 1

    def __init__(
        self,
        generator: torch.Generator,
        *,
        image_size: int = 12,
        spike: float = 2.0,
        noise_ratio: float = 4.0,
        **settings: Any,
    ) -> None:
        """Draw u, and which pixels are loud.

        Args:
            generator: Draws them.
            image_size: h = w, in 2..32 pixels.
            spike: s, at least 0.
            noise_ratio: Variance of the noise in the loud pixels, above 0.
            settings: Of ``Generated``.

        Raises:
            ValueError: A setting is outside its range.
        """
        super().__init__(generator, **settings)
        if not 2 <= image_size <= 32:
            raise ValueError(f"image_size is {image_size}; choose in 2..32")
        if not 0 <= spike < math.inf:
            raise ValueError(f"spike is {spike}; choose a number of at least 0")
        if not 0 < noise_ratio < math.inf:
            raise ValueError(f"noise_ratio is {noise_ratio}; choose above 0")
        self.channels = 1
        self.image_size = image_size
        self.levels = ("level_0",)
        self.num_classes = None
        self.spike, self.noise_ratio = spike, noise_ratio
        d = image_size**2
        u = torch.randn(d, generator=generator, dtype=torch.float64)
        self.direction = u / u.norm()
        loud = torch.randperm(d, generator=generator)[: d // 2]
        self.noise = torch.ones(d, dtype=torch.float64)
        self.noise[loud] = noise_ratio
        self._sampling = [self.direction.float(), self.noise.sqrt().float()]

    def draw(self, n: int, generator: torch.Generator) -> Batch:
        """``n`` fresh images, with their place along u in units of its deviation."""
        device, d = generator.device, len(self.direction)
        # There from now on: a step that copies from the host would wait for it.
        self._sampling = [one.to(device) for one in self._sampling]
        u, deviation = self._sampling
        draw = torch.randn(n, d + 1, generator=generator, device=device)
        z = draw[:, d:]
        x = draw[:, :d] * deviation + math.sqrt(self.spike) * z * u
        return Batch(x.view(n, 1, self.image_size, self.image_size), {"level_0": z})

    def covariance(self) -> Float64[Tensor, "d d"]:
        """D + s u uᵀ."""
        u = self.direction
        return torch.diag(self.noise) + self.spike * torch.outer(u, u)

    def cross_covariance(self) -> Mapping[str, Float64[Tensor, "k d"]]:
        """Cov(z, x) = sqrt(s) u."""
        return {"level_0": math.sqrt(self.spike) * self.direction[None]}

    def parameters(self) -> Mapping[str, Tensor]:
        """The direction u, and the noise's variances."""
        return {"direction": self.direction, "noise": self.noise}
