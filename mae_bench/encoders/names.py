"""Weights of any layout under MAE's names, whole: what can be folded is folded in.

Layer scales are multiplied into the linear maps before them, absent biases of queries,
keys and values are zeros: both are exactly what the encoder computes.
"""

from __future__ import annotations

import re

import torch
from torch import Tensor

from mae_bench.encoders.facts import Facts
from mae_bench.encoders.layouts import (
    PAIR,
    BadCheckpoint,
    Layout,
    State,
    bare,
    has_decoder,
    misfit,
)
from mae_bench.models.vit import sincos_positions

_BLOCK = ("norm1", "attn.qkv", "attn.proj", "norm2", "mlp.fc1", "mlp.fc2")
# Of DINOv2 and timm, BEiT's kin, and Hugging Face; 1 is attention's, 2 the MLP's.
_SCALE = re.compile(
    r"(?:blocks|encoder\.layer|layers)\.(\d+)\."
    r"(?:ls([12])\.gamma|gamma_([12])|layer_scale([12])\.lambda1|lambda_([12]))"
)


def mae_keys(
    depth: int, decoder_depth: int = 0, cls_token: bool = True
) -> tuple[str, ...]:
    """MAE's keys, in its order; without a decoder if ``decoder_depth`` is 0."""
    decoder = decoder_depth > 0
    return (
        *(("cls_token",) if cls_token else ()),
        "pos_embed",
        *(("mask_token", "decoder_pos_embed") if decoder else ()),
        *_modules("patch_embed.proj"),
        *(key for i in range(depth) for key in _block(f"blocks.{i}")),
        *_modules("norm"),
        *(_modules("decoder_embed") if decoder else ()),
        *(key for i in range(decoder_depth) for key in _block(f"decoder_blocks.{i}")),
        *(_modules("decoder_norm", "decoder_pred") if decoder else ()),
    )


def _modules(*names: str) -> tuple[str, ...]:
    return tuple(name + kind for name in names for kind in PAIR)


def _block(prefix: str) -> tuple[str, ...]:
    return _modules(*(f"{prefix}.{part}" for part in _BLOCK))


def in_maes_names(
    layout: Layout, state: State, facts: Facts | None = None
) -> dict[str, Tensor]:
    """The weights under MAE's keys, heads left out.

    A norm after pooling stays ``fc_norm``, register tokens ``register_tokens``; a ViT
    may lack the class token.

    Args:
        layout: See ``recognise``.
        state: Weights in that layout.
        facts: What is said of them; ours need their patch size.

    Raises:
        BadCheckpoint: A key that is missing, or that the layout does not have.
    """
    state = bare(state)
    if layout.name == "ours":
        state = _as_published(state, facts or Facts())
    depth = layout.depth(state, "blocks")
    keys = _expected(layout, state, depth)
    wanted = {key: layout.theirs(key) for key in keys}
    scales = {key: m for key in state if (m := _SCALE.fullmatch(key))}
    known = {word for words in wanted.values() for word in words} | set(scales)
    for word in (word for words in wanted.values() for word in words):
        if word not in state:
            raise BadCheckpoint(f"{word} is missing; a {layout.name} has it")
    for key in state:
        if key not in known and not key.startswith(layout.heads):
            raise BadCheckpoint(
                f"{key} is unexpected; a {layout.name} of {depth} blocks lacks it"
            )
    named = {key: _stacked(words, state) for key, words in wanted.items()}
    _fold(named, scales, state, depth)
    for key in [k for k in named if k.endswith(".attn.qkv.weight")]:
        bias = key.replace("weight", "bias")
        if bias not in named:
            named[bias] = torch.zeros(len(named[key]))
    return named


def _expected(layout: Layout, state: State, depth: int) -> tuple[str, ...]:
    """MAE's keys for what a state should have."""
    decoder_depth = 0
    if has_decoder(layout, state):
        # A decoder's weights without a block are missed by name.
        decoder_depth = max(1, layout.depth(state, "decoder_blocks"))
    has_cls = layout.theirs("cls_token")[0] in state
    keys = mae_keys(max(1, depth), decoder_depth, cls_token=has_cls or depth == 0)
    if "fc_norm.weight" in state and "norm.weight" not in state:
        keys = tuple(re.sub(r"^norm\.", "fc_norm.", key) for key in keys)
    if layout.theirs("register_tokens")[0] in state:
        keys = (*keys, "register_tokens")
    for stack in ("blocks", "decoder_blocks"):
        biases = [
            k for k in keys if k.startswith(f"{stack}.") and k.endswith("attn.qkv.bias")
        ]
        if not any(word in state for k in biases for word in layout.theirs(k)):
            keys = tuple(key for key in keys if key not in biases)
    return keys


def _stacked(words: tuple[str, ...], state: State) -> Tensor:
    first, *rest = (state[word] for word in words)
    for word, other in zip(words[1:], rest, strict=True):
        if other.shape != first.shape:
            raise BadCheckpoint(
                f"{word} has shape {list(other.shape)}; expected "
                f"{list(first.shape)}, that of {words[0]}"
            )
    return torch.cat([first, *rest]) if rest else first


def _fold(
    named: dict[str, Tensor], scales: dict[str, re.Match[str]], state: State, depth: int
) -> None:
    """Multiply layer scales into what they scale."""
    if scales and len(scales) != 2 * depth:
        raise BadCheckpoint(
            f"{len(scales)} layer scales in {depth} blocks, {next(iter(scales))} say; "
            "expected two in each"
        )
    for word, match in scales.items():
        number, *which = match.groups()
        part = {"1": "attn.proj", "2": "mlp.fc2"}[next(w for w in which if w)]
        for kind in PAIR:
            key = f"blocks.{number}.{part}{kind}"
            scale, value = state[word].float(), named[key].float()
            if scale.shape != value.shape[:1]:
                raise misfit(word, state[word], str(list(value.shape[:1])))
            named[key] = value * scale.view(-1, *[1] * (value.ndim - 1))


def _as_published(state: State, facts: Facts) -> dict[str, Tensor]:
    """Ours with a convolution for patches, and with the places that are not saved.

    Raises:
        BadCheckpoint: The patch size or the images' size is not said.
    """
    p, size, kernel = facts.patch_size, facts.image_size, state["patch_embed.weight"]
    if not p or not size or kernel.ndim != 2 or kernel.shape[1] % (p * p) or size % p:
        raise BadCheckpoint(
            "these weights are of an encoder of ours, without the places of its "
            "patches; expected a checkpoint of Lightning's, whose hyper_parameters "
            "tell patch_size and image_size"
        )
    width = len(kernel)
    if width % 4:
        raise misfit("patch_embed.weight", kernel, "[d, p p c], d a multiple of 4")
    found = {key: value for key, value in state.items() if key != "cls_token"}
    if "cls_token" in state:
        found["cls_token"] = state["cls_token"].view(1, 1, -1)
    found["patch_embed.weight"] = kernel.view(width, p, p, -1).permute(0, 3, 1, 2)
    found["pos_embed"] = sincos_positions(width, size // p)[None] * facts.pos_embed
    return found


def depth_of(named: State, stack: str) -> int:
    """Blocks of a stack, ``blocks`` or ``decoder_blocks``, in MAE's names."""
    numbers = {key.split(".")[1] for key in named if key.startswith(f"{stack}.")}
    return len(numbers)


def check_shapes(layout: Layout, named: State) -> None:
    """Hold every shape against the widths that the first layers tell.

    Raises:
        BadCheckpoint: One that does not fit.
    """
    for key, value in named.items():
        expected = _shape(key, named)
        if expected is not None and list(value.shape) != expected:
            raise misfit(" with ".join(layout.theirs(key)), value, str(expected))


def _shape(key: str, named: State) -> list[int] | None:
    """Shape of one of MAE's tensors; None of those that others are held against."""
    decoder = key.startswith("decoder_") or key == "mask_token"
    width = len(named["decoder_embed.weight" if decoder else "patch_embed.proj.weight"])
    stack, _, part = key.partition(".")
    if stack.endswith("blocks"):
        part = part.partition(".")[2]
        hidden = len(named[f"{stack}.0.mlp.fc1.weight"])
    elif key in ("patch_embed.proj.weight", "pos_embed", "decoder_pos_embed"):
        return None
    elif key.endswith("_token"):
        return [1, 1, width]
    elif key == "register_tokens":
        return [1, named[key].shape[1] if named[key].ndim == 3 else 1, width]
    else:
        part, hidden = key.removeprefix("decoder_"), 0
    name, _, kind = part.rpartition(".")
    sides = {
        "attn.qkv": (3 * width, width),
        "attn.proj": (width, width),
        "mlp.fc1": (hidden, width),
        "mlp.fc2": (width, hidden),
        "embed": (width, len(named["patch_embed.proj.weight"])),
        "pred": (named["patch_embed.proj.weight"][0].numel(), width),
    }
    shape = list(sides.get(name, (width,)))
    return shape if kind == "weight" else shape[:1]
