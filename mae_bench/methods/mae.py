"""Masked autoencoder (He et al. 2022): predict the masked patches from the visible."""

from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods._masked_vit import MaskedViT
from mae_bench.models.decoder import Decoder, LinearDecoder, PointwiseDecoder
from mae_bench.models.masking import Masking
from mae_bench.models.vit import ViT


class MAE(MaskedViT):
    """MAE (2111.06377), with the mask's unit apart from the patch's size.

    With a bottleneck the decoder sees the ``code`` alone; without, the class token and
    the visible patches, as in the paper.
    """

    version: ClassVar[int] = 1

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        norm_pix_loss: bool = False,
        decoder_family: str = "transformer",
        decoder_embed_dim: int = 32,
        decoder_depth: int = 1,
        decoder_num_heads: int = 4,
        mask_to_mask: bool = True,
        **masked: Any,
    ) -> None:
        """Build encoder and decoder.

        Args:
            dataset: The world that it learns from.
            generator: Draws the initial weights, the encoder's first.
            norm_pix_loss: Whether each target patch is normalised by its own pixels.
            decoder_family: ``transformer``, or ``pointwise``: no attention, an MLP of
                the mean token and the place, without heads or ``mask_to_mask``.
            decoder_embed_dim: Width of the decoder; a multiple of 4 in a transformer.
            decoder_depth: Blocks of the decoder; 0 in a transformer for a linear one.
            decoder_num_heads: Attention heads of the decoder.
            mask_to_mask: Whether the decoder's masked tokens look at each other.
            masked: See ``MaskedViT``.

        Raises:
            ValueError: Sizes that do not divide, masks that cannot be drawn, or an
                unknown family of decoders.
        """
        super().__init__(dataset, generator, **masked)
        vit = self.encoder
        patch_dim = vit.patch_size**2 * dataset.channels
        if norm_pix_loss and patch_dim == 1:
            raise ValueError(
                "norm_pix_loss cannot normalise patches of 1 value; choose a larger "
                "patch_size or norm_pix_loss=False"
            )
        self.norm_pix_loss = norm_pix_loss
        self.decoder = _decoder(
            generator,
            decoder_family,
            vit,
            patch_dim=patch_dim,
            embed_dim=decoder_embed_dim,
            depth=decoder_depth,
            num_heads=decoder_num_heads,
            mask_to_mask=mask_to_mask,
        )

    def corrupt(
        self, images: Float[Tensor, "n c h w"], generator: torch.Generator
    ) -> Float[Tensor, "n c h w"]:
        """What the encoder is shown of the images, before they are masked: all."""
        del generator
        return images

    def forward_encoder(
        self, images: Float[Tensor, "n c h w"], masking: Masking
    ) -> Float[Tensor, "n t d"]:
        """Class token and tokens of the visible patches."""
        tokens: Tensor = self.encoder(images, masking.ids_keep)
        return tokens

    def forward_decoder(
        self, tokens: Float[Tensor, "n t d"], masking: Masking
    ) -> Float[Tensor, "n m p"]:
        """Prediction of the asked patches, normalised if ``norm_pix_loss``."""
        ids_keep = masking.ids_keep
        if self.encoder.bottleneck:
            tokens = self.encoder.readout(tokens)["code"][:, None]
            ids_keep = ids_keep[:, :0]
        prediction: Tensor = self.decoder(tokens, ids_keep, self.asked(masking))
        return prediction

    def forward_loss(
        self,
        images: Float[Tensor, "n c h w"],
        prediction: Float[Tensor, "n m p"],
        masking: Masking,
    ) -> Float[Tensor, ""]:
        """Mean squared error of the masked pixels."""
        target = self.target(images, masking)
        if self.norm_pix_loss:
            mean, std = patch_scale(target)
            target = (target - mean) / std
        return (prediction - target).square().mean()

    def target(
        self, images: Float[Tensor, "n c h w"], masking: Masking
    ) -> Float[Tensor, "n m p"]:
        """Pixels of the patches that are asked for."""
        return self.patches(images, self.asked(masking))

    def objective(
        self,
        images: Float[Tensor, "n c h w"],
        tokens: Float[Tensor, "n t d"],
        masking: Masking,
    ) -> Float[Tensor, ""]:
        """The loss, given the encoder's tokens: what a variant of MAE changes."""
        return self.forward_loss(images, self.forward_decoder(tokens, masking), masking)

    def prepare(self, batch: Batch, generator: torch.Generator) -> Any:
        """The images, what the encoder is shown of them, and their masks."""
        images = self.viewed(batch, generator)
        masking = self.masking(len(batch), generator)
        return images, self.corrupt(images, generator), masking

    def forward(self, example: Any) -> Float[Tensor, ""]:
        """The objective on images whose masks are drawn."""
        images, seen, masking = example
        return self.objective(images, self.forward_encoder(seen, masking), masking)

    def reconstruct(
        self, batch: Batch, generator: torch.Generator
    ) -> tuple[Float[Tensor, "n m p"], Float[Tensor, "n m p"], Masking]:
        """Prediction and target of the masked patches, both in pixels, and the masks.

        With ``norm_pix_loss`` the network predicts normalised patches; they are put
        back with the mean and deviation of the true patch, which no network knows, so
        its error is then not comparable with that of one that predicts pixels.
        """
        masking = self.masking(len(batch), generator)
        seen = self.corrupt(batch.images, generator)
        tokens = self.forward_encoder(seen, masking)
        prediction = self.forward_decoder(tokens, masking)
        target = self.target(batch.images, masking)
        if self.norm_pix_loss:
            mean, std = patch_scale(target)
            prediction = prediction * std + mean
        return prediction, target, masking


def patch_scale(
    patches: Float[Tensor, "n m p"],
) -> tuple[Float[Tensor, "n m 1"], Float[Tensor, "n m 1"]]:
    """Mean of each patch, and the root of its variance plus 1e-6, as in MAE."""
    variance, mean = torch.var_mean(patches, dim=-1, keepdim=True)
    return mean, (variance + 1e-6).sqrt()


def _decoder(
    generator: torch.Generator,
    family: str,
    vit: ViT,
    *,
    patch_dim: int,
    embed_dim: int,
    depth: int,
    num_heads: int,
    mask_to_mask: bool,
) -> nn.Module:
    """The decoder of a family, given the encoder whose tokens or code it reads."""
    sizes = {
        "grid": vit.grid_size,
        "in_dim": vit.bottleneck or vit.embed_dim,
        "patch_dim": patch_dim,
    }
    if family == "pointwise":
        return PointwiseDecoder(generator, embed_dim=embed_dim, depth=depth, **sizes)
    if family != "transformer":
        raise ValueError(
            f"decoder_family {family!r}; choose 'transformer' or 'pointwise'"
        )
    if not depth:
        return LinearDecoder(generator, **sizes)
    return Decoder(
        generator,
        embed_dim=embed_dim,
        depth=depth,
        num_heads=num_heads,
        mask_to_mask=mask_to_mask,
        pos_embed=vit.pos_embed,
        **sizes,
    )
