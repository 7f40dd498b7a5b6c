"""Whose checkpoint is it? Layouts of ViT weights, told by their keys, put into MAE's.

A layout says how others call what MAE (facebookresearch/mae) calls ``cls_token``,
``blocks.0.attn.qkv`` and so on: so weights of any of them get MAE's names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import torch
from torch import Tensor

from mae_bench.records.schema import UsageError

State = Mapping[str, Tensor]


class BadCheckpoint(UsageError):
    """Weights that cannot be used; the message names the key and what was expected."""


@dataclass(frozen=True)
class Layout:
    """How somebody's encoder, and decoder if there is one, calls its weights.

    Args:
        name: ``mae``, ``timm_vit``, ``hf_vit`` or ``hf_vit_mae``.
        eps: Of its layer norms; a checkpoint does not say.
        words: MAE's word -> theirs; several are stacked; a word that is not there is
            MAE's own.
        heads: Prefixes of what comes after the encoder, and is left out.
    """

    name: str
    eps: float
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    heads: tuple[str, ...] = ()

    def theirs(self, key: str) -> tuple[str, ...]:
        """Their keys of one of MAE's, in the order in which they are stacked.

        >>> LAYOUTS["hf_vit"].theirs("blocks.3.mlp.fc1.bias")
        ('encoder.layer.3.intermediate.dense.bias',)
        """
        inside = _IN_BLOCK.fullmatch(key)
        if inside:
            stack, part, kind = inside.groups()
            name, _, number = stack.partition(".")
            stack = f"{self._word(name)[0]}.{number}."
        else:
            kind = next((end for end in _PAIR if key.endswith(end)), "")
            stack, part = "", key.removesuffix(kind)
        return tuple(f"{stack}{word}{kind}" for word in self._word(part))

    def _word(self, word: str) -> tuple[str, ...]:
        return self.words.get(word, (word,))

    def depth(self, state: State, stack: str) -> int:
        """Blocks of a stack: ``blocks`` or ``decoder_blocks``."""
        start = re.escape(self._word(stack)[0])
        found = (re.match(rf"{start}\.(\d+)\.", key) for key in state)
        return max((int(m[1]) + 1 for m in found if m), default=0)


_IN_BLOCK = re.compile(r"((?:decoder_)?blocks\.\d+)\.(.+)(\.(?:weight|bias))")
_PAIR = (".weight", ".bias")
_BLOCK = ("norm1", "attn.qkv", "attn.proj", "norm2", "mlp.fc1", "mlp.fc2")
_HF_ATTENTION = "attention.attention"
_HF = MappingProxyType(
    {
        "cls_token": ("embeddings.cls_token",),
        "pos_embed": ("embeddings.position_embeddings",),
        "patch_embed.proj": ("embeddings.patch_embeddings.projection",),
        "blocks": ("encoder.layer",),
        "norm1": ("layernorm_before",),
        "attn.qkv": tuple(f"{_HF_ATTENTION}.{x}" for x in ("query", "key", "value")),
        "attn.proj": ("attention.output.dense",),
        "norm2": ("layernorm_after",),
        "mlp.fc1": ("intermediate.dense",),
        "mlp.fc2": ("output.dense",),
        "norm": ("layernorm",),
        "mask_token": ("decoder.mask_token",),
        **{
            f"decoder_{word}": (f"decoder.decoder_{word}",)
            for word in ("embed", "pos_embed", "norm", "pred")
        },
        "decoder_blocks": ("decoder.decoder_layers",),
    }
)
_TIMM_HEADS = ("head.", "pre_logits.")
_HF_HEADS = ("pooler.", "classifier.", "embeddings.mask_token")
LAYOUTS: Mapping[str, Layout] = MappingProxyType(
    {
        layout.name: layout
        for layout in (
            Layout("mae", 1e-6, heads=_TIMM_HEADS),
            Layout("timm_vit", 1e-6, heads=_TIMM_HEADS),
            Layout("hf_vit", 1e-12, _HF, _HF_HEADS),
            Layout("hf_vit_mae", 1e-12, _HF, _HF_HEADS),
        )
    }
)
# What these encoders do with such weights, our ViT does not.
UNSUPPORTED = (
    (r"\.ls[12]\.|gamma_[12]$|layer_scale|lambda_?[12]$", "layer scale"),
    (r"(^|\.)reg(ister)?_tokens?$", "register tokens"),
    (r"dist(illation)?_token$", "a distillation token"),
    (r"rel(ative)?_pos", "relative positions"),
    (r"[qk]_norm\.", "norms of queries and keys"),
    (r"^norm_pre\.", "a norm before the blocks"),
    (r"\.mlp\.(w12|w3|fc1_[gx])\.", "a gated MLP"),
)


def _bare(state: State) -> dict[str, Tensor]:
    """Without the ``vit.`` that Hugging Face puts before an encoder with a head."""
    return {key.removeprefix("vit."): value for key, value in state.items()}


def recognise(state: State) -> Layout:
    """The layout that the keys are in.

    An encoder alone, without a head, may be MAE's or a ViT's, which are computed alike;
    it is called MAE's if its class token has no position.

    Raises:
        BadCheckpoint: None of ``LAYOUTS``, or an encoder of another kind.
    """
    state = _bare(state)
    if LAYOUTS["mae"].theirs("patch_embed.proj.weight")[0] in state:
        plain, masked = LAYOUTS["timm_vit"], LAYOUTS["mae"]
    elif LAYOUTS["hf_vit"].theirs("patch_embed.proj.weight")[0] in state:
        plain, masked = LAYOUTS["hf_vit"], LAYOUTS["hf_vit_mae"]
    else:
        some = ", ".join(list(state)[:3]) or "none"
        raise BadCheckpoint(
            f"no ViT that is known here: its keys are {some} ...; expected one of "
            f"{', '.join(LAYOUTS)}, with patch_embed.proj.weight or "
            "embeddings.patch_embeddings.projection.weight"
        )
    for pattern, what in UNSUPPORTED:
        for key in state:
            if re.search(pattern, key):
                raise BadCheckpoint(f"{key}: an encoder with {what} is not supported")
    if has_decoder(masked, state):
        return masked
    positions = state.get(plain.theirs("pos_embed")[0])
    after = any(key.startswith((*plain.heads, "fc_norm.")) for key in state)
    token = plain.theirs("cls_token")[0] in state
    if after or not token or positions is None or positions.ndim != 3:
        return plain
    return plain if positions[:, 0].any() else masked


def has_decoder(layout: Layout, state: State) -> bool:
    """Whether any of the decoder's weights is there, not only a mask token."""
    known = (layout.theirs(f"decoder_{w}.weight") for w in ("embed", "norm", "pred"))
    found = any(word in state for (word,) in known)
    return found or layout.depth(state, "decoder_blocks") > 0


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
    return tuple(name + kind for name in names for kind in _PAIR)


def _block(prefix: str) -> tuple[str, ...]:
    return _modules(*(f"{prefix}.{part}" for part in _BLOCK))


def in_maes_names(layout: Layout, state: State) -> dict[str, Tensor]:
    """The weights under MAE's keys, heads left out.

    A norm after pooling stays ``fc_norm``; a ViT may lack the class token.

    Raises:
        BadCheckpoint: A key that is missing, or that the layout does not have.
    """
    state, decoder_depth = _bare(state), 0
    depth = layout.depth(state, "blocks")
    if has_decoder(layout, state):
        # A decoder's weights without a block are missed by name, below.
        decoder_depth = max(1, layout.depth(state, "decoder_blocks"))
    has_cls = layout.theirs("cls_token")[0] in state
    keys = mae_keys(max(1, depth), decoder_depth, cls_token=has_cls or depth == 0)
    if "fc_norm.weight" in state and "norm.weight" not in state:
        keys = tuple(re.sub(r"^norm\.", "fc_norm.", key) for key in keys)
    wanted = {key: layout.theirs(key) for key in keys}
    known = [word for words in wanted.values() for word in words]
    for word in known:
        if word not in state:
            raise BadCheckpoint(f"{word} is missing; a {layout.name} has it")
    for key in state:
        if key not in known and not key.startswith(layout.heads):
            raise BadCheckpoint(
                f"{key} is unexpected; a {layout.name} of {depth} blocks lacks it"
            )
    return {key: _stacked(words, state) for key, words in wanted.items()}


def _stacked(words: tuple[str, ...], state: State) -> Tensor:
    first, *rest = (state[word] for word in words)
    for word, other in zip(words[1:], rest, strict=True):
        if other.shape != first.shape:
            raise BadCheckpoint(
                f"{word} has shape {list(other.shape)}; expected "
                f"{list(first.shape)}, that of {words[0]}"
            )
    return torch.cat([first, *rest]) if rest else first


def misfit(word: str, value: Tensor, expected: str) -> BadCheckpoint:
    """What to raise of a shape that does not fit."""
    return BadCheckpoint(f"{word} has shape {list(value.shape)}; expected {expected}")


def depth_of(named: State, stack: str) -> int:
    """Blocks of a stack, ``blocks`` or ``decoder_blocks``, in MAE's names."""
    numbers = {key.split(".")[1] for key in named if key.startswith(f"{stack}.")}
    return len(numbers)


def sizes_of(layout: Layout, named: State) -> dict[str, int]:
    """Settings of the ViT that the shapes of weights in MAE's names tell.

    Raises:
        BadCheckpoint: Patches or a grid that are not square.
    """
    kernel, places = named["patch_embed.proj.weight"], named["pos_embed"]
    if kernel.ndim != 4 or kernel.shape[2] != kernel.shape[3]:
        word = layout.theirs("patch_embed.proj.weight")[0]
        raise misfit(word, kernel, "[d, c, p, p], of square patches")
    if len(kernel) % 4:
        word = layout.theirs("patch_embed.proj.weight")[0]
        raise misfit(word, kernel, "[d, c, p, p], d a multiple of 4")
    if places.ndim != 3 or len(places) != 1 or not grid_of(named):
        word = layout.theirs("pos_embed")[0]
        raise misfit(word, places, "[1, l, d] or [1, 1 + l, d], l a square number")
    return {
        "image_size": grid_of(named) * kernel.shape[2],
        "channels": kernel.shape[1],
        "patch_size": kernel.shape[2],
        "embed_dim": kernel.shape[0],
        "depth": depth_of(named, "blocks"),
    }


def grid_of(named: State) -> int:
    """Patches a side, with or without a row for the class token; 0 if not square."""
    rows, free = named["pos_embed"].shape[1], int("cls_token" in named)
    sides = [round(count**0.5) for count in (rows - free, rows) if count > 0]
    return next((s for s in sides if s * s in (rows - free, rows)), 0)
