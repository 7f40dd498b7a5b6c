"""Weights from elsewhere become our encoder, or an MAE and back again, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from mae_bench.datasets import Dataset
from mae_bench.encoders.facts import assumed, facts_of, heads_of, said_alike
from mae_bench.encoders.grids import front_of, sizes_of
from mae_bench.encoders.layouts import BadCheckpoint, State, misfit, recognise
from mae_bench.encoders.names import check_shapes, depth_of, in_maes_names, mae_keys
from mae_bench.encoders.networks import PooledViT, add_registers, be_as
from mae_bench.encoders.weights import read
from mae_bench.methods.mae import MAE
from mae_bench.models.decoder import Decoder
from mae_bench.models.vit import Attention, ViT

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


def encoder_of(
    state: State,
    num_heads: int | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> ViT:
    """The encoder of a checkpoint, with its weights, positions and norms.

    A position of the class token is added to the class token, which is the same.

    Args:
        state: Weights of any layout that is known; see ``layouts``.
        num_heads: Attention heads, which weights do not tell.
        told: Called with a line of what had to be assumed.

    Raises:
        BadCheckpoint: No such layout, a missing or unexpected key, a shape that does
            not fit, or a width whose heads are not known.
    """
    facts, layout = facts_of(state, num_heads), recognise(state)
    named = in_maes_names(layout, state, facts)
    sizes = sizes_of(layout, named, facts)
    check_shapes(layout, named)
    facts = assumed(facts, sizes, layout.eps, told)
    # Half a neuron more, lest rounding costs one.
    mlp_ratio = (len(named["blocks.0.mlp.fc1.weight"]) + 0.5) / sizes["embed_dim"]
    kind = PooledViT if "fc_norm.weight" in named else ViT
    vit = kind(
        torch.Generator().manual_seed(0),
        num_heads=facts.num_attention_heads or 1,
        mlp_ratio=mlp_ratio,
        cls_token="cls_token" in named,
        **sizes,  # type: ignore[arg-type]  # all of them are integers
    )
    registers, front = (
        named.pop("register_tokens", None),
        front_of(named, vit.grid_size),
    )
    named["pos_embed"] = named["pos_embed"][0][len(front) :]
    _fill(vit, {k: v for k, v in named.items() if not _decodes(k)})
    if vit.cls_token is not None and len(front):
        vit.cls_token.data += front[0]
    if registers is not None:
        placed = front[-registers.shape[1] :] if len(front) > 1 else torch.zeros(1)
        add_registers(vit, (registers[0] + placed).to(vit.positions.dtype))
    be_as(vit, facts)
    return vit


def load_mae(method: MAE, state: State) -> None:
    """Give a method the weights of an MAE with its decoder, positions included.

    Weights are copied to the method's own precision.

    Raises:
        BadCheckpoint: No decoder, a key or a shape that does not fit the method, or a
            class token with a position, which MAE's has not.
    """
    facts, layout = facts_of(state), recognise(state)
    named, own = in_maes_names(layout, state, facts), save_mae(method)
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
    for attention in _attentions(method.encoder):
        heads = {"num_attention_heads": attention.num_heads}
        said_alike(facts, heads, f"{_called(method)} has")
    for key in POSITIONS:
        named[key] = named[key][0, 1:]
    facts = replace(facts, layer_norm_eps=facts.layer_norm_eps or layout.eps)
    for decodes, part in enumerate((method.encoder, method.decoder)):
        _fill(part, {k: v for k, v in named.items() if _decodes(k) == decodes})
        be_as(part, facts)


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
    decoder_num_heads: int | None = None,
    **settings: Any,
) -> MAE:
    """An MAE with the weights of a checkpoint, to go on training on a dataset.

    Args:
        state: Weights of an MAE with its decoder.
        dataset: Of the images' size and channels that the weights are for.
        num_heads: Attention heads; see ``encoder_of``.
        decoder_num_heads: Heads of the decoder; by default what is said beside the
            weights, or 16, as in all that were released.
        settings: The rest of ``MAE``'s settings, ``norm_pix_loss`` say.

    Raises:
        BadCheckpoint: See ``load_mae``; or a dataset of other images.
    """
    facts, layout = facts_of(state, num_heads), recognise(state)
    named = in_maes_names(layout, state, facts)
    if "mask_token" not in named:
        word = layout.theirs("mask_token")[0]
        raise BadCheckpoint(f"{word} is missing; expected an MAE with its decoder")
    sizes = sizes_of(layout, named, facts)
    check_shapes(layout, named)
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
        num_heads=heads_of(sizes["embed_dim"], facts.num_attention_heads),
        decoder_embed_dim=len(named["decoder_embed.weight"]),
        decoder_depth=depth_of(named, "decoder_blocks"),
        decoder_num_heads=decoder_num_heads
        or facts.decoder_num_attention_heads
        or DECODER_HEADS,
        **settings,
    )
    load_mae(method, state)
    return method


def _called(method: MAE) -> str:
    return f"this {type(method).__name__}"


def _attentions(net: nn.Module) -> list[Attention]:
    return [part for part in net.modules() if isinstance(part, Attention)]


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


def _fill(part: nn.Module, named: State) -> None:
    """Copy weights, and the patches' places, that fit."""
    targets = {name: weight.detach() for name, weight in part.named_parameters()}
    for key, value in named.items():
        places = key in POSITIONS
        target = part.get_buffer("positions") if places else targets[_ours(key)]
        target.copy_(_unpacked(key, value))
