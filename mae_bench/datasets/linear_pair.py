"""Two noisy looks at the same causes: each pixel of the left has a twin on the right.

Pixel i of the left half is x_i = sqrt(λ_i) z_i + ε_i, its twin on the right is
y_i = sqrt(λ_i) z_i + ε'_i, with z_i ~ N(0, 1) and noise of variance λ_i / ρ_i - λ_i.
So Cov(x_i, y_i) = λ_i, Var(x_i) = σ_i² = λ_i / ρ_i, and ρ_i = λ_i / σ_i² is the
coefficient of the regression of y_i on x_i. Different i are independent: the
covariances of x and of (x, y) are diagonal together.

References:
    Littwin et al. 2024, arXiv 2407.03475: λ_i and ρ_i of simultaneously diagonal modes.
"""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from jaxtyping import Float64
from torch import Tensor

from mae_bench.datasets import Batch, Generated

SIDE = 4


class LinearPair(Generated):
    """Images of 4 x 4 pixels, a left and a right half with eight modes each.

    The mode in row r and column j of a half has ρ falling evenly from ``rho_high`` in
    the first row to ``rho_low`` in the last, and λ = ``covariance_low`` in the first
    column, ``covariance_high`` in the second. The latents are the causes z.

    n images take O(n) time and memory, and exact answers a fixed amount: there are
    always 16 pixels.

    Attributes:
        lamb: λ of each mode ``[8]``, in the order of a half's ``flatten(1)``.
        rho: ρ of each mode ``[8]``.
    """

    version: ClassVar[int] = 1

    def __init__(
        self,
        generator: torch.Generator,
        *,
        rho_low: float = 0.5,
        rho_high: float = 0.95,
        covariance_low: float = 0.5,
        covariance_high: float = 1.0,
        **settings: Any,
    ) -> None:
        """Set λ and ρ.

        Args:
            generator: Draws the training images, if they shall be so many.
            rho_low: Least ρ, in (0, 1).
            rho_high: Greatest ρ, in (rho_low, 1): at 1 the halves would be one.
            covariance_low: Least λ, above 0.
            covariance_high: Greatest λ, above the least.
            settings: Of ``Generated``.

        Raises:
            ValueError: A setting is outside its range.
        """
        super().__init__(generator, **settings)
        if not 0 < rho_low < rho_high < 1:
            raise ValueError(
                f"rho_low is {rho_low}, rho_high {rho_high}; "
                "choose 0 < rho_low < rho_high < 1"
            )
        if not 0 < covariance_low < covariance_high < math.inf:
            raise ValueError(
                f"covariance_low is {covariance_low}, covariance_high "
                f"{covariance_high}; choose 0 < covariance_low < covariance_high"
            )
        self.channels = 1
        self.image_size = SIDE
        self.levels = ("level_0",)
        self.num_classes = None
        rows = torch.linspace(rho_high, rho_low, SIDE, dtype=torch.float64)
        columns = torch.tensor([covariance_low, covariance_high], dtype=torch.float64)
        self.rho = rows.repeat_interleave(len(columns))
        self.lamb = columns.repeat(SIDE)
        self._deviations = [v.sqrt().float() for v in self._variances()]

    def draw(self, n: int, generator: torch.Generator) -> Batch:
        """``n`` fresh images with their causes."""
        device = generator.device
        draw = torch.randn(n, 3, len(self.lamb), generator=generator, device=device)
        # There from now on: a step that copies from the host would wait for it.
        self._deviations = [v.to(device) for v in self._deviations]
        signal, noise = self._deviations
        z = draw[:, 0]
        halves = signal * z[:, None] + noise * draw[:, 1:]
        images = (
            halves.view(n, 2, SIDE, SIDE // 2).transpose(1, 2).reshape(n, 1, SIDE, SIDE)
        )
        return Batch(images, {"level_0": z})

    def covariance(self) -> Float64[Tensor, "d d"]:
        """Cov of the pixels."""
        signal, noise = self._variances()
        twins = torch.tensor([[1.0, 1.0], [1.0, 1.0]], dtype=torch.float64)
        by_half = torch.kron(twins, signal.diag()) + torch.kron(
            torch.eye(2, dtype=torch.float64), noise.diag()
        )
        order = self._order()
        return by_half[order][:, order]

    def cross_covariance(self) -> Mapping[str, Float64[Tensor, "k d"]]:
        """Cov(z, pixels)."""
        loading = self.lamb.sqrt().diag().repeat(1, 2)
        return {"level_0": loading[:, self._order()]}

    def parameters(self) -> Mapping[str, Tensor]:
        """λ and ρ."""
        return {"lamb": self.lamb, "rho": self.rho}

    def _variances(self) -> tuple[Tensor, Tensor]:
        """Of the signal, λ, and of the noise, λ / ρ - λ."""
        return self.lamb, self.lamb / self.rho - self.lamb

    def _order(self) -> Tensor:
        """Where each pixel of the image stands in (left half, right half)."""
        place = torch.arange(2 * len(self.lamb)).view(2, SIDE, SIDE // 2)
        return place.transpose(0, 1).flatten()
