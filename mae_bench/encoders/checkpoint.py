"""Weights from elsewhere become our encoder, or an MAE and back again, bit for bit."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mae_bench.datasets import Dataset
from mae_bench.encoders.layouts import (
    BadCheckpoint,
    Layout,
    State,
    depth_of,
    in_maes_names,
    mae_keys,
    misfit,
    recognise,
    sizes_of,
)
from mae_bench.encoders.weights import read
from mae_bench.methods.mae import MAE
from mae_bench.models.decoder import Decoder
from mae_bench.models.vit import ViT

__all__ = [
    "BadCheckpoint",
    "encoder_of",
    "load_mae",
    "mae_of",
    "read",
    "recognise",
    "save_mae",
]

TOKENS = ("cls_token", "mask_token")
POSITIONS = ("pos_embed", "decoder_pos_embed")
# Official decoders have 16 heads at every size.
DECODER_HEADS = 16


class PooledViT(ViT):
    """A ViT whose final norm comes after pooling, as where MAE or timm fine-tune."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        """Build it; see ``ViT``."""
        super().__init__(*args, **settings)
        self.fc_norm = self.norm
        self.norm = nn.Identity()  # type: ignore[assignment]  # no norm before

    def readout(self, tokens: Float[Tensor, "n t d"]) -> dict[str, Tensor]:
        """``mean`` and ``cls`` of tokens that were not normed, then normed."""
        return {k: self.fc_norm(h) for k, h in super().readout(tokens).items()}


def encoder_of(state: State, num_heads: int | None = None) -> ViT:
    """The encoder of a checkpoint, with its weights, positions and norms.

    A position of the class token is added to the class token, which is the same.

    Args:
        state: Weights of any layout that is known; see ``layouts``.
        num_heads: Attention heads, which weights do not tell; by default one for 64
            values, for 80 at width 1280.

    Raises:
        BadCheckpoint: No such layout, a missing or unexpected key, a shape that does
            not fit, or a width whose heads are not known.
    """
    layout = recognise(state)
    named = in_maes_names(layout, state)
    sizes = sizes_of(layout, named)
    heads = _heads(sizes["embed_dim"], num_heads)
    # Half a neuron more, lest rounding costs one.
    mlp_ratio = (len(named["blocks.0.mlp.fc1.weight"]) + 0.5) / sizes["embed_dim"]
    kind = PooledViT if "fc_norm.weight" in named else ViT
    vit = kind(
        torch.Generator().manual_seed(0),
        num_heads=heads,
        mlp_ratio=mlp_ratio,
        cls_token="cls_token" in named,
        **sizes,  # type: ignore[arg-type]  # all of them are integers
    )
    rows = named["pos_embed"][0]
    named["pos_embed"] = rows[len(rows) - vit.num_patches :]
    _fill(vit, {k: v for k, v in named.items() if not _decodes(k)}, layout)
    if vit.cls_token is not None and len(rows) > vit.num_patches:
        vit.cls_token.data += rows[0]
    return vit


def load_mae(method: MAE, state: State) -> None:
    """Give a method the weights of an MAE with its decoder, positions included.

    Weights are copied to the method's own precision.

    Raises:
        BadCheckpoint: No decoder, a key or a shape that does not fit the method, or a
            class token with a position, which MAE's has not.
    """
    layout = recognise(state)
    named, own = in_maes_names(layout, state), save_mae(method)
    for key in own:
        if key not in named:
            word = layout.theirs(key)[0]
            raise BadCheckpoint(f"{word} is missing; {_called(method)} has it")
    for key, value in named.items():
        word = layout.theirs(key)[0]
        if key not in own:
            raise BadCheckpoint(f"{word} is unexpected; {_called(method)} lacks it")
        if value.shape != own[key].shape:
            raise misfit(word, value, str(list(own[key].shape)))
        if key in POSITIONS and value[:, 0].any():
            raise BadCheckpoint(
                f"{word} gives the class token a place; expected zeros, as in MAE"
            )
    for key in POSITIONS:
        named[key] = named[key][0, 1:]
    _fill(method.encoder, {k: v for k, v in named.items() if not _decodes(k)}, layout)
    _fill(method.decoder, {k: v for k, v in named.items() if _decodes(k)}, layout)


def save_mae(method: MAE) -> dict[str, Tensor]:
    """The method's weights in the layout of MAE's own checkpoints, in their order.

    Raises:
        BadCheckpoint: A method that MAE's layout has no words for.
    """
    vit, net = method.encoder, method.decoder
    if not isinstance(net, Decoder) or vit.code is not None or not vit.pos_embed:
        raise BadCheckpoint(
            f"{_called(method)} is no MAE to the letter; expected a transformer as "
            "decoder, bottleneck 0 and pos_embed True"
        )
    found = {}
    for key in mae_keys(len(vit.blocks), len(net.blocks)):
        part: ViT | Decoder = net if _decodes(key) else vit
        if key in POSITIONS:
            rows = part.positions.detach()
            value = torch.cat([torch.zeros_like(rows[:1]), rows])[None]
        else:
            value = _packed(key, part.get_parameter(_ours(key)).detach(), vit)
        found[key] = value.clone(memory_format=torch.contiguous_format)
    return found


def mae_of(
    state: State,
    dataset: Dataset,
    *,
    num_heads: int | None = None,
    decoder_num_heads: int = DECODER_HEADS,
    **settings: Any,
) -> MAE:
    """An MAE with the weights of a checkpoint, to go on training on a dataset.

    Args:
        state: Weights of an MAE with its decoder.
        dataset: Of the images' size and channels that the weights are for.
        num_heads: Attention heads; see ``encoder_of``.
        decoder_num_heads: Heads of the decoder; 16 in all that were released.
        settings: The rest of ``MAE``'s settings, ``norm_pix_loss`` say.

    Raises:
        BadCheckpoint: See ``load_mae``; or a dataset of other images.
    """
    layout = recognise(state)
    named = in_maes_names(layout, state)
    if "mask_token" not in named:
        word = layout.theirs("mask_token")[0]
        raise BadCheckpoint(f"{word} is missing; expected an MAE with its decoder")
    sizes = sizes_of(layout, named)
    for size in ("image_size", "channels"):
        if getattr(dataset, size) != sizes[size]:
            raise BadCheckpoint(
                f"the weights are for {size} {sizes[size]}; the dataset has "
                f"{getattr(dataset, size)}"
            )
    method = MAE(
        dataset,
        torch.Generator().manual_seed(0),
        patch_size=sizes["patch_size"],
        embed_dim=sizes["embed_dim"],
        depth=sizes["depth"],
        num_heads=_heads(sizes["embed_dim"], num_heads),
        decoder_embed_dim=len(named["decoder_embed.weight"]),
        decoder_depth=depth_of(named, "decoder_blocks"),
        decoder_num_heads=decoder_num_heads,
        **settings,
    )
    load_mae(method, state)
    return method


def _called(method: MAE) -> str:
    return f"this {type(method).__name__}"


def _heads(embed_dim: int, num_heads: int | None) -> int:
    heads = num_heads or (16 if embed_dim == 1280 else embed_dim // 64)
    if heads < 1 or embed_dim % heads:
        raise BadCheckpoint(
            f"num_heads {heads} of width {embed_dim} cannot be; weights do not tell, "
            "so give the number of attention heads"
        )
    return heads


def _decodes(key: str) -> bool:
    return key.startswith("decoder_") or key == "mask_token"


def _ours(key: str) -> str:
    """Our name, in the encoder or the decoder, of MAE's key."""
    name = key.removeprefix("decoder_").replace("patch_embed.proj", "patch_embed")
    return name.replace(".mlp.fc1.", ".mlp.0.").replace(".mlp.fc2.", ".mlp.2.")


def _unpacked(key: str, value: Tensor) -> Tensor:
    """MAE's tensor as ours: tokens without axes of 1, a convolution as a linear map."""
    if key in TOKENS:
        return value.flatten()
    if key == "patch_embed.proj.weight":
        return value.permute(0, 2, 3, 1).flatten(1)
    return value


def _packed(key: str, value: Tensor, vit: ViT) -> Tensor:
    """Ours as MAE's."""
    if key in TOKENS:
        return value[None, None]
    if key == "patch_embed.proj.weight":
        p = vit.patch_size
        return value.view(len(value), p, p, -1).permute(0, 3, 1, 2)
    return value


def _fill(part: nn.Module, named: State, layout: Layout) -> None:
    """Copy weights and the patches' places, and set the norms' eps.

    Raises:
        BadCheckpoint: A shape that does not fit.
    """
    targets = {name: weight.detach() for name, weight in part.named_parameters()}
    for key, value in named.items():
        places = key in POSITIONS
        target = part.get_buffer("positions") if places else targets[_ours(key)]
        ours = _unpacked(key, value)
        if ours.shape != target.shape:
            raise misfit(" with ".join(layout.theirs(key)), value, _shape(key, target))
        target.copy_(ours)
    for norm in part.modules():
        if isinstance(norm, nn.LayerNorm):
            norm.eps = layout.eps


def _shape(key: str, target: Tensor) -> str:
    """Of MAE's tensor that fits ours."""
    return str([1, 1, *target.shape] if key in TOKENS else list(target.shape))
