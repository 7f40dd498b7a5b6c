"""MAE as it is usually written in plain PyTorch: what our own is timed against."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from mae_bench.models.vit import patchify, sincos_positions


class PlainBlock(nn.Module):
    """Pre-norm block: one linear map for queries, keys and values of all tokens."""

    def __init__(self, dim: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.fc1 = nn.Linear(dim, 4 * dim)
        self.fc2 = nn.Linear(4 * dim, dim)

    def forward(self, x: Float[Tensor, "n t d"]) -> Float[Tensor, "n t d"]:
        n, t, d = x.shape
        qkv = self.qkv(self.norm1(x)).reshape(n, t, 3, self.num_heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        read = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, t, d)
        x = x + self.proj(read)
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class PlainMAE(nn.Module):
    """All patches are embedded and then dropped, restored, decoded and predicted.

    References:
        He et al. 2022, arXiv 2111.06377, Sec. 3.
    """

    pos_embed: Tensor
    decoder_pos_embed: Tensor

    def __init__(
        self,
        *,
        image_size: int,
        channels: int,
        patch_size: int,
        embed_dim: int,
        depth: int,
        num_heads: int,
        decoder_embed_dim: int,
        decoder_depth: int,
        decoder_num_heads: int,
    ) -> None:
        super().__init__()
        self.patch_size = patch_size
        grid = image_size // patch_size
        self.patch_embed = nn.Conv2d(channels, embed_dim, patch_size, patch_size)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, embed_dim))
        self.register_buffer("pos_embed", sincos_positions(embed_dim, grid)[None])
        self.blocks = nn.ModuleList(
            PlainBlock(embed_dim, num_heads) for _ in range(depth)
        )
        self.norm = nn.LayerNorm(embed_dim, eps=1e-6)
        self.decoder_embed = nn.Linear(embed_dim, decoder_embed_dim)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, decoder_embed_dim))
        places = sincos_positions(decoder_embed_dim, grid)[None]
        self.register_buffer("decoder_pos_embed", places)
        self.decoder_blocks = nn.ModuleList(
            PlainBlock(decoder_embed_dim, decoder_num_heads)
            for _ in range(decoder_depth)
        )
        self.decoder_norm = nn.LayerNorm(decoder_embed_dim, eps=1e-6)
        self.decoder_pred = nn.Linear(decoder_embed_dim, patch_size**2 * channels)

    def forward(
        self, images: Float[Tensor, "n c h w"], noise: Float[Tensor, "n l"], kept: int
    ) -> Float[Tensor, ""]:
        """The loss; the ``kept`` patches of the lowest noise stay visible."""
        ids_shuffle = noise.argsort(dim=1)
        ids_restore = ids_shuffle.argsort(dim=1)
        x = self.patch_embed(images).flatten(2).transpose(1, 2) + self.pos_embed
        n, patches, d = x.shape
        x = x.gather(1, ids_shuffle[:, :kept, None].expand(-1, -1, d))
        x = torch.cat([self.cls_token.expand(n, -1, -1), x], dim=1)
        for block in self.blocks:
            x = block(x)
        x = self.decoder_embed(self.norm(x))
        hidden = self.mask_token.expand(n, patches - kept, -1)
        y = torch.cat([x[:, 1:], hidden], dim=1)
        y = y.gather(1, ids_restore[:, :, None].expand(-1, -1, y.shape[2]))
        x = torch.cat([x[:, :1], y + self.decoder_pos_embed], dim=1)
        for block in self.decoder_blocks:
            x = block(x)
        prediction = self.decoder_pred(self.decoder_norm(x))[:, 1:]
        error = (prediction - patchify(images, self.patch_size)).square().mean(-1)
        mask = torch.ones(n, patches, device=x.device)
        mask[:, :kept] = 0
        mask = mask.gather(1, ids_restore)
        return (error * mask).sum() / mask.sum()

    def wear(self, ours: nn.Module) -> None:
        """Take the weights of one of our own MAEs, of the same sizes."""
        state = ours.state_dict()
        names = {"attn.qkv": "qkv", "attn.proj": "proj", "mlp.0": "fc1", "mlp.2": "fc2"}
        found = {}
        for name, weight in state.items():
            room, _, rest = name.partition(".")
            for old, new in names.items():
                rest = rest.replace(old, new)
            found[rest if room == "encoder" else _in_decoder(rest)] = weight
        p, conv = self.patch_size, self.patch_embed.weight
        flat = found["patch_embed.weight"].view(len(conv), p, p, -1)
        found["patch_embed.weight"] = flat.permute(0, 3, 1, 2)
        for token in ("cls_token", "mask_token"):
            found[token] = found[token].view(1, 1, -1)
        places = {"pos_embed": self.pos_embed}
        places["decoder_pos_embed"] = self.decoder_pos_embed
        self.load_state_dict(found | places)


def _in_decoder(name: str) -> str:
    return name if name == "mask_token" else f"decoder_{name}"
