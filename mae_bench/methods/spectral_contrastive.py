"""Spectral contrastive learning (HaoChen et al. 2021): two views agree, others do not.

What it learns is known: without a bound on its length the best f holds, up to a
rotation, the leading eigenvectors of the graph whose edges are the pairs of views.
"""

import math
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from mae_bench.datasets import Dataset
from mae_bench.methods._two_views import TwoViews


def spectral_contrastive_loss(
    z1: Float[Tensor, "n d"], z2: Float[Tensor, "n d"]
) -> Float[Tensor, ""]:
    """-2 E f(x)ᵀf(x⁺) + E (f(x)ᵀf(x'))², without bias from a batch of any size.

    The first mean is over the n pairs, the second over the n (n - 1) pairs of a first
    view and the second view of another image, which are independent draws.

    Args:
        z1: Projections of the first views.
        z2: Projections of the second ones, in the same order.

    Returns:
        For unit vectors in [-2, 3]: -2 if pairs agree and are orthogonal to all
        others, -1 if all projections are equal.

    Raises:
        ValueError: Fewer than 2 pairs.

    References:
        HaoChen et al. 2021, arXiv 2106.04156, Eq. 6; the negatives as in their code.

    >>> spectral_contrastive_loss(torch.eye(3), torch.eye(3)).item()
    -2.0
    >>> spectral_contrastive_loss(torch.ones(3, 1), torch.ones(3, 1)).item()
    -1.0
    """
    n = len(z1)
    if n < 2:
        raise ValueError(f"{n} pairs have no negatives; give at least 2")
    products = z1 @ z2.T
    squared = products.square()
    others = (squared.sum() - squared.diagonal().sum()) / (n * (n - 1))
    return others - 2 * products.diagonal().mean()


def into_ball(z: Float[Tensor, "n d"], mu: float) -> Float[Tensor, "n d"]:
    """Rows longer than √mu cut to that length; the others as they are.

    >>> into_ball(torch.tensor([[3.0, 4.0], [0.3, 0.4]]), 1.0)
    tensor([[0.6000, 0.8000],
            [0.3000, 0.4000]])
    """
    radius = math.sqrt(mu)
    length = torch.linalg.vector_norm(z, dim=1, keepdim=True)
    cut: Tensor = z * (radius / length.clamp_min(radius))
    return cut


class SpectralContrastive(TwoViews):
    """The ViT's ``mean`` (or ``code``), projected, under the spectral contrastive loss.

    As in the released code, projections are cut to a ball of radius √mu, not put on
    its sphere; the code also divides the loss by mu, which AdamW does not notice. Its
    projector has batch norms, this one has none: the loss itself pushes images apart.
    """

    version: ClassVar[int] = 1

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        mu: float = 1.0,
        **settings: Any,
    ) -> None:
        """Build encoder and projector.

        Args:
            dataset: The world that it learns from.
            generator: Draws the initial weights.
            mu: Squared radius of the ball that projections stay in, above 0; 1 as
                released.
            settings: See ``TwoViews``.

        Raises:
            ValueError: ``mu`` is not positive, or infinite.
        """
        if not 0 < mu < math.inf:
            raise ValueError(f"mu {mu} bounds no ball; choose above 0, and finite")
        super().__init__(dataset, generator, **settings)
        self.mu = mu

    def compare(
        self, z1: Float[Tensor, "n d"], z2: Float[Tensor, "n d"]
    ) -> Float[Tensor, ""]:
        """The spectral contrastive loss within the ball."""
        return spectral_contrastive_loss(into_ball(z1, self.mu), into_ball(z2, self.mu))
