"""MoCo v3: a view finds, among a batch's keys by a slower copy, that of its partner."""

from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from mae_bench.datasets import Dataset
from mae_bench.methods.byol import BYOL


def info_nce(
    q: Float[Tensor, "n d"], k: Float[Tensor, "n d"], temperature: float
) -> Float[Tensor, ""]:
    """2 tau times the cross entropy of each query's own key among all keys.

    L_q = -log exp(q k+ / tau) / (exp(q k+ / tau) + sum_k- exp(q k- / tau)), with rows
    of unit length; the mean over n queries, times 2 tau.

    Args:
        q: Queries, of any length.
        k: Keys, in the same order; those of the other images are the negatives.
        temperature: tau > 0.

    Returns:
        In nats times 2 tau; 2 tau log n if all keys are equal.

    Raises:
        ValueError: Fewer than 2 pairs, or a temperature that is not positive.

    References:
        Chen, Xie & He 2021, arXiv 2104.02057, Eq. 1 and Algorithm 1.

    >>> one = torch.ones(3, 2)
    >>> round(info_nce(one, one, 0.5).exp().item(), 4)
    3.0
    """
    n = len(q)
    if n < 2:
        raise ValueError(f"{n} pairs have no negatives; give at least 2")
    if not temperature > 0:
        raise ValueError(f"temperature {temperature} must be above 0")
    logits = F.normalize(q, dim=1) @ F.normalize(k, dim=1).T / temperature
    own = torch.arange(n, device=q.device)
    return 2 * temperature * F.cross_entropy(logits, own)


class MoCoV3(BYOL):
    """BYOL's networks, trained to tell images apart: no queue, keys of the batch.

    The loss is the sum of both ways. The projections are standardised as well as the
    hidden layers, as released; the predictor's output is not, and the projector has
    two layers and not three. The optimiser is the house's. Its keys move with its
    weights, as BYOL's targets do, but must be told apart: if all agree, the loss is
    4 tau log n, that of guessing.
    """

    version: ClassVar[int] = 1
    judged_by: ClassVar[Literal["loss", "rank"]] = "loss"
    standard_out: ClassVar[bool] = True

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        temperature: float = 0.2,
        frozen_patch_embed: bool = True,
        **settings: Any,
    ) -> None:
        """Build what BYOL has.

        Args:
            dataset: The world that it learns from.
            generator: Draws the initial weights.
            temperature: tau of the loss, above 0.
            frozen_patch_embed: Whether patches are embedded by a random map that is not
                trained, which the paper (Sec. 4) found to be more stable.
            settings: See ``BYOL``.

        Raises:
            ValueError: A temperature that is not positive; see also ``BYOL``.
        """
        if not temperature > 0:
            raise ValueError(f"temperature {temperature} must be above 0")
        super().__init__(dataset, generator, **settings)
        self.temperature = temperature
        self.encoder.patch_embed.requires_grad_(not frozen_patch_embed)

    def compare(
        self, z1: Float[Tensor, "n d"], z2: Float[Tensor, "n d"]
    ) -> Float[Tensor, ""]:
        """InfoNCE of queries and keys, for one way."""
        return info_nce(z1, z2, self.temperature)
