"""Barlow Twins (Zbontar et al. 2021): coordinates agree across views, and only they."""

from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from mae_bench.datasets import Dataset
from mae_bench.methods._two_views import TwoViews

EPS = 1e-5  # of the released code's batch norm


def cross_correlation(
    z1: Float[Tensor, "n d"], z2: Float[Tensor, "n d"]
) -> Float[Tensor, "d d"]:
    """C_ij: correlation over the batch of the first view's i and the second's j.

    Returns:
        In [-1, 1]; 0 where a coordinate does not vary.

    References:
        2103.03230, Eq. 2, with the released code's 1e-5 beside each variance.
    """
    return standardise(z1).T @ standardise(z2) / len(z1)


def standardise(z: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """Mean 0 and variance 1 of every coordinate over the batch."""
    var, mean = torch.var_mean(z, dim=0, correction=0)
    return (z - mean) / (var + EPS).sqrt()


def barlow_twins_loss(
    z1: Float[Tensor, "n d"], z2: Float[Tensor, "n d"], lamb: float
) -> Float[Tensor, ""]:
    """Σ_i (1 - C_ii)² + λ Σ_{i≠j} C_ij²: how far C is from the identity.

    Args:
        z1: Projections of the first views.
        z2: Projections of the second ones, in the same order.
        lamb: λ, from 0.

    Returns:
        From 0; d if all projections are equal, for nothing then correlates.

    Raises:
        ValueError: Fewer than 2 pairs.

    References:
        Zbontar et al. 2021, arXiv 2103.03230, Eq. 1.

    >>> z = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    >>> round(barlow_twins_loss(z, z, 0.005).item(), 4)
    0.0
    >>> round(barlow_twins_loss(z, z.flip(1), 0.005).item(), 4)
    2.01
    """
    if len(z1) < 2:
        raise ValueError(f"{len(z1)} pairs do not correlate; give at least 2")
    C = cross_correlation(z1, z2)
    on = C.diagonal()
    off = C.square().sum() - on.square().sum()
    return (1 - on).square().sum() + lamb * off


class BarlowTwins(TwoViews):
    """The ViT's ``mean`` (or ``code``), projected, under the loss of Barlow Twins.

    The projector is the house's: two layers of 64 without batch norm in place of three
    of 8192 with it. What is essential of that is in the loss, which standardises each
    coordinate over the whole batch; the last layer has no bias, as released, for the
    loss could not see it.
    """

    version: ClassVar[int] = 1

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        lamb: float = 0.005,
        **settings: Any,
    ) -> None:
        """Build encoder and projector.

        Args:
            dataset: The world that it learns from.
            generator: Draws the initial weights.
            lamb: λ, weight of the redundancy term, from 0; as published. It was chosen
                for 8192 coordinates: of 64, each has fewer others to differ from, and
                the term weighs less.
            settings: See ``TwoViews``.

        Raises:
            ValueError: ``lamb`` is negative.
        """
        if not lamb >= 0:
            raise ValueError(f"lamb {lamb} would ask for redundancy; choose 0 or more")
        super().__init__(dataset, generator, **settings)
        self.projector.out.register_parameter("bias", None)
        self.lamb = lamb

    def compare(
        self, z1: Float[Tensor, "n d"], z2: Float[Tensor, "n d"]
    ) -> Float[Tensor, ""]:
        """The distance of the cross-correlation from the identity."""
        return barlow_twins_loss(z1, z2, self.lamb)
