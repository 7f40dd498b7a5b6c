"""Whose checkpoint is it? Layouts of ViT weights, told by their keys.

A layout says how others call what MAE (facebookresearch/mae) calls ``cls_token``,
``blocks.0.attn.qkv`` and so on: so weights of any of them get MAE's names; see
``names``. What is read, and the test (of ``tests/encoders``) that holds it:

===========================================  =========================================
layout                                       read as the library computes it
===========================================  =========================================
MAE, released (``mae``)                      ``test_checkpoint``
timm's ViTs: registers, layer scale,         ``test_published``
``fc_norm``, no class token, no qkv bias
DINOv2, released, blocks in chunks           ``test_published``
MoCo v3, lightly, I-JEPA, Lightning, DDP,    ``test_published``, ``test_parts``
compiled, moving averages
ViT, ViTMAE, Dinov2, the same with           ``test_transformers``, against the library
registers; transformers 4 and 5
our own Lightning checkpoints, but for       ``test_published``
``code`` of a bottleneck
===========================================  =========================================

Refused by name: relative positions, norms of queries and keys, a norm before the
blocks, gated MLPs, distillation tokens, grids that are not square; and torchvision's
ViTs, as all that is no ViT: these are given as ``module:function``. What weights do
not tell (heads, activation, eps) is in ``facts``. timm's blocks with norms after the
residual (``vit_*_rpn_*``) have the names of others, and cannot be told from them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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
        name: One of ``LAYOUTS``.
        eps: Of its layer norms, usually; a checkpoint does not say.
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
            kind = next((end for end in PAIR if key.endswith(end)), "")
            stack, part = "", key.removesuffix(kind)
        return tuple(f"{stack}{word}{kind}" for word in self._word(part))

    def _word(self, word: str) -> tuple[str, ...]:
        return self.words.get(word, (word,))

    def depth(self, state: State, stack: str) -> int:
        """Blocks of a stack, ``blocks`` or ``decoder_blocks``, as many as are there."""
        start = re.escape(self._word(stack)[0])
        found = (re.match(rf"{start}\.(\d+)\.", key) for key in state)
        return len({m[1] for m in found if m})


_IN_BLOCK = re.compile(r"((?:decoder_)?blocks\.\d+)\.(.+)(\.(?:weight|bias))")
PAIR = (".weight", ".bias")
_HF_ATTENTION = "attention.attention"
_HF = MappingProxyType(
    {
        "cls_token": ("embeddings.cls_token",),
        "register_tokens": ("embeddings.register_tokens",),
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
# DINOv2's, those of transformers 5, and timm's, where they differ from the above.
_ALSO = {
    "blocks": ("layers",),
    "norm1": ("norm1",),
    "attn.qkv": tuple(f"attention.{x}_proj" for x in "qkv"),
    "attn.proj": ("attention.o_proj",),
    "norm2": ("norm2",),
    "mlp.fc1": ("mlp.fc1",),
    "mlp.fc2": ("mlp.fc2",),
    "decoder_blocks": ("decoder.decoder_encoder.layer",),
    "register_tokens": ("reg_token",),
}
_OURS = {"patch_embed.proj": ("patch_embed",), "mlp.fc1": ("mlp.0",)}
_OURS |= {"mlp.fc2": ("mlp.2",)}
_TIMM_HEADS = ("head.", "pre_logits.", "mask_token", "masked_embed")
_HF_HEADS = ("pooler.", "classifier.", "embeddings.mask_token")
LAYOUTS: Mapping[str, Layout] = MappingProxyType(
    {
        layout.name: layout
        for layout in (
            Layout("mae", 1e-6, heads=_TIMM_HEADS),
            Layout("timm_vit", 1e-6, heads=_TIMM_HEADS),
            Layout("hf_vit", 1e-12, _HF, _HF_HEADS),
            Layout("hf_vit_mae", 1e-12, _HF, _HF_HEADS),
            Layout("hf_dinov2", 1e-6, _HF, _HF_HEADS),
            Layout("ours", 1e-6, _OURS, ("code.",)),
        )
    }
)
# What these encoders do with such weights, our ViT does not.
UNSUPPORTED = (
    (r"dist(illation)?_token$", "a distillation token"),
    (r"rel(ative)?_pos", "relative positions"),
    (r"[qk]_norm\.", "norms of queries and keys"),
    (r"^norm_pre\.", "a norm before the blocks"),
    (r"\.mlp\.(w12|w3|fc1_[gx]|weights_in|weights_out)\.", "a gated MLP"),
)
# DINOv2's trainings number their blocks by the chunk too.
_CHUNK = re.compile(r"^blocks\.\d+\.(?=\d+\.)")


def bare(state: State) -> dict[str, Tensor]:
    """Without Hugging Face's ``vit.`` before an encoder with a head, without chunks.

    Raises:
        BadCheckpoint: Two weights have one name then.
    """
    found: dict[str, Tensor] = {}
    for key, value in state.items():
        name = _CHUNK.sub("blocks.", key.removeprefix("vit."))
        if name in found:
            raise BadCheckpoint(f"{key}: two weights are called {name}; expected one")
        found[name] = value
    return found


def recognise(state: State) -> Layout:
    """The layout that the keys are in, in the words that they use.

    An encoder alone, without a head, may be MAE's or a ViT's, which are computed alike;
    it is called MAE's if its class token has no position.

    Raises:
        BadCheckpoint: None of ``LAYOUTS``, an encoder of another kind, or a tensor that
            holds no floating-point numbers.
    """
    state = bare(state)
    kinds = {
        n: layout.theirs("patch_embed.proj.weight") for n, layout in LAYOUTS.items()
    }
    if kinds["mae"][0] in state:
        plain, masked = LAYOUTS["timm_vit"], LAYOUTS["mae"]
    elif kinds["hf_vit"][0] in state:
        plain, masked = LAYOUTS["hf_vit"], LAYOUTS["hf_vit_mae"]
    elif kinds["ours"][0] in state:
        plain = masked = LAYOUTS["ours"]
    else:
        some = ", ".join(list(state)[:3]) or "none"
        raise BadCheckpoint(
            f"no ViT that is known here: its keys are {some} ...; expected one of "
            f"{', '.join(LAYOUTS)}, with {kinds['mae'][0]} or {kinds['hf_vit'][0]}"
        )
    for pattern, what in UNSUPPORTED:
        for key in state:
            if re.search(pattern, key):
                raise BadCheckpoint(
                    f"{key}: an encoder with {what} is not supported; give "
                    "module:function"
                )
    _check_kinds(plain, state)
    plain, masked = _as_spoken(plain, state), _as_spoken(masked, state)
    if has_decoder(masked, state):
        return masked
    if plain.words.get("norm1") == _ALSO["norm1"]:
        return replace(plain, name="hf_dinov2", eps=LAYOUTS["hf_dinov2"].eps)
    positions = state.get(plain.theirs("pos_embed")[0])
    after = any(key.startswith((*plain.heads, "fc_norm.")) for key in state)
    token = plain.theirs("cls_token")[0] in state
    if after or not token or positions is None or positions.ndim != 3:
        return plain
    return plain if positions[:, 0].any() else masked


def _as_spoken(layout: Layout, state: State) -> Layout:
    """The layout with the words that a state uses, where there are two for a thing."""
    keys, words = "\n".join(state), dict(layout.words)
    for word, theirs in _ALSO.items():
        start = re.escape(theirs[0])
        if word in words or word == "register_tokens":
            pattern = rf"(?m)(?:^|^.*\.\d+\.){start}(?:\.|$)"
            if re.search(pattern, keys):
                words[word] = theirs
    return replace(layout, words=words)


def _check_kinds(layout: Layout, state: State) -> None:
    """Refuse what is no plain array of floating-point numbers, before it is touched."""
    for key, value in state.items():
        if key.startswith(layout.heads):
            continue
        strange = [
            *(["is on no device"] if value.is_meta else []),
            *(["is sparse"] if value.layout != torch.strided else []),
            *(["is empty"] if value.numel() == 0 else []),
            *(["is a single number"] if value.ndim == 0 else []),
        ]
        kinds = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
        if value.dtype not in kinds:
            strange.append(f"has type {str(value.dtype).removeprefix('torch.')}")
        if strange:
            raise BadCheckpoint(
                f"{key} {strange[0]}; expected an array of floating-point numbers"
            )
    held = {
        s.data_ptr(): s.nbytes()
        for s in (
            v.untyped_storage()
            for v in state.values()
            if v.layout == torch.strided and not v.is_meta
        )
    }
    used = [v for k, v in state.items() if not k.startswith(layout.heads)]
    claimed = sum(v.numel() * v.element_size() for v in used)
    if claimed > sum(held.values()):
        raise BadCheckpoint(
            f"its weights need {claimed} bytes and hold {sum(held.values())}; expected "
            "each number once"
        )


def has_decoder(layout: Layout, state: State) -> bool:
    """Whether any of the decoder's weights is there, not only a mask token."""
    known = (layout.theirs(f"decoder_{w}.weight") for w in ("embed", "norm", "pred"))
    found = any(word in state for (word,) in known)
    return found or layout.depth(state, "decoder_blocks") > 0


def misfit(word: str, value: Tensor, expected: str) -> BadCheckpoint:
    """What to raise of a shape that does not fit."""
    return BadCheckpoint(f"{word} has shape {list(value.shape)}; expected {expected}")
