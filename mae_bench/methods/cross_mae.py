"""CrossMAE (Fu et al. 2025): masked patches are decoded one by one, and only few."""

import math
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods.mae import MAE


class CrossMAE(MAE):
    """MAE whose decoder has masked patches read visible ones alone, and asks for few.

    A patch's prediction does not depend on which others are asked for, so the loss on
    a random few estimates that on all masked ones without bias. Only training asks for
    few: ``asked`` and ``reconstruct`` mean all, as MAE's do.

    A decoder of one block, the default here, is a block of cross-attention: masked
    patches ask, the class token and the visible patches are read. In a deeper one
    visible tokens also read each other on their way, where the paper's stay as
    the encoder left them. Other differences: visible tokens are projected and placed
    before the decoder's norm, as in MAE; the inter-block attention, by which each
    block of the decoder reads its own learned mixture of the encoder's layers, is left
    out: all read the last layer.

    References:
        2401.14391, Sec. 3; the released command masks 0.75 and predicts 0.25.
    """

    version: ClassVar[int] = 1

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        prediction_ratio: float = 0.25,
        mask_to_mask: bool = False,
        **mae: Any,
    ) -> None:
        """Build encoder and decoder.

        Args:
            dataset: The world that it learns from.
            generator: Draws the initial weights, the encoder's first.
            prediction_ratio: Share of all patches that a step asks for, in (0, 1];
                all masked ones where it is as large as ``mask_ratio``.
            mask_to_mask: Must be False.
            mae: See ``MAE``.

        Raises:
            ValueError: A share outside its range, or masked patches that are to read
                each other.
        """
        if mask_to_mask:
            raise ValueError(
                "mask_to_mask=True makes a patch depend on which others are asked for; "
                "choose False, or MAE"
            )
        if not 0 < prediction_ratio <= 1:
            raise ValueError(
                f"prediction_ratio {prediction_ratio} is no share of the patches; "
                "choose in (0, 1]"
            )
        super().__init__(dataset, generator, mask_to_mask=mask_to_mask, **mae)
        # A rounding error must not cost a patch: 100 * 0.07 is 7.000000000000001.
        self.most = math.ceil(self.encoder.num_patches * prediction_ratio - 1e-9)
        # Masks of single patches at random already come in an order that is random.
        single = self.mask_unit == self.encoder.patch_size
        self.ordered = self.mask_family != "random" or not single

    def prepare(self, batch: Batch, generator: torch.Generator) -> Any:
        """MAE's example, its masked patches in random order: the first are asked for.

        Where MAE's masks have such an order nothing more is drawn, and the masks of a
        whole training are MAE's.
        """
        images, seen, masking = super().prepare(batch, generator)
        if self.ordered:
            ids = masking.ids_masked
            noise = torch.rand(ids.shape, generator=generator, device=ids.device)
            masking = masking._replace(ids_masked=ids.gather(1, noise.argsort(1)))
        return images, seen, masking

    def forward(self, example: Any) -> Float[Tensor, ""]:
        """MAE's loss on the patches that are asked for."""
        images, seen, masking = example
        few = masking._replace(ids_masked=masking.ids_masked[:, : self.most])
        return super().forward((images, seen, few))
