"""Where in a file the encoder is: below what prefix, of all that a training keeps.

One rule serves Lightning, lightly, MoCo v3, moving averages, DDP and compiled modules:
a name that ends in that of the patches' embedding is found, and what stands before it
is taken off. Of several encoders none is chosen; the user is asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from mae_bench.encoders.layouts import BadCheckpoint, State

# What the first layer is called: in MAE and timm, Hugging Face, and our own.
FIRST = (
    "patch_embed.proj.weight",
    "embeddings.patch_embeddings.projection.weight",
    "patch_embed.weight",
)
# What compiling and sharding put into the middle of names.
WRAPPED = re.compile(r"(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.")
DEEP = 12  # dicts within dicts; a training's record has three or four


def encoder_in(
    found: Mapping[Any, Any], file: str, part: str = ""
) -> tuple[str, dict[str, Tensor]]:
    """The one encoder among all that a file holds: its prefix, and weights without.

    Args:
        found: A state dict, or dicts of which some are.
        file: Its name, for messages.
        part: What stands before the encoder's names, or the beginning of that.

    Raises:
        BadCheckpoint: No encoder, several, or none of that name.

    >>> found = {"model": {"module.patch_embed.proj.weight": Tensor()}, "epoch": 3}
    >>> prefix, state = encoder_in(found, "x.pth")
    >>> prefix, list(state)
    ('model.module.', ['patch_embed.proj.weight'])
    """
    state = tensors_in(found)
    if not state:
        raise BadCheckpoint(f"{file} holds no weights by name; expected a state dict")
    prefixes = _prefixes(state)
    if part:
        word = part.strip(".") + "."
        prefixes = [p for p in prefixes if (p or ".").startswith(word)]
        if not prefixes:
            raise BadCheckpoint(f"{file} holds no encoder {part}; {_named(state)}")
        prefixes = [p for p in prefixes if p == word] or prefixes
    if not prefixes:
        some = ", ".join(list(state)[:3])
        raise BadCheckpoint(
            f"{file} holds no ViT that is known here: its keys are {some} ...; "
            f"expected one that ends in {', or '.join(FIRST)}; of other networks give "
            "module:function"
        )
    if len(prefixes) > 1:
        raise BadCheckpoint(
            f"{file}: {_named(state)}; say which, as {file}:{_label(prefixes[0])}"
        )
    return prefixes[0], _below(prefixes[0], state)


def tensors_in(found: Mapping[Any, Any]) -> dict[str, Tensor]:
    """All tensors of dicts within dicts, by the way to them; each dict is read once."""
    state: dict[str, Tensor] = {}
    seen, waiting = {id(found)}, [("", found, 0)]
    while waiting:
        prefix, level, depth = waiting.pop(0)
        for word, value in level.items():
            key = WRAPPED.sub("", f"{prefix}{word}")
            if isinstance(value, Tensor):
                if key in state:
                    raise BadCheckpoint(f"two weights are called {key}; expected one")
                state[key] = value
            elif isinstance(value, Mapping) and id(value) not in seen and depth < DEEP:
                seen.add(id(value))
                waiting.append((f"{key}.", value, depth + 1))
    return state


def _prefixes(state: State) -> list[str]:
    """What stands before each encoder's names."""
    found: dict[str, None] = {}
    for key in state:
        for end in FIRST:
            prefix = key.removesuffix(end)
            if prefix != key and (not prefix or prefix.endswith(".")):
                found[prefix] = None
    return list(found)


def _named(state: State) -> str:
    names = [_label(prefix) for prefix in _prefixes(state)]
    return f"it holds {len(names)} encoders: {', '.join(names) or 'none'}"


def _label(prefix: str) -> str:
    return prefix.removesuffix(".") or "."


def _below(prefix: str, state: State) -> dict[str, Tensor]:
    """An encoder's weights; a decoder stands beside ``vit`` at Hugging Face."""
    found = {
        key.removeprefix(prefix): value
        for key, value in state.items()
        if key.startswith(prefix)
    }
    if prefix.endswith("vit."):
        beside = f"{prefix.removesuffix('vit.')}decoder."
        for key, value in state.items():
            if key.startswith(beside):
                found[f"decoder.{key.removeprefix(beside)}"] = value
    return found
