"""Two causes that drift, seen through a spiral: the world in which LeJEPA is judged.

u ~ N(0, I_2), and of the next moment u' = ρ u + sqrt(1 - ρ²) η. The causes are z_i =
F_α⁻¹(Φ(u_i)), generalised normal of shape α and variance 1, Gaussian at α = 2. They are
turned by an angle that grows with their distance from 0, g(z) = R(τ |z|) z, which is
invertible; the four pixels are an orthonormal embedding of g(z).

References:
    Klindt, LeCun & Balestriero 2026, arXiv 2605.26379. Reading taken for α other than
    2: marginals are those of the shape, the dependence of z and z' is that of u and u'.
"""

import math
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float
from scipy.special import gammainccinv, gammaln, ndtr
from torch import Tensor

from mae_bench.datasets import Batch, Generated
from mae_bench.models.haar import rotations

SIDE, CAUSES = 2, 2
_REACH, _KNOTS = 6.0, 4801  # of the table of z(u), in deviations of u


class OUMixing(Generated):
    """Images of 2 x 2 pixels. ``level_0`` are the causes z, ``level_1`` their u.

    To redraw an image is to see the next moment.

    n images take O(n) time and memory.
    """

    version: ClassVar[int] = 1

    def __init__(
        self,
        generator: torch.Generator,
        *,
        rho: float = 0.9,
        alpha: float = 2.0,
        twist: float = 1.0,
        **settings: Any,
    ) -> None:
        """Draw the embedding.

        Args:
            generator: Draws it.
            rho: ρ, correlation of two moments, in (0, 1).
            alpha: α, shape of the causes, in [0.25, 64].
            twist: τ >= 0, in radians; at 0 pixels are linear in the causes.
            settings: Of ``Generated``.

        Raises:
            ValueError: A setting is outside its range.
        """
        super().__init__(generator, **settings)
        if not 0 < rho < 1:
            raise ValueError(f"rho is {rho}; choose in (0, 1)")
        if not 0.25 <= alpha <= 64:
            raise ValueError(f"alpha is {alpha}; choose in [0.25, 64]")
        if not 0 <= twist < math.inf:
            raise ValueError(f"twist is {twist}; choose a number of at least 0")
        self.channels = 1
        self.image_size = SIDE
        self.levels = ("level_0", "level_1")
        self.num_classes = None
        self.rho, self.alpha, self.twist = rho, alpha, twist
        self.embedding = rotations(1, SIDE**2, generator)[0][:CAUSES]
        knots = np.linspace(-_REACH, _REACH, _KNOTS)
        table = torch.from_numpy(generalised_normal(knots, alpha))
        self._there = [self.embedding.float(), table.float()]

    def draw(self, n: int, generator: torch.Generator) -> Batch:
        """``n`` fresh images with their causes."""
        shape, device = (n, CAUSES), generator.device
        return self._seen(torch.randn(shape, generator=generator, device=device))

    def redraw(self, batch: Batch, generator: torch.Generator) -> Batch:
        """The next moment of each image."""
        u = batch.latents["level_1"]
        drift = torch.randn(u.shape, generator=generator, device=generator.device)
        return self._seen(self.rho * u + math.sqrt(1 - self.rho**2) * drift.to(u))

    def parameters(self) -> dict[str, Tensor]:
        """The embedding."""
        return {"embedding": self.embedding}

    def _seen(self, u: Float[Tensor, "n 2"]) -> Batch:
        # There from now on: a step that copies from the host would wait for it.
        self._there = [matrix.to(u.device) for matrix in self._there]
        embedding, table = self._there
        place = (u.clamp(-_REACH, _REACH) + _REACH) * (_KNOTS - 1) / (2 * _REACH)
        low = place.floor().clamp(max=_KNOTS - 2).long()
        z = torch.lerp(table[low], table[low + 1], place - low)
        angle = self.twist * z.norm(dim=1)
        c, s = angle.cos(), angle.sin()
        turned = torch.stack([c * z[:, 0] - s * z[:, 1], s * z[:, 0] + c * z[:, 1]], 1)
        images = (turned @ embedding).view(len(u), 1, SIDE, SIDE)
        return Batch(images, {"level_0": z, "level_1": u})


def generalised_normal(u: np.ndarray, alpha: float) -> np.ndarray:
    """F_α⁻¹(Φ(u)), of density proportional to exp(-|z / b|^α) and variance 1.

    >>> generalised_normal(np.array([-1.5, 0.0, 0.5]), 2.0).round(6).tolist()
    [-1.5, 0.0, 0.5]
    """
    beyond = 2 * ndtr(-np.abs(u))
    scale = np.exp((gammaln(1 / alpha) - gammaln(3 / alpha)) / 2)
    size = scale * gammainccinv(1 / alpha, beyond) ** (1 / alpha)
    z: np.ndarray = np.sign(u) * size
    return z
