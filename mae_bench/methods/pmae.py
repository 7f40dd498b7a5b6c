"""PMAE (Bizeul et al. 2025): principal components are hidden, not patches."""

from typing import Any, ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import ViTMethod
from mae_bench.models.decoder import Decoder
from mae_bench.models.vit import patchify
from mae_bench.records.schema import Track

N_FIT = 2000


class PMAE(ViTMethod):
    """The encoder sees images without some principal components, which are asked for.

    With V the eigenvectors of the images' covariance, components are hidden in random
    order while those before them hold less than ``mask_ratio`` of the variance. The
    encoder is shown mean + V (kept) Vᵀ (x - mean), all of its patches, and the decoder
    tells pixels, of whose error the hidden components count: |V_hidᵀ (x̂ - x)|² a pixel.

    Features are those of whole images, which training never shows.

    References:
        2502.06314; its released settings were read, its text not. There the ratio is a
        share of the variance as well; the decoder here is MAE's, with a mask token at
        every place beside the encoder's patches.
    """

    version: ClassVar[int] = 1
    track: ClassVar[Track] = "pixels"
    joins: ClassVar[tuple[str, ...]] = ()
    centre: Tensor
    basis: Tensor
    shares: Tensor

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        mask_ratio: float = 0.5,
        decoder_embed_dim: int = 32,
        decoder_depth: int = 1,
        decoder_num_heads: int = 4,
        **encoder: Any,
    ) -> None:
        """Build encoder and decoder, and fit the basis on 2,000 training images.

        Args:
            dataset: The world that it learns from.
            generator: Draws the initial weights, the encoder's first, then the images.
            mask_ratio: Share of the variance that is hidden, in (0, 1).
            decoder_embed_dim: Width of the decoder, a multiple of 4.
            decoder_depth: Blocks of the decoder, at least 1.
            decoder_num_heads: Attention heads of the decoder.
            encoder: See ``ViTMethod``.

        Raises:
            ValueError: A setting is outside its range.
        """
        super().__init__(dataset, generator, **encoder)
        if not 0 < mask_ratio < 1:
            raise ValueError(f"mask_ratio is {mask_ratio}; choose in (0, 1)")
        self.mask_ratio = mask_ratio
        vit = self.encoder
        self.decoder = Decoder(
            generator,
            grid=vit.grid_size,
            in_dim=vit.bottleneck or vit.embed_dim,
            embed_dim=decoder_embed_dim,
            depth=decoder_depth,
            num_heads=decoder_num_heads,
            patch_dim=vit.patch_size**2 * dataset.channels,
        )
        x = dataset.sample(N_FIT, generator).images.flatten(1).double()
        centred = x - x.mean(0)
        values, basis = torch.linalg.eigh(centred.T @ centred / len(x))
        values = values.clamp_min(0)
        self.register_buffer("centre", x.mean(0).float())
        self.register_buffer("basis", basis.float())
        self.register_buffer("shares", (values / values.sum()).float())

    def hidden(self, n: int, generator: torch.Generator) -> Bool[Tensor, "n d"]:
        """Which components of n images are hidden: some, and never all."""
        device = generator.device
        noise = torch.rand(n, len(self.shares), generator=generator, device=device)
        order = noise.argsort(1)
        shares = self.shares.to(device)[order]
        before = shares.cumsum(1) - shares
        chosen = before < self.mask_ratio
        # Rounding, or components of no variance, must not hide the last one.
        chosen[:, -1] = False
        return torch.zeros_like(chosen).scatter(1, order, chosen)

    def prepare(self, batch: Batch, generator: torch.Generator) -> Any:
        """The images, and their hidden components."""
        return batch.images, self.hidden(len(batch), generator)

    def forward(self, example: Any) -> Float[Tensor, ""]:
        """Mean squared error along the hidden components, a pixel."""
        images, hidden = example
        x = images.flatten(1) - self.centre
        kept = x @ self.basis * ~hidden
        shown = (self.centre + kept @ self.basis.T).view_as(images)
        error = self._patches(images) - self.decode(self.encoder(shown))
        # A component of the error's patches is one of its pixels, put in their order.
        rows = self._patches(self.basis.T.reshape(-1, *images.shape[1:]))
        along = torch.einsum("nlp,dlp->nd", error, rows)
        loss: Tensor = (along * hidden).square().sum(1).mean() / x.shape[1]
        return loss

    def decode(self, tokens: Float[Tensor, "n t d"]) -> Float[Tensor, "n l p"]:
        """Pixels of every patch, from the encoder's tokens, or from its code alone."""
        vit = self.encoder
        every = torch.arange(vit.num_patches, device=tokens.device)
        asked = every.expand(len(tokens), -1)
        known = asked
        if vit.bottleneck:
            tokens, known = vit.readout(tokens)["code"][:, None], asked[:, :0]
        found: Tensor = self.decoder(tokens, known, asked)
        return found

    def _patches(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n l p"]:
        return patchify(images, self.encoder.patch_size)
