"""The vision transformer that encodes visible patches, as in MAE (He et al. 2022)."""

import torch
from jaxtyping import Float, Int64, Shaped
from torch import Tensor, nn
from torch.nn import functional as F


def _patches_a_side(image_size: int, patch_size: int) -> int:
    if patch_size < 1 or image_size % patch_size:
        fit = [p for p in range(1, image_size + 1) if image_size % p == 0]
        raise ValueError(
            f"patch_size {patch_size} does not divide image_size {image_size}; "
            f"choose one of {fit}"
        )
    return image_size // patch_size


def patchify(
    images: Shaped[Tensor, "n c side side"], patch_size: int
) -> Shaped[Tensor, "n l d"]:
    """Square images cut into patches, in MAE's order.

    Patches run row by row; within one, rows of pixels, then columns, channel last.

    Args:
        images: Of any type.
        patch_size: p, in pixels; divides the image.

    Returns:
        l = (side / p)^2 patches of d = p p c values.

    Raises:
        ValueError: ``patch_size`` does not divide the image.

    >>> patchify(torch.arange(16).view(1, 1, 4, 4), 2)[0, 1].tolist()
    [2, 3, 6, 7]
    """
    n, c, side, _ = images.shape
    grid, p = _patches_a_side(side, patch_size), patch_size
    x = images.reshape(n, c, grid, p, grid, p)
    return torch.einsum("nchpwq->nhwpqc", x).reshape(n, grid * grid, p * p * c)


def unpatchify(
    patches: Shaped[Tensor, "n l d"], patch_size: int
) -> Shaped[Tensor, "n c side side"]:
    """The images that ``patchify`` cut up.

    Args:
        patches: A square number of them, of d = p p c values.
        patch_size: p, in pixels.

    Raises:
        ValueError: l is no square, or d no multiple of p p.
    """
    n, patch_count, d = patches.shape
    grid, p = round(patch_count**0.5), patch_size
    if grid * grid != patch_count or d % (p * p):
        raise ValueError(
            f"{patch_count} patches of {d} values make no square image of "
            f"patch_size {p}; take a square number, and a multiple of {p * p} values"
        )
    x = patches.reshape(n, grid, grid, p, p, d // (p * p))
    return torch.einsum("nhwpqc->nchpwq", x).reshape(n, -1, grid * p, grid * p)


def sincos_positions(embed_dim: int, grid: int) -> Float[Tensor, "l d"]:
    """MAE's fixed two-dimensional sine and cosine positions.

    The first half of the d values is the column's, the second half the row's; each is
    sin(w t), cos(w t) with d / 4 frequencies w = 10000^(-4 i / d).

    Args:
        embed_dim: d, a multiple of 4.
        grid: Patches a side; l = grid^2.

    Raises:
        ValueError: ``embed_dim`` is no multiple of 4.
    """
    if embed_dim < 4 or embed_dim % 4:
        raise ValueError(f"embed_dim {embed_dim} is no multiple of 4; choose one")
    steps = torch.arange(embed_dim // 4, dtype=torch.float64)
    angle = torch.outer(
        torch.arange(grid, dtype=torch.float64), 10_000.0 ** (-4 * steps / embed_dim)
    )
    one = torch.cat([angle.sin(), angle.cos()], dim=1)  # [grid, d / 2]
    columns, rows = one.repeat(grid, 1), one.repeat_interleave(grid, 0)
    return torch.cat([columns, rows], dim=1).float()


def draw_weights(module: nn.Module, generator: torch.Generator) -> None:
    """Draw a network's weights afresh, as MAE does, whatever they were before.

    Linear: Xavier uniform, bias 0. LayerNorm: weight 1, bias 0. Tokens, i.e.
    parameters called ``*_token``: normal with standard deviation 0.02.
    """
    for part in module.modules():
        if isinstance(part, nn.Linear):
            nn.init.xavier_uniform_(part.weight, generator=generator)
            nn.init.zeros_(part.bias)
        elif isinstance(part, nn.LayerNorm):
            nn.init.ones_(part.weight)
            nn.init.zeros_(part.bias)
    for name, parameter in module.named_parameters():
        if name.endswith("_token"):
            nn.init.normal_(parameter, std=0.02, generator=generator)


class Attention(nn.Module):
    """Multi-head self-attention."""

    def __init__(self, dim: int, num_heads: int) -> None:
        """Build it.

        Raises:
            ValueError: ``num_heads`` does not divide ``dim``.
        """
        super().__init__()
        if num_heads < 1 or dim % num_heads:
            fit = [h for h in range(1, dim + 1) if dim % h == 0]
            raise ValueError(
                f"num_heads {num_heads} does not divide the width {dim}; "
                f"choose one of {fit}"
            )
        self.num_heads = num_heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(
        self, x: Float[Tensor, "n l d"], start: int = 0, stop: int | None = None
    ) -> Float[Tensor, "n q d"]:
        """What the tokens from ``start`` on read from those before ``stop``.

        q = l - start; they read from all tokens if ``stop`` is None.
        """
        q, k, v = self._heads(x, start, stop)
        read = F.scaled_dot_product_attention(q, k, v)
        out: Tensor = self.proj(read.transpose(1, 2).flatten(2))
        return out

    def weights(
        self, x: Float[Tensor, "n l d"], start: int = 0, stop: int | None = None
    ) -> Float[Tensor, "n heads q k"]:
        """How much each token reads from each other in ``forward``; rows sum to 1."""
        q, k, _ = self._heads(x, start, stop)
        scores: Tensor = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
        return scores.softmax(-1)

    def _heads(self, x: Tensor, start: int, stop: int | None) -> tuple[Tensor, ...]:
        """Queries, keys and values, each ``[n, heads, tokens, d / heads]``."""
        n, _, d = x.shape
        heads = (self.num_heads, d // self.num_heads)
        weight, bias = self.qkv.weight, self.qkv.bias
        q = F.linear(x[:, start:], weight[:d], bias[:d]).view(n, -1, *heads)
        kv = F.linear(x[:, :stop], weight[d:], bias[d:]).view(n, -1, 2, *heads)
        k, v = kv.permute(2, 0, 3, 1, 4)
        return q.transpose(1, 2), k, v


class Block(nn.Module):
    """Pre-norm transformer block with a GELU MLP."""

    def __init__(self, dim: int, num_heads: int, mlp_ratio: float = 4.0) -> None:
        """Build it; the MLP is ``mlp_ratio`` times as wide as the tokens."""
        super().__init__()
        hidden = int(dim * mlp_ratio)
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = Attention(dim, num_heads)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = nn.Sequential(
            nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, dim)
        )

    def forward(
        self, x: Float[Tensor, "n l d"], start: int = 0, stop: int | None = None
    ) -> Float[Tensor, "n q d"]:
        """The tokens from ``start`` on; only those before ``stop`` are looked at."""
        h = x[:, start:] + self.attn(self.norm1(x), start, stop)
        out: Tensor = h + self.mlp(self.norm2(h))
        return out


class ViT(nn.Module):
    """Encoder: visible patches -> tokens, and what is read from them."""

    positions: Tensor

    def __init__(
        self,
        generator: torch.Generator,
        *,
        image_size: int,
        channels: int,
        patch_size: int,
        embed_dim: int,
        depth: int,
        num_heads: int,
        mlp_ratio: float = 4.0,
        cls_token: bool = True,
        bottleneck: int = 0,
        pos_embed: bool = True,
    ) -> None:
        """Build it and draw its weights.

        Args:
            generator: Draws the weights; the global random state has no say.
            image_size: h = w, in pixels.
            channels: c.
            patch_size: In pixels; divides ``image_size``; 1 makes pixels tokens.
            embed_dim: d, width of the tokens; a multiple of 4.
            depth: Number of blocks.
            num_heads: Attention heads; divides ``embed_dim``.
            mlp_ratio: Width of the MLPs, in token widths.
            cls_token: Whether a class token goes along.
            bottleneck: Width of ``code``, a linear map of the mean token; 0 for none.
            pos_embed: Whether patches know their place.

        Raises:
            ValueError: A size that does not divide, or is negative; see above.
        """
        super().__init__()
        if depth < 0 or bottleneck < 0:
            raise ValueError(
                f"depth {depth}, bottleneck {bottleneck}; choose 0 or more"
            )
        self.grid_size = _patches_a_side(image_size, patch_size)
        self.patch_size = patch_size
        self.embed_dim = embed_dim
        self.bottleneck = bottleneck
        # No second axis: tokens are spared weight decay, as biases are.
        self.cls_token = nn.Parameter(torch.empty(embed_dim)) if cls_token else None
        self.pos_embed = pos_embed
        positions = sincos_positions(embed_dim, self.grid_size) * pos_embed
        self.register_buffer("positions", positions, persistent=False)
        self.patch_embed = nn.Linear(patch_size**2 * channels, embed_dim)
        self.blocks = nn.ModuleList(
            Block(embed_dim, num_heads, mlp_ratio) for _ in range(depth)
        )
        self.norm = nn.LayerNorm(embed_dim, eps=1e-6)
        self.code = nn.Linear(embed_dim, bottleneck) if bottleneck else None
        draw_weights(self, generator)

    @property
    def num_patches(self) -> int:
        """Number l of patches of an image."""
        return self.grid_size**2

    def forward(
        self,
        images: Float[Tensor, "n c side side"],
        ids_keep: Int64[Tensor, "n k"] | None = None,
    ) -> Float[Tensor, "n t d"]:
        """Tokens after the final norm: class token first, then the visible patches.

        Only visible patches are embedded. The class token has no position.

        Args:
            images: Pixels.
            ids_keep: Visible patches, in the order that the tokens will have; all of
                them, in ``patchify``'s order, if None.
        """
        patches, positions = patchify(images, self.patch_size), self.positions
        if ids_keep is not None:
            index = ids_keep[..., None].expand(-1, -1, patches.shape[-1])
            patches, positions = patches.gather(1, index), positions[ids_keep]
        x = self.patch_embed(patches) + positions
        if self.cls_token is not None:
            x = torch.cat([self.cls_token.expand(len(x), 1, -1), x], dim=1)
        for block in self.blocks:
            x = block(x)
        out: Tensor = self.norm(x)
        return out

    def readout(self, tokens: Float[Tensor, "n t d"]) -> dict[str, Tensor]:
        """What a probe may read: ``mean`` of the patch tokens, ``cls``, ``code``."""
        if self.cls_token is None:
            found = {"mean": tokens.mean(1)}
        else:
            found = {"mean": tokens[:, 1:].mean(1), "cls": tokens[:, 0]}
        if self.code is not None:
            found["code"] = self.code(found["mean"])
        return found
