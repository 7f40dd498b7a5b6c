"""Weights from a file that is read, never executed: torch's pickles, or safetensors."""

from __future__ import annotations

import argparse
import json
import math
import pathlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mae_bench.encoders.layouts import BadCheckpoint, State

# Where training scripts put the weights, beside an optimiser's state and the like.
WRAPPERS = ("model", "state_dict", "model_state_dict", "teacher", "target_encoder")
PREFIXES = ("module.", "_orig_mod.", "model.", "backbone.")
# MAE's own scripts keep their arguments beside the weights: a record without a method.
HARMLESS: list[Any] = [argparse.Namespace, pathlib.PosixPath]
DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}


def read(path: Path | str) -> dict[str, Tensor]:
    """The weights of a file, ``.safetensors`` or of ``torch.save``, unwrapped.

    Raises:
        BadCheckpoint: No such file, or one that holds no weights.
    """
    path = Path(path)
    if not path.is_file():
        raise BadCheckpoint(f"there is no file {path}; give one of weights")
    try:
        if path.suffix == ".safetensors":
            found: Any = of_safetensors(path.read_bytes())
        else:
            with torch.serialization.safe_globals(HARMLESS):
                found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # A foreign file can make a reader raise anything at all.
        line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise BadCheckpoint(f"{path} holds no weights: {line}") from error
    state = unwrapped(found)
    if not state:
        raise BadCheckpoint(f"{path} holds no weights by name; expected a state dict")
    return state


def unwrapped(found: object) -> dict[str, Tensor]:
    """The state dict inside the usual wrappers and prefixes; empty if there is none.

    >>> list(unwrapped({"model": {"module.w": torch.zeros(1)}, "epoch": 3}))
    ['w']
    """
    while isinstance(found, Mapping):
        inner = [found[w] for w in WRAPPERS if isinstance(found.get(w), Mapping)]
        if not inner:
            break
        found = inner[0]
    if not isinstance(found, Mapping):
        return {}
    state = {str(k): v for k, v in found.items() if isinstance(v, Tensor)}
    while prefix := next((p for p in PREFIXES if _all_below(p, state)), ""):
        state = {
            key.removeprefix(prefix): value
            for key, value in state.items()
            if key.startswith(prefix)
        }
    return state


def _all_below(prefix: str, state: State) -> bool:
    """Whether everything but a head stands below the prefix."""
    below = [key.startswith(prefix) for key in state]
    head = [key.startswith("head.") for key in state]
    return any(below) and all(b or h for b, h in zip(below, head, strict=True))


def of_safetensors(content: bytes) -> dict[str, Tensor]:
    """Tensors of a safetensors file: length of the header, header in JSON, numbers.

    Raises:
        ValueError: The content is not what its header says.

    References:
        https://github.com/huggingface/safetensors, "Format".
    """
    length = int.from_bytes(content[:8], "little")
    if not 2 <= length <= len(content) - 8:
        raise ValueError(f"a header of {length} bytes in a file of {len(content)}")
    header, numbers = json.loads(content[8 : 8 + length]), content[8 + length :]
    found = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        dtype, shape = DTYPES[entry["dtype"]], list(map(int, entry["shape"]))
        start, end = entry["data_offsets"]
        size = math.prod(shape) * dtype.itemsize
        if min([0, *shape]) < 0 or not 0 <= start <= end <= len(numbers):
            raise ValueError(f"{name} lies outside the file")
        if end - start != size:
            raise ValueError(f"{name} has {end - start} bytes; its shape needs {size}")
        found[name] = (
            torch.frombuffer(bytearray(numbers[start:end]), dtype=dtype).view(shape)
            if size
            else torch.empty(shape, dtype=dtype)
        )
    return found
