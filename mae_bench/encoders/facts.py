"""What is said of a network beside its weights, and what must be assumed of it.

Weights do not tell the number of heads, the activation, or the norms' eps. A
``config.json`` of transformers does, a few lines of one's own as well as theirs::

    {"num_attention_heads": 12, "hidden_act": "gelu", "layer_norm_eps": 1e-6}

What nobody says is assumed, and the user is told of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from mae_bench.encoders.layouts import BadCheckpoint

# Width -> heads of those that were released: tiny, small, base, large, so400m, huge,
# giant, gigantic.
HEADS = {192: 3, 384: 6, 768: 12, 1024: 16, 1152: 16, 1280: 16, 1408: 16, 1664: 16}


class QuickGELU(nn.Module):
    """x sigmoid(1.702 x), which CLIP takes for a GELU."""

    def forward(self, x: Any) -> Any:
        """Number by number."""
        return x * (1.702 * x).sigmoid()


def _tanh() -> nn.Module:
    return nn.GELU(approximate="tanh")


ACTIVATIONS = {
    "gelu": nn.GELU,
    "gelu_python": nn.GELU,
    "gelu_new": _tanh,
    "gelu_fast": _tanh,
    "gelu_pytorch_tanh": _tanh,
    "quick_gelu": QuickGELU,
    "relu": nn.ReLU,
    "silu": nn.SiLU,
    "swish": nn.SiLU,
}


@dataclass(frozen=True)
class Facts:
    """What is said of a network, in the words of its ``config.json``.

    Args:
        num_attention_heads: Heads of a block.
        hidden_act: One of ``ACTIVATIONS``.
        layer_norm_eps: Of all norms.
        image_size: h = w, in pixels.
        patch_size: In pixels.
        num_channels: c.
        hidden_size: d.
        num_hidden_layers: Number of blocks.
        num_register_tokens: Tokens that are no patch and no class token.
        decoder_num_attention_heads: Heads of a block of the decoder.
        pos_embed: Whether patches know their place; ours may not.
        moco: Whether weights are called as in MoCo v3, whose small ViT has 12 heads.
        source: Who says it.
    """

    num_attention_heads: int | None = None
    hidden_act: str | None = None
    layer_norm_eps: float | None = None
    image_size: int | None = None
    patch_size: int | None = None
    num_channels: int | None = None
    hidden_size: int | None = None
    num_hidden_layers: int | None = None
    num_register_tokens: int | None = None
    decoder_num_attention_heads: int | None = None
    pos_embed: bool = True
    moco: bool = False
    source: str = ""


class Weights(dict[str, Tensor]):
    """An encoder's weights by name, and what is said of it beside them."""

    def __init__(self, state: Mapping[str, Tensor], facts: Facts) -> None:
        """Keep both."""
        super().__init__(state)
        self.facts = facts


# Ours -> transformers' word.
OURS = {
    "num_heads": "num_attention_heads",
    "image_size": "image_size",
    "patch_size": "patch_size",
    "channels": "num_channels",
    "embed_dim": "hidden_size",
    "depth": "num_hidden_layers",
    "pos_embed": "pos_embed",
}


def of_config(path: Path) -> Facts:
    """What a ``config.json`` says.

    Raises:
        BadCheckpoint: It is none, or says what our ViT cannot be.
    """
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError, OSError) as error:
        raise BadCheckpoint(f"{path} is no JSON: {type(error).__name__}") from error
    if not isinstance(said, dict):
        raise BadCheckpoint(f"{path} is no JSON object; expected one of settings")
    return _checked({k: v for k, v in said.items() if k != "pos_embed"}, str(path))


def of_record(found: Mapping[Any, Any]) -> Facts:
    """What a checkpoint of ours says beside its weights."""
    said = found.get("hyper_parameters")
    if not isinstance(said, Mapping) or not {"method", "num_heads"} <= set(said):
        return Facts()
    own = {theirs: said[ours] for ours, theirs in OURS.items() if ours in said}
    known = {"hidden_act": "gelu", "layer_norm_eps": 1e-6}
    return _checked(own | known, "its hyper_parameters")


def _checked(said: Mapping[str, Any], source: str) -> Facts:
    """Facts of the right kind.

    Raises:
        BadCheckpoint: A value that is none, or an oblong image.
    """
    found: dict[str, Any] = {}
    for word in (f.name for f in fields(Facts) if f.name not in ("moco", "source")):
        value = said.get(word)
        if isinstance(value, list) and value and word in ("image_size", "patch_size"):
            if len({*map(str, value)}) > 1:
                raise BadCheckpoint(
                    f"{source}: {word} {value} is not square, which is not supported; "
                    "give module:function"
                )
            value = value[0]
        if value is None:
            continue
        if not _fits(word, value):
            raise BadCheckpoint(
                f"{source}: {word} {value!r} is not supported; give module:function"
            )
        found[word] = value
    return Facts(**found, source=source) if found else Facts()


def _fits(word: str, value: Any) -> bool:
    if word == "hidden_act":
        return value in ACTIVATIONS if isinstance(value, str) else False
    if word == "pos_embed":
        return isinstance(value, bool)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if word == "layer_norm_eps":
        return 0 < value < 1
    return isinstance(value, int) and value >= (word == "num_register_tokens") ^ 1


def facts_of(state: Mapping[str, Tensor], num_heads: int | None = None) -> Facts:
    """What is said of weights, by the user first."""
    facts = state.facts if isinstance(state, Weights) else Facts()
    return replace(facts, num_attention_heads=num_heads) if num_heads else facts


def said_alike(facts: Facts, sizes: Mapping[str, int], whose: str) -> None:
    """Hold sizes against what is said of them.

    Raises:
        BadCheckpoint: They differ.
    """
    for word, size in sizes.items():
        told = getattr(facts, word)
        if told is not None and told != size:
            raise BadCheckpoint(f"{facts.source} says {word} {told}; {whose} {size}")


def heads_of(width: int, num_heads: int | None, moco: bool = False) -> int:
    """The heads that are said, or else those that the width is known to have.

    Raises:
        BadCheckpoint: Heads that do not divide the width, or that nobody knows.
    """
    usual = 12 if moco and width == 384 else HEADS.get(width, width // 64)
    heads = num_heads or usual
    if heads < 1 or width % heads:
        raise BadCheckpoint(
            f"num_heads {heads} of width {width} cannot be; weights do not tell, so "
            "give the number of attention heads"
        )
    return heads


def assumed(
    facts: Facts, sizes: Mapping[str, int], eps: float, told: Callable[[str], None]
) -> Facts:
    """The same without gaps.

    Args:
        facts: What is said.
        sizes: What shapes tell; see ``grids.sizes_of``.
        eps: Usual for the layout.
        told: Called with a line of what nobody says, as a ``config.json`` would.
    """
    width = sizes["embed_dim"]
    guess: dict[str, Any] = {
        "num_attention_heads": heads_of(width, facts.num_attention_heads, facts.moco),
        "hidden_act": "gelu",
        "layer_norm_eps": eps,
        "image_size": sizes["image_size"],
    }
    open_ = {word: by for word, by in guess.items() if getattr(facts, word) is None}
    if open_:
        told(
            f"assumed {json.dumps(open_)[1:-1]}: weights do not tell; a config.json "
            "beside them would, and --num-heads"
        )
    return replace(facts, **open_)
