"""Pictures -> arrays on disk: cut, decoded and scaled once, whole or not at all.

A folder of decoded pictures holds::

    images.npy    uint8 [n c h w], in the order of the source
    labels.npy, given.npy, moments.npy, prints.npy   see ``Collection``
    facts.json    what each label means
"""

import importlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import BytesIO
from itertools import islice
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from filelock import FileLock
from jaxtyping import Int64, UInt8
from numpy.typing import NDArray
from torch import Tensor

from mae_bench.datasets._finite import NAMES, assign, moments_of, print_of
from mae_bench.records.machine import cores
from mae_bench.records.schema import UsageError
from mae_bench.records.scratch import folder_for

CHUNK = 512  # pictures in memory at a time


class Pictures(NamedTuple):
    """Pictures that are not decoded yet, in the order of their source.

    Args:
        labels: Class of each: all names, or all numbers.
        given: Split of each, where the source says it; else empty.
        raw: Path, bytes, {bytes, path} or rows of pixels [h w] or [h w 3] of each.
    """

    labels: Sequence[str | int]
    given: Sequence[str]
    raw: Iterable[Any]


def write_once(
    folder: Path,
    read: Callable[[], Pictures],
    shape: tuple[int, int, int],
    share: float,
) -> None:
    """Fill ``folder`` as a whole or not at all; of many processes, one does it."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):
            if folder.exists():
                return
            with folder_for(folder) as scratch:
                whole = scratch / folder.name
                whole.mkdir()
                write(whole, read(), shape, share)
                os.replace(whole, folder)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(
            f"cannot write {folder.parent}: {reason}; set cache to another folder"
        ) from error


def write(
    folder: Path, pictures: Pictures, shape: tuple[int, int, int], share: float
) -> None:
    """Decode every picture, if they can be cut."""
    classes = sorted(set(pictures.labels))
    code = {label: i for i, label in enumerate(classes)}
    labels = torch.tensor([code[label] for label in pictures.labels])
    place = {"": -1} | {name: i for i, name in enumerate(NAMES)}
    given = torch.tensor([place[word] for word in pictures.given])
    # What cannot be cut is said before hours of decoding.
    refuse_unseen(classes, labels, given)
    assign(given, labels, share, torch.Generator())
    n = len(labels)
    check_room(folder, n * prod(shape))
    images = np.lib.format.open_memmap(
        folder / "images.npy", mode="w+", dtype=np.uint8, shape=(n, *shape)
    )
    moments, prints = np.empty((n, 2, shape[0])), np.empty(n, np.int64)
    found = decode_all(pictures.raw, shape)
    for row, image in zip(range(n), found, strict=True):
        images[row], moments[row] = image, moments_of(image)
        prints[row] = print_of(image)
    small = {"labels": labels.numpy(), "given": given.numpy()}
    small |= {"moments": moments, "prints": prints}
    for name, array in small.items():
        np.save(folder / f"{name}.npy", array)
    facts = {"classes": [str(label) for label in classes]}
    (folder / "facts.json").write_text(json.dumps(facts, indent=1))


def refuse_unseen(
    classes: Sequence[str | int],
    labels: Int64[Tensor, " n"],
    given: Int64[Tensor, " n"],
) -> None:
    """Refuse a class that is tested on, and of which there is nothing to learn from.

    Raises:
        UsageError: There is one.
    """
    if (given < 0).all():
        return
    unseen = sorted({*labels.tolist()} - {*labels[given == 0].tolist()})
    if unseen:
        named = ", ".join(repr(classes[i]) for i in unseen)
        raise UsageError(
            f"classes that train lacks: {named}; move some of their pictures into "
            "train, or take theirs out of the others"
        )


def check_room(folder: Path, size: int) -> None:
    """Refuse what the disk cannot hold: writing to a map would end the process."""
    free = shutil.disk_usage(folder).free
    if size > free:
        raise UsageError(
            f"{size / 1e9:.1f} GB of images do not fit the {free / 1e9:.1f} GB free in "
            f"{folder.parents[1]}; set cache to another folder"
        )


def decode_all(
    raw: Iterable[Any], shape: tuple[int, int, int]
) -> Iterator[UInt8[np.ndarray, "c h w"]]:
    """Each picture decoded, in their order, by a thread a core."""
    remaining = iter(raw)
    with ThreadPoolExecutor(cores()) as pool:
        while chunk := list(islice(remaining, CHUNK)):
            yield from pool.map(partial(decode, shape=shape), chunk)


def decode(raw: Any, shape: tuple[int, int, int]) -> UInt8[np.ndarray, "c h w"]:
    """A picture's centre square, scaled to ``shape``.

    It stands as its camera says; what is transparent is white; the first of several
    frames is taken; 16 bits become 8.

    Raises:
        UsageError: It cannot be read; the message names it.
    """
    pil = need("PIL.Image")
    channels, height, width = shape
    if isinstance(raw, Mapping):
        raw = raw["bytes"] or Path(raw["path"])
    try:
        if isinstance(raw, bytes):
            picture = pil.open(BytesIO(raw))
        elif isinstance(raw, Path):
            picture = pil.open(raw)
        else:
            picture = pil.fromarray(as_bytes(raw))
        operations = need("PIL.ImageOps")
        square = operations.fit(
            plain(operations.exif_transpose(picture), picture.format).convert(
                "L" if channels == 1 else "RGB"
            ),
            (width, height),
            pil.Resampling.BICUBIC,
        )
    except Exception as error:
        # Of what anybody calls a picture Pillow's readers raise anything.
        raise UsageError(
            f"cannot read {name_of(raw)} ({error or type(error).__name__}); repair or "
            "remove it"
        ) from error
    return np.asarray(square).reshape(height, width, channels).transpose(2, 0, 1)


def name_of(raw: Any) -> str:
    """A picture in words."""
    if isinstance(raw, Path):
        return str(raw)
    sized = isinstance(raw, bytes | list | np.ndarray)
    return f"picture of {len(raw)} bytes or rows" if sized else f"picture {raw!r:.40}"


def plain(picture: Any, kind: str | None) -> Any:
    """The picture in a mode that Pillow converts to grey or RGB without loss of range.

    Args:
        picture: Pillow's.
        kind: Its file's format.

    Raises:
        ValueError: Its numbers have no range by which they could be scaled.
    """
    pil = need("PIL.Image")
    mode = picture.mode
    # PNG and PGM have 16 bits at most, whatever Pillow keeps them in.
    if mode.startswith("I;16") or (mode == "I" and kind in ("PNG", "PPM")):
        deep = np.asarray(picture).astype(np.uint32)
        return pil.fromarray(((deep + 128) // 257).astype(np.uint8))
    if mode in ("I", "F"):
        raise ValueError(
            f"mode {mode}: numbers of 32 bits say not what is white; save it with 8 or "
            "16 bits"
        )
    if picture.has_transparency_data:
        white = pil.new("RGBA", picture.size, "white")
        return pil.alpha_composite(white, picture.convert("RGBA"))
    return picture


def as_bytes(pixels: Any) -> NDArray[np.uint8]:
    """Rows of pixels [h w] or [h w c].

    Raises:
        ValueError: They are no picture of whole numbers in 0..255.
    """
    array = np.asarray(pixels)
    if array.ndim not in (2, 3) or not array.size:
        raise ValueError("it has no rows of pixels")
    if array.dtype.kind not in "iu" or array.min() < 0 or array.max() > 255:
        raise ValueError("its values are no whole numbers in 0..255")
    return array.astype(np.uint8)


def need(module: str) -> Any:
    """A module of the optional dependencies.

    Raises:
        UsageError: It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise UsageError(
            f'{error.name} is not installed; run pip install "mae_bench[images]"'
        ) from error
