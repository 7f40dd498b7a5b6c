"""Signal and nuisance in other directions, and views whose noise is along the nuisance.

Of the d = 16 directions of an image, k = 4 are signal of variance 1 and the others
nuisance of variance g; the directions are a random orthonormal basis Q of the pixels.
A view of an image x is x + ε, ε ~ N(0, S) with

    S = a g P_nuisance + b I,

a the alignment of the noise with what is irrelevant, b the noise that falls on all
directions alike. With C = Cov x, the covariance of two views is C, of one C + S.

References:
    Van Assel et al. 2025, arXiv 2505.12477: augmentations aligned with the irrelevant
    features. Only its abstract could be read; this linear world is our reading.
"""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from jaxtyping import Float64
from torch import Tensor

from mae_bench.datasets import Batch, Generated, orthant
from mae_bench.models.haar import rotations

SIDE, SIGNALS = 4, 4


class AlignedNuisance(Generated):
    """Images of 4 x 4 pixels: four signals of variance 1, twelve nuisances of g.

    The latents are the signals; the class is the orthant of the first two. To redraw an
    image is to see another view of it: its signals stay, for views add noise to the
    pixels and nothing to the causes.

    n images take O(n) time and memory, and exact answers a fixed amount: there are
    always 16 pixels.

    Attributes:
        basis: Q ``[d, d]``; its first four columns are the signals' directions.
    """

    version: ClassVar[int] = 1

    def __init__(
        self,
        generator: torch.Generator,
        *,
        nuisance: float = 4.0,
        alignment: float = 1.0,
        isotropic: float = 0.0,
        **settings: Any,
    ) -> None:
        """Draw the directions.

        Args:
            generator: Draws them.
            nuisance: g > 0, variance of each nuisance.
            alignment: a >= 0, variance of a view's noise along a nuisance, over g.
            isotropic: b >= 0, variance of a view's noise along every direction.
            settings: Of ``Generated``.

        Raises:
            ValueError: A setting is outside its range.
        """
        super().__init__(generator, **settings)
        if not 0 < nuisance < math.inf:
            raise ValueError(f"nuisance is {nuisance}; choose a number above 0")
        for name, value in (("alignment", alignment), ("isotropic", isotropic)):
            if not 0 <= value < math.inf:
                raise ValueError(f"{name} is {value}; choose a number of at least 0")
        self.channels = 1
        self.image_size = SIDE
        self.levels = ("level_0",)
        self.num_classes = 4
        self.nuisance, self.alignment, self.isotropic = nuisance, alignment, isotropic
        self.basis = rotations(1, SIDE**2, generator)[0]
        signal = torch.arange(SIDE**2) < SIGNALS
        self._variances = torch.where(signal, 1.0, nuisance).double()
        self._noises = torch.where(signal, 0.0, alignment * nuisance) + isotropic
        self._sampling = [
            (self.basis * v.double().sqrt()).T.float()
            for v in (self._variances, self._noises)
        ]

    def draw(self, n: int, generator: torch.Generator) -> Batch:
        """``n`` fresh images with their signals."""
        causes, _ = self._there(generator.device)
        white = torch.randn(
            n, len(causes), generator=generator, device=generator.device
        )
        images = (white @ causes).view(n, 1, SIDE, SIDE)
        z = white[:, :SIGNALS]
        return Batch(images, {"level_0": z}, orthant(z[:, :2]))

    def redraw(self, batch: Batch, generator: torch.Generator) -> Batch:
        """A view of each image: its own pixels with noise N(0, S)."""
        _, noise = self._there(batch.images.device)
        white = torch.randn(
            len(batch), len(noise), generator=generator, device=generator.device
        )
        images = batch.images + (white @ noise).view_as(batch.images)
        return Batch(images, batch.latents, batch.labels)

    def covariance(self) -> Float64[Tensor, "d d"]:
        """C."""
        return self._from_basis(self._variances)

    def noise_covariance(self) -> Float64[Tensor, "d d"]:
        """S of a view."""
        return self._from_basis(self._noises.double())

    def cross_covariance(self) -> Mapping[str, Float64[Tensor, "k d"]]:
        """Cov(z, x)."""
        return {"level_0": self.basis[:, :SIGNALS].T}

    def parameters(self) -> Mapping[str, Tensor]:
        """The directions."""
        return {"basis": self.basis}

    def _from_basis(self, variances: Tensor) -> Tensor:
        found: Tensor = self.basis * variances @ self.basis.T
        return found

    def _there(self, device: torch.device) -> list[Tensor]:
        # There from now on: a step that copies from the host would wait for it.
        self._sampling = [matrix.to(device) for matrix in self._sampling]
        return self._sampling
