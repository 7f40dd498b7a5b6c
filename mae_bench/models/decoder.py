"""From the encoder's tokens to the masked patches: MAE's decoder, and simpler ones.

All are given tokens of which the last ones stand at ``ids_keep``; those before have no
place in the image (the class token, or the ``code`` alone, with ``ids_keep`` empty).
"""

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from mae_bench.models.vit import Block, draw_weights, sincos_positions


class Decoder(nn.Module):
    """MAE's decoder: transformer blocks over the tokens and one mask token a patch.

    Equal to He et al. (2111.06377) up to rounding, with less work: the tokens stay in
    shuffled order and fetch their positions, and only masked tokens, which alone are
    predicted, ask in the last block.
    """

    positions: Tensor

    def __init__(
        self,
        generator: torch.Generator,
        *,
        grid: int,
        in_dim: int,
        embed_dim: int,
        depth: int,
        num_heads: int,
        patch_dim: int,
        mask_to_mask: bool = True,
        pos_embed: bool = True,
    ) -> None:
        """Build it and draw its weights.

        Args:
            generator: Draws the weights.
            grid: Patches a side.
            in_dim: Width of the tokens that it is given.
            embed_dim: Its own width; a multiple of 4.
            depth: Number of blocks, from 1; see ``LinearDecoder`` for none.
            num_heads: Attention heads; divides ``embed_dim``.
            patch_dim: Values of a patch.
            mask_to_mask: Whether masked tokens look at masked tokens; if not, every
                token looks at the known ones alone (cf. Fu et al., 2401.14391).
            pos_embed: Whether visible tokens know their place; masked ones always do.

        Raises:
            ValueError: A depth below 1, or a width that does not divide.
        """
        super().__init__()
        if depth < 1:
            raise ValueError(
                f"decoder depth {depth}; choose 1 or more, or LinearDecoder"
            )
        self.mask_to_mask = mask_to_mask
        self.pos_embed = pos_embed
        self.embed = nn.Linear(in_dim, embed_dim)
        self.mask_token = nn.Parameter(torch.empty(embed_dim))
        positions = sincos_positions(embed_dim, grid)
        self.register_buffer("positions", positions, persistent=False)
        self.blocks = nn.ModuleList(Block(embed_dim, num_heads) for _ in range(depth))
        self.norm = nn.LayerNorm(embed_dim, eps=1e-6)
        self.pred = nn.Linear(embed_dim, patch_dim)
        draw_weights(self, generator)

    def forward(
        self,
        tokens: Float[Tensor, "n t d"],
        ids_keep: Int64[Tensor, "n k"],
        ids_masked: Int64[Tensor, "n m"],
    ) -> Float[Tensor, "n m p"]:
        """Predicted values of the masked patches, in the order of ``ids_masked``."""
        x = self.embed(tokens)
        known = x.shape[1]
        free = known - ids_keep.shape[1]
        kept = x[:, free:] + self.positions[ids_keep] * self.pos_embed
        masked = self.mask_token + self.positions[ids_masked]
        x = torch.cat([x[:, :free], kept, masked], dim=1)
        stop = None if self.mask_to_mask else known
        for block in self.blocks[:-1]:
            x = block(x, stop=stop)
        x = self.blocks[-1](x, start=known, stop=stop)
        out: Tensor = self.pred(self.norm(x))
        return out


class LinearDecoder(nn.Module):
    """A decoder of no blocks: each patch is its own linear map of the mean token.

    A decoder without attention must be handed a summary; a map for each place is the
    most general linear one, where a map shared by all places could tell them apart by
    a constant only.
    """

    def __init__(
        self, generator: torch.Generator, *, grid: int, in_dim: int, patch_dim: int
    ) -> None:
        """Build it and draw its weights; see ``Decoder``."""
        super().__init__()
        self.patch_dim = patch_dim
        self.pred = nn.Linear(in_dim, grid**2 * patch_dim)
        draw_weights(self, generator)

    def forward(
        self,
        tokens: Float[Tensor, "n t d"],
        ids_keep: Int64[Tensor, "n k"],
        ids_masked: Int64[Tensor, "n m"],
    ) -> Float[Tensor, "n m p"]:
        """Predicted values of the masked patches, in the order of ``ids_masked``."""
        del ids_keep
        every = self.pred(tokens.mean(1)).view(len(tokens), -1, self.patch_dim)
        index = ids_masked[..., None].expand(-1, -1, self.patch_dim)
        out: Tensor = every.gather(1, index)
        return out


class PointwiseDecoder(nn.Module):
    """A decoder without attention: each patch is an MLP of the mean token and a place.

    Patches are decoded one by one, h = W mean(tokens) + e_place, then
    h <- h + V GELU(U h) a block, so a patch does not depend on which others are asked.
    Meant for a ``code`` alone, which is its own mean: there attention has nothing to
    choose from, and slows training down.
    """

    def __init__(
        self,
        generator: torch.Generator,
        *,
        grid: int,
        in_dim: int,
        embed_dim: int,
        depth: int,
        patch_dim: int,
    ) -> None:
        """Build it and draw its weights.

        Args:
            generator: Draws the weights.
            grid: Patches a side.
            in_dim: Width of the tokens that it is given.
            embed_dim: Width of h and of the blocks.
            depth: Number of blocks, from 1.
            patch_dim: Values of a patch.

        Raises:
            ValueError: A depth below 1.
        """
        super().__init__()
        if depth < 1:
            raise ValueError(f"decoder depth {depth}; choose 1 or more")
        self.embed = nn.Linear(in_dim, embed_dim)
        self.places = nn.Parameter(torch.empty(grid**2, embed_dim))
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Linear(embed_dim, embed_dim),
                nn.GELU(),
                nn.Linear(embed_dim, embed_dim),
            )
            for _ in range(depth)
        )
        self.pred = nn.Linear(embed_dim, patch_dim)
        draw_weights(self, generator)
        nn.init.normal_(self.places, generator=generator)

    def forward(
        self,
        tokens: Float[Tensor, "n t d"],
        ids_keep: Int64[Tensor, "n k"],
        ids_masked: Int64[Tensor, "n m"],
    ) -> Float[Tensor, "n m p"]:
        """Predicted values of the masked patches, in the order of ``ids_masked``."""
        del ids_keep
        h = self.embed(tokens.mean(1, keepdim=True)) + self.places[ids_masked]
        for block in self.blocks:
            h = h + block(h)
        out: Tensor = self.pred(h)
        return out
