"""I-JEPA: what a slower copy makes of the hidden patches is told from the visible."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from mae_bench.datasets import Dataset
from mae_bench.methods._masked_vit import MaskedViT
from mae_bench.models.decoder import Decoder
from mae_bench.models.full_precision import in_full_precision
from mae_bench.models.masking import Masking
from mae_bench.models.momentum import (
    check_momentum,
    cosine_momentum,
    follow,
    frozen_copy,
)


def latent_error(
    prediction: Float[Tensor, "n m d"], target: Float[Tensor, "n m d"]
) -> Float[Tensor, ""]:
    """Mean squared error to tokens of which each is normalised by its own d values.

    Args:
        prediction: Of m tokens of n images.
        target: The tokens, before they are normalised.

    Returns:
        At least 0, which is best; about 1 for a prediction of 0.

    References:
        Assran et al. 2023, arXiv 2301.08243, Sec. 3 (Loss), per value; the targets are
        normalised in the released code, which takes a smooth L1 error.

    >>> target = torch.tensor([[[1.0, 3.0], [5.0, 1.0]]])
    >>> round(latent_error(torch.tensor([[[-1.0, 1.0], [1.0, 1.0]]]), target).item(), 3)
    1.0
    """
    return F.mse_loss(prediction, F.layer_norm(target, target.shape[-1:]))


class IJEPA(MaskedViT):
    """I-JEPA (2301.08243) on small grids: one region is hidden, and all of it is told.

    The encoder sees the visible patches and its class token, as MAE's does; the copy
    sees the whole image; the house's decoder is the predictor, with the encoder's width
    at its end. With a bottleneck it is given the ``code`` alone.

    The paper hides four blocks and asks for each by itself; here the family's masked
    patches are asked for together. The share that stays visible by default is about
    the paper's (0.25, Table 6). The copy's momentum grows on half a cosine, and not
    linearly, from ``momentum``, which is lower than the paper's 0.996 for runs of
    hundreds of thousands of steps. The paper probes the copy; here it is the encoder,
    as in all methods. Its targets are tokens of the copy, which follows the encoder:
    the less they hold of the image, the better they are told.
    """

    version: ClassVar[int] = 1
    judged_by: ClassVar[Literal["loss", "rank"]] = "rank"

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        mask_family: str = "block",
        decoder_embed_dim: int = 32,
        decoder_depth: int = 1,
        decoder_num_heads: int = 4,
        momentum: float = 0.99,
        **masked: Any,
    ) -> None:
        """Build encoder, its copy and predictor.

        Args:
            dataset: The world that it learns from.
            generator: Draws the initial weights, the encoder's first.
            mask_family: See ``random_masking``; a region, as the paper's, by default.
            decoder_embed_dim: Width of the predictor, a multiple of 4.
            decoder_depth: Blocks of the predictor, from 1.
            decoder_num_heads: Attention heads of the predictor.
            momentum: The copy's share of itself at the first step.
            masked: See ``MaskedViT``.

        Raises:
            ValueError: Sizes that do not divide, masks that cannot be drawn, or a
                momentum outside [0, 1].
        """
        super().__init__(dataset, generator, mask_family=mask_family, **masked)
        vit = self.encoder
        self.momentum = check_momentum(momentum)
        self.momentum_encoder = frozen_copy(vit)
        self.predictor = Decoder(
            generator,
            grid=vit.grid_size,
            in_dim=vit.bottleneck or vit.embed_dim,
            embed_dim=decoder_embed_dim,
            depth=decoder_depth,
            num_heads=decoder_num_heads,
            patch_dim=vit.embed_dim,
            pos_embed=vit.pos_embed,
        )

    def forward(self, example: Any) -> Float[Tensor, ""]:
        """The error of what is told of the masked patches."""
        images, masking = example
        targets = self.targets(images).detach()
        index = self.asked(masking)[..., None].expand(-1, -1, targets.shape[-1])
        told, wanted = self.predict(images, masking), targets.gather(1, index)
        return in_full_precision(self.compare, told, wanted)

    def predict(
        self, images: Float[Tensor, "n c h w"], masking: Masking
    ) -> Float[Tensor, "n m d"]:
        """What is told of the masked patches, from the visible ones."""
        tokens, ids_keep = self.encoder(images, masking.ids_keep), masking.ids_keep
        if self.encoder.bottleneck:
            tokens = self.encoder.readout(tokens)["code"][:, None]
            ids_keep = ids_keep[:, :0]
        told: Tensor = self.predictor(tokens, ids_keep, self.asked(masking))
        return told

    def targets(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n l d"]:
        """What the copy makes of every patch of the whole images."""
        tokens: Tensor = self.momentum_encoder(images)[:, 1:]
        return tokens

    def compare(
        self, prediction: Float[Tensor, "n m d"], target: Float[Tensor, "n m d"]
    ) -> Float[Tensor, ""]:
        """The mean squared error to normalised targets."""
        return latent_error(prediction, target)

    def follow(self, weights: Mapping[str, Tensor], step: int) -> None:
        """The copy moves towards the encoder."""
        momentum = cosine_momentum(step, self.steps, self.momentum)
        follow(weights, {"momentum_encoder": "encoder"}, momentum)
