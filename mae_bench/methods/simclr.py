"""SimCLR: two views of an image agree, and differ from those of all other images."""

from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from mae_bench.datasets import Dataset
from mae_bench.methods._two_views import TwoViews


def nt_xent(
    z1: Float[Tensor, "n d"], z2: Float[Tensor, "n d"], temperature: float
) -> Float[Tensor, ""]:
    """Normalised temperature-scaled cross entropy.

    l(i, j) = -log exp(s_ij / tau) / sum_{k != i} exp(s_ik / tau), with s the cosine of
    two of the 2n projections and (i, j) a positive pair; the mean over both orders of
    all n pairs.

    Args:
        z1: Projections of the first views.
        z2: Projections of the second ones, in the same order.
        temperature: tau > 0.

    Returns:
        In nats; log(2n - 1) if all projections are equal.

    Raises:
        ValueError: Fewer than 2 pairs, or a temperature that is not positive.

    References:
        Chen et al. 2020, arXiv 2002.05709, Eq. 1.

    >>> one = torch.ones(3, 2)
    >>> round(nt_xent(one, one, 0.5).exp().item(), 4)
    5.0
    """
    n = len(z1)
    if n < 2:
        raise ValueError(f"{n} pairs have no negatives; give at least 2")
    if not temperature > 0:
        raise ValueError(f"temperature {temperature} must be above 0")
    z = F.normalize(torch.cat([z1, z2]), dim=1)
    logits = (z @ z.T / temperature).fill_diagonal_(-torch.inf)
    positive = torch.arange(2 * n, device=z.device).roll(n)
    return F.cross_entropy(logits, positive)


class SimCLR(TwoViews):
    """The ViT's ``mean`` (its ``code``, if it has one), projected, under NT-Xent."""

    version: ClassVar[int] = 1

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        temperature: float = 0.2,
        **settings: Any,
    ) -> None:
        """Build encoder and projector.

        Args:
            dataset: The world that it learns from.
            generator: Draws the initial weights.
            temperature: tau of NT-Xent, above 0. With 128 images a batch, 0.1 and 0.2
                gave better digits than 0.5, and as good a root of a tree.
            settings: See ``TwoViews``.

        Raises:
            ValueError: A temperature that is not positive.
        """
        if not temperature > 0:
            raise ValueError(f"temperature {temperature} must be above 0")
        super().__init__(dataset, generator, **settings)
        self.temperature = temperature

    def compare(
        self, z1: Float[Tensor, "n d"], z2: Float[Tensor, "n d"]
    ) -> Float[Tensor, ""]:
        """NT-Xent."""
        return nt_xent(z1, z2, self.temperature)
