"""A Gaussian chain: pixels in raster order, each correlated with the one before it.

x_1 ~ N(0, 1), x_{i+1} = φ x_i + sqrt(1 - φ²) ε_i: Cov(x_i, x_j) = φ^{|i - j|}.

References:
    Li et al. 2024, arXiv 2407.21046: masked likelihoods, for which it is a small world
    whose Fisher information is known.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from jaxtyping import Float64
from torch import Tensor

from mae_bench.datasets import Batch, Generated


class ARChain(Generated):
    """Images of which the only thing to be learned is φ; there are no latents.

    n images of d pixels take O(n d) time and memory; the covariance takes O(d²).
    """

    version: ClassVar[int] = 1

    def __init__(
        self,
        generator: torch.Generator,
        *,
        image_size: int = 3,
        phi: float = 0.7,
        **settings: Any,
    ) -> None:
        """Keep φ.

        Args:
            generator: Draws the training images, if they shall be so many.
            image_size: h = w, in 2..32 pixels; the chain has h w.
            phi: φ, correlation of neighbours, in (-1, 1).
            settings: Of ``Generated``.

        Raises:
            ValueError: A setting is outside its range.
        """
        super().__init__(generator, **settings)
        if not 2 <= image_size <= 32:
            raise ValueError(f"image_size is {image_size}; choose in 2..32")
        if not -1 < phi < 1:
            raise ValueError(f"phi is {phi}; choose in (-1, 1)")
        self.channels = 1
        self.image_size = image_size
        self.levels = ()
        self.num_classes = None
        self.phi = phi
        self._factor = torch.linalg.cholesky(self.covariance()).float()

    def draw(self, n: int, generator: torch.Generator) -> Batch:
        """``n`` fresh images."""
        device = generator.device
        # There from now on: a step that copies from the host would wait for it.
        self._factor = self._factor.to(device)
        white = torch.randn(n, len(self._factor), generator=generator, device=device)
        side = self.image_size
        return Batch((white @ self._factor.T).view(n, 1, side, side))

    def covariance(self) -> Float64[Tensor, "d d"]:
        """φ^{|i - j|}."""
        place = torch.arange(self.image_size**2, dtype=torch.float64)
        return self.phi ** (place[:, None] - place).abs()

    def cross_covariance(self) -> Mapping[str, Float64[Tensor, "k d"]]:
        """Nothing: it has no latents."""
        return {}
