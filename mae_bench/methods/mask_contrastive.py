"""Mask contrast (Zhang et al. 2022): two random masks of one image make the pair."""

from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods._masked_vit import MaskedViT
from mae_bench.methods.spectral_contrastive import SpectralContrastive
from mae_bench.models.full_precision import in_full_precision
from mae_bench.models.masking import FIXED
from mae_bench.models.processes import gather


class MaskContrastive(MaskedViT, SpectralContrastive):
    """The contrastive method that MAE is said to be, without a decoder.

    MAE's loss is bounded from below by the alignment L_align of visible parts x1, x1⁺
    that share a masked target (2210.08344, Theorem 3.3); here that alignment is the
    loss, with the uniformity term that MAE lacks: together the spectral contrastive
    loss of the mask graph. The encoder sees visible patches only, as in MAE.

    Reading taken: x1 and x1⁺ are what two masks of one image show, drawn apart, so that
    1 - mask_ratio of each is seen by the other too. In the paper's graph they are parts
    that agree on x2, which among images of many pixels no two do. The paper compares
    outputs of the decoder; a projector stands for it here. Both parts move with the
    weights; if all agree the loss is no less than -1, that of one eigenvector.
    """

    version: ClassVar[int] = 1

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        mu: float = 10.0,
        **settings: Any,
    ) -> None:
        """Build encoder and projector.

        Args:
            dataset: The world that it learns from.
            generator: Draws the initial weights.
            mu: Squared radius of the projections' ball. The loss without one is least
                at a mean square of Σ λ_i over the eigenvalues that are kept, of which
                the constant alone takes 1: a ball of 1 left next to no room for the
                rest (its loss was higher, and its projections of rank 2 to 3).
            settings: See ``MaskedViT``, without its fixed masks, and
                ``SpectralContrastive``.

        Raises:
            ValueError: Sizes that do not divide, or masks that cannot be drawn or are
                always the same.
        """
        super().__init__(dataset, generator, mu=mu, **settings)
        if self.mask_family in FIXED:
            raise ValueError(
                f"mask_family {self.mask_family!r} shows the same patches twice, which "
                "is no pair to learn from; choose one that is drawn"
            )

    def prepare(self, batch: Batch, generator: torch.Generator) -> Any:
        """The images, and what is visible of each under two masks."""
        images = self.viewed(batch, generator)
        first, second = (self.masking(len(batch), generator) for _ in range(2))
        return images, first.ids_keep, second.ids_keep

    def forward(self, example: Any) -> Float[Tensor, ""]:
        """The loss of two visible parts of every image, of all processes' images."""
        images, first, second = example
        h = self.pooled(torch.cat([images, images]), torch.cat([first, second]))
        z1, z2 = self.projector(h).chunk(2)
        return in_full_precision(self.compare, gather(z1), gather(z2))
