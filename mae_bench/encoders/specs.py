"""What an encoder is asked for by: files of weights, or a function in code."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from mae_bench.encoders import checkpoint, weights
from mae_bench.records.faults import in_one_line
from mae_bench.records.schema import UsageError

FORMS = (
    "give a file or a folder of weights (FILE:PART for one encoder of several), "
    "file.py:function, or package.module:function"
)


def load(
    spec: str,
    num_heads: int | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> nn.Module:
    """The network that a spec stands for.

    Args:
        spec: Weights in a layout that is known: a file, a folder, or either with
            ``:PART``, what stands before the encoder's names in it. Or a function
            without arguments that gives an ``nn.Module``: ``file.py:function``, or
            ``package.module:function``, found from the current folder.
        num_heads: Of weights; see ``checkpoint.encoder_of``.
        told: Called with a line of what had to be assumed.

    Raises:
        UsageError: Neither, or one that cannot be used.
    """
    path, word = parted(spec)
    if path is None and not word:
        raise UsageError(f"there is no {spec}; {FORMS}")
    if path is not None and path.suffix == ".py":
        if not word:
            raise UsageError(f"{spec} is code; name a function in it, {spec}:function")
    elif path is not None:
        state = weights.read(path, word)
        return checkpoint.encoder_of(state, num_heads, lambda x: told(f"{spec}: {x}"))
    return _made(spec, path, word)


def parted(spec: str) -> tuple[Path | None, str]:
    """The file or folder of a spec, if it has one, and the word after the colon."""
    if Path(spec).exists():
        return Path(spec), ""
    place, _, word = spec.rpartition(":")
    return (Path(place) if place and Path(place).exists() else None), word * bool(place)


def _made(spec: str, path: Path | None, word: str) -> nn.Module:
    """What a function gives."""
    found = named(spec, path, word)
    return asked(spec, lambda: found if isinstance(found, nn.Module) else found())


def named(spec: str, path: Path | None, word: str) -> Any:
    """What has a name in code.

    Raises:
        UsageError: It cannot be had.
    """
    try:
        home = _of_file(path) if path else _of_name(spec.rpartition(":")[0])
        return getattr(home, word)
    except Exception as error:
        # It is the user's code, which may raise anything.
        raise UsageError(f"{spec} cannot be had: {in_one_line(error)}") from error


def asked(spec: str, make: Callable[[], Any]) -> nn.Module:
    """What somebody's function makes.

    Raises:
        UsageError: It fails, or gives no network, or one that masks.
    """
    try:
        module = make()
    except Exception as error:
        raise UsageError(f"{spec} cannot be had: {in_one_line(error)}") from error
    if not isinstance(module, nn.Module):
        raise UsageError(f"{spec} gave {type(module).__name__}; expected an nn.Module")
    ratio = getattr(getattr(module, "config", None), "mask_ratio", None)
    if ratio:
        raise UsageError(
            f"{spec} masks what it is shown; set its config.mask_ratio, now {ratio}, "
            "to 0"
        )
    return module


def _found_from(folder: Path) -> None:
    if (here := str(folder.resolve())) not in sys.path:
        sys.path.insert(0, here)


def _of_name(name: str) -> ModuleType:
    _found_from(Path.cwd())
    return importlib.import_module(name)


def _of_file(path: Path) -> ModuleType:
    """The module of a file, wherever it is; its neighbours can be imported from it."""
    _found_from(path.parent)
    told = importlib.util.spec_from_file_location(path.stem, path)
    if told is None or told.loader is None:
        raise ImportError(f"{path} is no file of Python")
    module = importlib.util.module_from_spec(told)
    # Classes that are pickled or compiled ask for their module by name.
    sys.modules.setdefault(path.stem, module)
    told.loader.exec_module(module)
    return module


def identity(spec: str, module: nn.Module) -> str:
    """SHA-256 of the files and their ``config.json``, or of weights and buffers."""
    path, _ = parted(spec)
    if path is not None and path.suffix != ".py":
        files = weights.files_of(path)
        config = files[0].parent / "config.json"
        sums = [_digest(f) for f in (*files, *([config] if config.is_file() else []))]
        return sums[0] if len(sums) == 1 else _sum("".join(sums).encode())
    return weights_of(module) or _sum(b"")


def weights_of(module: nn.Module) -> str:
    """SHA-256 of weights and buffers; empty of a network that has none.

    Raises:
        UsageError: A layer waits for its first image to know its shape.
    """
    held = [*module.parameters(), *module.buffers()]
    if not held:
        return ""
    if any(map(is_lazy, held)):
        raise UsageError(
            f"{type(module).__name__} has a layer without a shape as yet; show it an "
            "image before you give it"
        )
    sha = hashlib.sha256()
    for name, tensor in sorted([*module.named_parameters(), *module.named_buffers()]):
        sha.update(name.encode())
        sha.update(bytes_of(tensor))
    return sha.hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def bytes_of(tensor: Tensor) -> bytes:
    """A tensor's numbers, as they lie in memory."""
    flat = tensor.detach().cpu().contiguous().flatten()
    return flat.view(torch.uint8).numpy().tobytes()
