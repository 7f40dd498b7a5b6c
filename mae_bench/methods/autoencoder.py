"""Autoencoder: reconstruct what is seen; what is hidden is never asked for."""

from typing import Any, ClassVar

import torch
from jaxtyping import Int64
from torch import Tensor

from mae_bench.datasets import Dataset
from mae_bench.methods.mae import MAE
from mae_bench.models.masking import FIXED, Masking


class Autoencoder(MAE):
    """MAE's encoder and decoder, asked for the visible patches: MAE without its point.

    The decoder is asked as MAE's is, by a mask token at the patch's place, so the two
    differ in what they must predict and in nothing else.
    """

    version: ClassVar[int] = 1

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        mask_ratio: float = 0.0,
        **settings: Any,
    ) -> None:
        """Build encoder and decoder.

        Args:
            dataset: The world that it learns from.
            generator: Draws the initial weights.
            mask_ratio: Share of the mask units that is hidden and ignored, in [0, 1);
                0 shows everything, whatever the family.
            settings: See ``MAE``.
        """
        super().__init__(dataset, generator, mask_ratio=mask_ratio, **settings)

    def masking(self, n: int, generator: torch.Generator) -> Masking:
        """Masks for n images, empty ones at ratio 0."""
        if self.mask_ratio or self.mask_family in FIXED:
            return super().masking(n, generator)
        every = torch.arange(self.encoder.num_patches, device=generator.device)
        return Masking(every.expand(n, -1), every[:0].expand(n, -1))

    def asked(self, masking: Masking) -> Int64[Tensor, "n k"]:
        """The visible patches."""
        return masking.ids_keep
