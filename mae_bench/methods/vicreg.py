"""VICReg (Bardes et al. 2022): variance, invariance, covariance; no negatives."""

from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from mae_bench.datasets import Dataset
from mae_bench.methods._two_views import TwoViews

GAMMA = 1.0  # the standard deviation that is asked for
EPS = 1e-4  # under the root: its slope stays finite where nothing varies


def vicreg_loss(
    z1: Float[Tensor, "n d"],
    z2: Float[Tensor, "n d"],
    *,
    sim_coeff: float = 25.0,
    std_coeff: float = 25.0,
    cov_coeff: float = 1.0,
) -> Float[Tensor, ""]:
    """λ s(Z, Z') + μ [v(Z) + v(Z')] + ν [c(Z) + c(Z')].

    Args:
        z1: Projections Z of the first views.
        z2: Projections Z' of the second ones, in the same order.
        sim_coeff: λ of ``invariance``.
        std_coeff: μ of ``variance``.
        cov_coeff: ν of ``covariance``.

    Returns:
        From 0; 50 · 0.99 by default if all projections are equal.

    Raises:
        ValueError: Fewer than 2 pairs.

    References:
        Bardes et al. 2022, arXiv 2105.04906, Eq. 6.

    >>> one = torch.ones(3, 2)
    >>> round(vicreg_loss(one, one).item(), 4)
    49.5
    """
    if len(z1) < 2:
        raise ValueError(f"{len(z1)} pairs have no variance; give at least 2")
    return (
        sim_coeff * invariance(z1, z2)
        + std_coeff * (variance(z1) + variance(z2))
        + cov_coeff * (covariance(z1) + covariance(z2))
    )


def invariance(z1: Float[Tensor, "n d"], z2: Float[Tensor, "n d"]) -> Float[Tensor, ""]:
    """s: mean squared difference of the two views, a coordinate.

    Eq. 5 sums over the coordinates; the paper's Algorithm 1 and its code, for which
    the coefficients were chosen, take their mean, as here.
    """
    return (z1 - z2).square().mean()


def variance(z: Float[Tensor, "n d"]) -> Float[Tensor, ""]:
    """v: how far each coordinate's standard deviation stays below γ = 1, on average.

    max(0, γ - √(Var + ε)), with the unbiased variance and ε = 1e-4 (Eq. 1 and 2).
    """
    return torch.relu(GAMMA - (z.var(0) + EPS).sqrt()).mean()


def covariance(z: Float[Tensor, "n d"]) -> Float[Tensor, ""]:
    """c: squared covariances of different coordinates, summed, over d (Eq. 3 and 4)."""
    n, d = z.shape
    centred = z - z.mean(0)
    squared = (centred.T @ centred / (n - 1)).square()
    return (squared.sum() - squared.diagonal().sum()) / d


class VICReg(TwoViews):
    """The ViT's ``mean`` (or ``code``), projected, under VICReg.

    The expander is the house's projector: two layers of 64 without batch norm in place
    of three of 8192 with it; the variance term alone keeps it from collapse. As there,
    the last layer has no bias, which the loss could not see. The released code halves
    the variance term; Eq. 6, taken here, does not.
    """

    version: ClassVar[int] = 1

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        sim_coeff: float = 25.0,
        std_coeff: float = 25.0,
        cov_coeff: float = 1.0,
        **settings: Any,
    ) -> None:
        """Build encoder and projector.

        Args:
            dataset: The world that it learns from.
            generator: Draws the initial weights.
            sim_coeff: λ, weight of the invariance term; as published.
            std_coeff: μ, weight of the variance term; as published.
            cov_coeff: ν, weight of the covariance term; as published.
            settings: See ``TwoViews``.

        Raises:
            ValueError: A weight is negative.
        """
        weights = (sim_coeff, std_coeff, cov_coeff)
        if not all(weight >= 0 for weight in weights):
            raise ValueError(f"coefficients {weights} must not be below 0")
        super().__init__(dataset, generator, **settings)
        self.projector.out.register_parameter("bias", None)
        self.sim_coeff, self.std_coeff, self.cov_coeff = weights

    def compare(
        self, z1: Float[Tensor, "n d"], z2: Float[Tensor, "n d"]
    ) -> Float[Tensor, ""]:
        """VICReg's three terms."""
        return vicreg_loss(
            z1,
            z2,
            sim_coeff=self.sim_coeff,
            std_coeff=self.std_coeff,
            cov_coeff=self.cov_coeff,
        )
