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
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import torch
from filelock import FileLock
from jaxtyping import UInt8
from numpy.typing import NDArray

from mae_bench.datasets._finite import NAMES, assign, moments_of, print_of
from mae_bench.records.schema import UsageError

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
            with TemporaryDirectory(dir=folder.parent, prefix=".") as scratch:
                whole = Path(scratch) / folder.name
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
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        while chunk := list(islice(remaining, CHUNK)):
            yield from pool.map(partial(decode, shape=shape), chunk)


def decode(raw: Any, shape: tuple[int, int, int]) -> UInt8[np.ndarray, "c h w"]:
    """A picture's centre square, scaled to ``shape``.

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
        square = need("PIL.ImageOps").fit(
            picture.convert("L" if channels == 1 else "RGB"),
            (width, height),
            pil.Resampling.BICUBIC,
        )
    except (OSError, ValueError, SyntaxError, pil.DecompressionBombError) as error:
        name = raw if isinstance(raw, Path) else f"picture of {len(raw)} bytes or rows"
        raise UsageError(
            f"cannot read {name} ({error}); repair or remove it"
        ) from error
    return np.asarray(square).reshape(height, width, channels).transpose(2, 0, 1)


def as_bytes(pixels: Any) -> NDArray[np.uint8]:
    """Rows of pixels [h w] or [h w c].

    Raises:
        ValueError: They are no whole numbers in 0..255.
    """
    array = np.asarray(pixels)
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
