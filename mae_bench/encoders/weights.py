"""Weights from files that are read, never executed: torch's pickles, or safetensors."""

from __future__ import annotations

import argparse
import json
import pathlib
import re
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy._core import multiarray
from safetensors.torch import load_file

from mae_bench.encoders.facts import Facts, Weights, of_config, of_record
from mae_bench.encoders.layouts import BadCheckpoint
from mae_bench.encoders.parts import encoder_in

SUFFIXES = (".safetensors", ".bin", ".pth", ".pt", ".ckpt", ".tar")
# As transformers writes them, and in the order in which it looks for them.
USUAL = ("model.safetensors", "pytorch_model.bin")
# MAE's own scripts keep their arguments beside the weights: a record without a method.
# Numbers of numpy's lie beside the weights of many; none of these runs anything.
HARMLESS: list[Any] = [
    argparse.Namespace,
    pathlib.PosixPath,
    np.dtype,
    np.ndarray,
    *(kind for kind in vars(np.dtypes).values() if isinstance(kind, type)),
    *(
        (getattr(multiarray, word), f"numpy.{core}.multiarray.{word}")
        for word in ("scalar", "_reconstruct")
        for core in ("core", "_core")
    ),
]
ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
CAUSE = re.compile(r"WeightsUnpickler error:\s*(.*?)\s*(?:Check the documentation|$)")


def read(path: Path | str, part: str = "") -> Weights:
    """The weights of an encoder, and what is said of it beside them.

    Args:
        path: A file, ``.safetensors`` or of ``torch.save``, or a folder of one, in
            shards too; a ``config.json`` beside it is read.
        part: Whose weights, where a file holds several encoders: what stands before
            their names, ``teacher`` say.

    Raises:
        BadCheckpoint: No such file, or one that holds no encoder, or several.
    """
    path = Path(path)
    files = files_of(path)
    held = [_dict_of(file) for file in files]
    found = held[0] if len(held) == 1 else {k: v for d in held for k, v in d.items()}
    prefix, state = encoder_in(found, str(path), part)
    config = files[0].parent / "config.json"
    said = of_config(config) if config.is_file() else Facts()
    said = said if said != Facts() else of_record(found)
    moco = prefix.endswith(("base_encoder.", "momentum_encoder."))
    return Weights(state, replace(said, moco=moco))


def _dict_of(file: Path) -> Mapping[Any, Any]:
    """What a file holds by name.

    Raises:
        BadCheckpoint: Nothing, or it cannot be read.
    """
    try:
        content = content_of(file)
    except BadCheckpoint:
        raise
    except Exception as error:
        # A foreign file can make a reader raise anything at all.
        why = _why(error)
        if why.startswith("Unsupported global"):
            why += " Of a whole network save the state_dict(), or give module:function."
        raise BadCheckpoint(f"{file} holds no weights: {why}") from error
    if not isinstance(content, Mapping):
        kind = type(content).__name__
        raise BadCheckpoint(
            f"{file} holds no weights by name but a {kind}; expected a state dict"
        )
    return content


def files_of(path: Path) -> list[Path]:
    """The files that a path stands for: itself, or a folder's weights, shard by shard.

    Raises:
        BadCheckpoint: None, or several that are no shards of one.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise BadCheckpoint(f"there is no file {path}; give one of weights")
    for usual in USUAL:
        if (index := path / f"{usual}.index.json").is_file():
            return _shards(index)
        if (path / usual).is_file():
            return [path / usual]
    some = sorted(p for p in path.iterdir() if p.suffix in SUFFIXES and p.is_file())
    if len(some) != 1:
        names = ", ".join(p.name for p in some) or f"none with {', '.join(SUFFIXES)}"
        raise BadCheckpoint(f"{path} is a folder of {names}; give one file of weights")
    return some


def _shards(index: Path) -> list[Path]:
    try:
        names = sorted(
            {str(n) for n in json.loads(index.read_text())["weight_map"].values()}
        )
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        RecursionError,
    ) as error:
        raise BadCheckpoint(f"{index} is no index of shards: {_why(error)}") from error
    shards = [index.parent / Path(name).name for name in names]
    for shard in shards:
        if not shard.is_file():
            raise BadCheckpoint(f"{index} names {shard.name}, which is not there")
    return shards


def content_of(path: Path) -> Any:
    """What a file holds; its first bytes tell what it is, whatever its name.

    Raises:
        BadCheckpoint: Of a file that was never weights, or that grows when read.
        Exception: Whatever a damaged one makes its reader raise.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(200)
    if start.startswith(b"version https://git-lfs"):
        raise BadCheckpoint(
            f"{path} is a pointer of Git LFS, not the weights; fetch them: git lfs pull"
        )
    if start.lstrip()[:14].lower().startswith((b"<!doctype html", b"<html", b"<?xml")):
        raise BadCheckpoint(
            f"{path} is a web page, not weights; download the file that it shows"
        )
    header = int.from_bytes(start[:8], "little")
    if (start[8:9] == b"{" and header <= size - 8) or path.suffix == ".safetensors":
        return load_file(path)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            grown = sum(entry.file_size for entry in archive.infolist())
        if grown > 2 * size:
            raise BadCheckpoint(
                f"{path} has {size} bytes and would grow to {grown}; torch.save packs "
                "nothing"
            )
    with torch.serialization.safe_globals(HARMLESS):
        return torch.load(path, map_location="cpu", weights_only=True)


def _why(error: BaseException) -> str:
    r"""The whole reason, in one line and without colours; torch's advice is left out.

    >>> _why(ValueError("one\n\x1b[1mtwo\x1b[0m"))
    'one two'
    """
    line = " ".join(ESCAPES.sub("", str(error)).split()) or type(error).__name__
    cause = CAUSE.search(line)
    return cause[1] if cause else line
