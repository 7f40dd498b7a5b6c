"""Two frames of a moving signal, before a distractor that stands still or flickers.

Of the d = 16 directions of a frame, a random orthonormal basis Q of the pixels, four
are signals z of variance 1 and four a distractor s u, u ~ N(0, 1); every direction has
noise of variance b, of each frame its own. From one frame to the next

    z' = ρ z + sqrt(1 - ρ²) n,     u' = u if it stands still, and fresh if it flickers.

So C = Cov x has the eigenvalues 1 + b, s² + b and b, and K = Cov(x, x') has ρ, and s²
or 0, and 0, along the same axes.

References:
    Sobal et al. 2022, arXiv 2211.10831: a dot that moves before noise that is fixed or
    changes. This linear world is our reading.
"""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from jaxtyping import Float64
from torch import Tensor

from mae_bench.datasets import Batch, Generated
from mae_bench.models.haar import rotations

SIDE, CAUSES = 4, 4


class DistractedFrames(Generated):
    """Frames of 4 x 4 pixels: ``level_0`` is z, ``level_1`` u.

    To redraw a frame is to see the next one, in which z has moved: there is no class.

    n images take O(n) time and memory, and exact answers a fixed amount: there are
    always 16 pixels.

    Attributes:
        basis: Q ``[d, d]``; its first four columns are the signals' directions, the
            next four the distractor's.
    """

    version: ClassVar[int] = 1

    def __init__(
        self,
        generator: torch.Generator,
        *,
        strength: float = 1.0,
        still: bool = True,
        rho: float = 0.8,
        pixel_noise: float = 0.02,
        **settings: Any,
    ) -> None:
        """Draw the directions.

        Args:
            generator: Draws them.
            strength: s >= 0, standard deviation of the distractor.
            still: Whether it is the same in the next frame.
            rho: ρ in (0, 1), correlation of a signal with itself a frame on.
            pixel_noise: b > 0, a variance.
            settings: Of ``Generated``.

        Raises:
            ValueError: A setting is outside its range.
        """
        super().__init__(generator, **settings)
        if not 0 <= strength < math.inf:
            raise ValueError(f"strength is {strength}; choose a number of at least 0")
        if not 0 < rho < 1:
            raise ValueError(f"rho is {rho}; choose in (0, 1)")
        if not 0 < pixel_noise < math.inf:
            raise ValueError(f"pixel_noise is {pixel_noise}; choose a number above 0")
        self.channels = 1
        self.image_size = SIDE
        self.levels = ("level_0", "level_1")
        self.num_classes = None
        self.strength, self.still = strength, still
        self.rho, self.pixel_noise = rho, pixel_noise
        self.basis = rotations(1, SIDE**2, generator)[0]
        self._axes = self.basis[:, : 2 * CAUSES].T.float()

    def draw(self, n: int, generator: torch.Generator) -> Batch:
        """``n`` fresh frames with their causes."""
        z, u = (_normal(n, CAUSES, generator) for _ in range(2))
        return self._show(z, u, generator)

    def redraw(self, batch: Batch, generator: torch.Generator) -> Batch:
        """The next frame of each."""
        z, u = (batch.latents[name] for name in self.levels)
        moved, fresh = (_normal(len(batch), CAUSES, generator) for _ in range(2))
        z = self.rho * z + math.sqrt(1 - self.rho**2) * moved
        return self._show(z, u if self.still else fresh, generator)

    def covariance(self) -> Float64[Tensor, "d d"]:
        """C."""
        return self._along(1.0, self.strength**2, self.pixel_noise)

    def frame_covariance(self) -> Float64[Tensor, "d d"]:
        """K, of a frame with the next."""
        return self._along(self.rho, self.strength**2 * self.still, 0.0)

    def cross_covariance(self) -> Mapping[str, Float64[Tensor, "k d"]]:
        """Cov(z, x) and Cov(u, x)."""
        signal, distractor = self.basis[:, : 2 * CAUSES].T.chunk(2)
        return {"level_0": signal, "level_1": self.strength * distractor}

    def parameters(self) -> Mapping[str, Tensor]:
        """The directions."""
        return {"basis": self.basis}

    def _along(self, signal: float, distractor: float, everywhere: float) -> Tensor:
        """A matrix of these values along the axes."""
        values = torch.full((SIDE**2,), everywhere, dtype=torch.float64)
        values[:CAUSES] += signal
        values[CAUSES : 2 * CAUSES] += distractor
        found: Tensor = self.basis * values @ self.basis.T
        return found

    def _show(self, z: Tensor, u: Tensor, generator: torch.Generator) -> Batch:
        # There from now on: a step that copies from the host would wait for it.
        self._axes = self._axes.to(z.device)
        noise = _normal(len(z), SIDE**2, generator) * math.sqrt(self.pixel_noise)
        frames = torch.cat([z, self.strength * u], 1) @ self._axes + noise
        images = frames.view(-1, 1, SIDE, SIDE)
        return Batch(images, {"level_0": z, "level_1": u})


def _normal(n: int, k: int, generator: torch.Generator) -> Tensor:
    return torch.randn(n, k, generator=generator, device=generator.device)
