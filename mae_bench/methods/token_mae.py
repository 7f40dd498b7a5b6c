"""MAE with a softmax head: it names the masked patches in place of painting them."""

from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn.functional import cross_entropy

from mae_bench.datasets import Dataset
from mae_bench.methods._masked_vit import MaskedViT
from mae_bench.models.decoder import Decoder
from mae_bench.models.masking import Masking
from mae_bench.models.vit import patchify

VOCABULARY = 8  # random patches that stand for tokens where a world has none


class TokenMAE(MaskedViT):
    """An MAE whose targets are tokens: a patch's is the nearest entry of a codebook.

    The codebook is the textures of a world that paints with them, so that tokens are
    its symbols, misread where noise is loud; of any other world it is a few random
    patches, as of a random-projection quantiser. The encoder sees pixels, as MAE's.

    Attributes:
        codebook: ``[v, p]``, fixed.

    References:
        Bao et al. 2022, arXiv 2106.08254: tokens as targets of masked patches.
        Chiu et al. 2022, arXiv 2202.01855: tokens by a random codebook.
    """

    version: ClassVar[int] = 1
    joins: ClassVar[tuple[str, ...]] = ()
    codebook: Tensor

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        decoder_embed_dim: int = 32,
        decoder_depth: int = 1,
        decoder_num_heads: int = 4,
        **masked: Any,
    ) -> None:
        """Build encoder, decoder and codebook.

        Args:
            dataset: The world that it learns from.
            generator: Draws the initial weights, the encoder's first, then what
                codebook the world does not give.
            decoder_embed_dim: Width of the decoder, a multiple of 4.
            decoder_depth: Blocks of the decoder, from 1.
            decoder_num_heads: Attention heads of the decoder.
            masked: See ``MaskedViT``.

        Raises:
            ValueError: Sizes that do not divide, masks that cannot be drawn, or patches
                that are not as large as the world's textures.
        """
        super().__init__(dataset, generator, **masked)
        vit = self.encoder
        textures = getattr(dataset, "textures", None)
        vocabulary = VOCABULARY if textures is None else len(textures)
        self.decoder = Decoder(
            generator,
            grid=vit.grid_size,
            in_dim=vit.bottleneck or vit.embed_dim,
            embed_dim=decoder_embed_dim,
            depth=decoder_depth,
            num_heads=decoder_num_heads,
            patch_dim=vocabulary,
            pos_embed=vit.pos_embed,
        )
        values = vit.patch_size**2 * dataset.channels
        if textures is None:
            codebook = torch.randn(vocabulary, values, generator=generator)
        else:
            codebook = textures.flatten(1).clone()
            if codebook.shape[1] != values:
                raise ValueError(
                    f"patch_size {vit.patch_size} is no texture of "
                    f"{codebook.shape[1]} pixels; choose {textures.shape[-1]}"
                )
        self.register_buffer("codebook", codebook)

    def tokens(self, images: Float[Tensor, "n c h w"]) -> Int64[Tensor, "n l"]:
        """The nearest entry of the codebook of every patch."""
        patches = patchify(images, self.encoder.patch_size)
        # |x - t|² less |x|²: least where the match is best.
        match = patches @ self.codebook.T - self.codebook.square().sum(1) / 2
        return match.argmax(-1)

    def logits(
        self, images: Float[Tensor, "n c h w"], masking: Masking
    ) -> Float[Tensor, "n m v"]:
        """What the softmax is taken of, at each masked patch."""
        tokens, ids_keep = self.encoder(images, masking.ids_keep), masking.ids_keep
        if self.encoder.bottleneck:
            tokens = self.encoder.readout(tokens)["code"][:, None]
            ids_keep = ids_keep[:, :0]
        told: Tensor = self.decoder(tokens, ids_keep, masking.ids_masked)
        return told

    def forward(self, example: Any) -> Float[Tensor, ""]:
        """Mean cross-entropy of a masked patch's token, in nats."""
        images, masking = example
        wanted = self.tokens(images).gather(1, masking.ids_masked)
        told = self.logits(images, masking)
        return cross_entropy(told.flatten(0, 1), wanted.flatten())
