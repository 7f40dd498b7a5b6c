"""data2vec: I-JEPA whose targets are the mean of a slower copy's blocks."""

from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from mae_bench.datasets import Dataset
from mae_bench.methods.i_jepa import IJEPA
from mae_bench.models.vit import ViT, patchify


def top_blocks(
    vit: ViT, images: Float[Tensor, "n c h w"], K: int
) -> Float[Tensor, "n l d"]:
    """Mean of the last K blocks' outputs, each token of each normalised by itself.

    y = (1 / K) sum_l LN(a_l), without scale and shift.

    Args:
        vit: Its class token goes along, and is left out of y.
        images: Seen whole.
        K: From 1 to the number of blocks; 1 is the last one alone.

    References:
        Baevski et al. 2022, arXiv 2202.03555, Sec. 3.3. Reading taken: a block's output
        is what leaves it (the residual stream), not its MLP's share of that.
    """
    x = vit.patch_embed(patchify(images, vit.patch_size)) + vit.positions
    if vit.cls_token is not None:
        x = torch.cat([vit.cls_token.expand(len(x), 1, -1), x], dim=1)
    outputs = []
    for block in vit.blocks:
        x = block(x)
        outputs.append(F.layer_norm(x[:, -vit.num_patches :], x.shape[-1:]))
    return torch.stack(outputs[-K:]).mean(0)


class Data2Vec(IJEPA):
    """data2vec (2202.03555) with the visible patches alone in the encoder.

    That, and a decoder for the masked ones, are data2vec 2.0's (2212.07525), for the
    encoder is the house's and has no mask tokens. The targets are those of the first
    paper, and so is the error: smooth L1 (Eq. 2), quadratic below ``beta``. Of 2.0 its
    class token's loss, its inverse blocks and its many masks of one image are left out:
    one image has one mask. The predictor is a transformer and no convolution. As of
    I-JEPA, the targets move with the weights.
    """

    version: ClassVar[int] = 1

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        top_k: int = 0,
        beta: float = 2.0,
        **settings: Any,
    ) -> None:
        """Build what I-JEPA has.

        Args:
            dataset: The world that it learns from.
            generator: Draws the initial weights.
            top_k: K, the blocks whose outputs are averaged, the last ones; 0 for all.
                The papers take 6 and 10 of 12.
            beta: Error, in standard deviations of a token, from which it counts
                linearly; above 0.
            settings: See ``IJEPA``.

        Raises:
            ValueError: More blocks than there are, or a beta that is not positive; see
                also ``IJEPA``.
        """
        super().__init__(dataset, generator, **settings)
        depth = len(self.encoder.blocks)
        if not 0 <= top_k <= depth or not depth:
            raise ValueError(f"top_k {top_k} of {depth} blocks; choose 1 to {depth}")
        if not beta > 0:
            raise ValueError(f"beta {beta} must be above 0")
        self.top_k = top_k or depth
        self.beta = beta

    def targets(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n l d"]:
        """The mean of the copy's last blocks."""
        return top_blocks(self.momentum_encoder, images, self.top_k)

    def compare(
        self, prediction: Float[Tensor, "n m d"], target: Float[Tensor, "n m d"]
    ) -> Float[Tensor, ""]:
        """The mean smooth L1 error."""
        return F.smooth_l1_loss(prediction, target, beta=self.beta)
