"""Pictures -> arrays on disk: cut, decoded and scaled once, whole or not at all.

A folder of decoded pictures holds::

    {train,val,test}.npy     uint8 [n c h w], in the order of the split
    {train,val,test}_y.npy   int64 [n], classes
    facts.json               classes, mean and std by channel, checksum
"""

import hashlib
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
from jaxtyping import Int64, UInt8
from numpy.typing import NDArray
from torch import Tensor

from mae_bench.records.schema import UsageError

NAMES = ("train", "val", "test")
CHUNK = 512  # pictures in memory at a time
Images = UInt8[np.ndarray, "n c h w"]


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


def assign(
    given: Sequence[str], labels: Int64[Tensor, " n"]
) -> dict[str, Int64[Tensor, " _"]]:
    """Which pictures are in each split: always the same, shuffled."""
    # A seed of its own: the cut is a fact of the world, like the pictures.
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    if not any(given):
        test, val, train = cut(order, labels, 2)
        return {"train": train, "val": val, "test": test}
    rows = {
        name: order[torch.tensor([word == name for word in given])[order]]
        for name in NAMES
    }
    if len(rows["val"]) and len(rows["test"]):
        return rows
    val, train = cut(rows["train"], labels, 1)
    return {"train": train, "val": val, "test": torch.cat([rows["val"], rows["test"]])}


def cut(
    rows: Int64[Tensor, " m"], labels: Int64[Tensor, " n"], parts: int
) -> list[Int64[Tensor, " _"]]:
    """``parts`` times a tenth of every class (at least one), and the rest."""
    by_class = rows[labels[rows].argsort(stable=True)]
    count = labels[rows].bincount()
    few = (count > 0) & (count <= parts)
    if few.any():
        raise UsageError(
            f"a class has {int(count[few][0])} pictures to be split; "
            f"give each at least {parts + 1}"
        )
    place = torch.arange(len(rows)) - (count.cumsum(0) - count).repeat_interleave(count)
    tenth = (count / 10).round().long().clamp(min=1).repeat_interleave(count)
    part = torch.empty_like(labels)
    part[by_class] = (place // tenth).clamp(max=parts)
    return [rows[part[rows] == i] for i in range(parts + 1)]


def write_once(
    folder: Path, read: Callable[[], Pictures], shape: tuple[int, int, int]
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
                write(whole, read(), shape)
                os.replace(whole, folder)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(
            f"cannot write {folder.parent}: {reason}; set cache to another folder"
        ) from error


def write(folder: Path, pictures: Pictures, shape: tuple[int, int, int]) -> None:
    """Decode every picture to its place in its split."""
    classes = sorted(set(pictures.labels))
    code = {label: i for i, label in enumerate(classes)}
    labels = torch.tensor([code[label] for label in pictures.labels])
    splits = assign(pictures.given, labels)
    check_room(folder, len(labels) * prod(shape))
    images: dict[str, NDArray[np.uint8]] = {}
    place = [("", 0)] * len(labels)
    for name, rows in splits.items():
        images[name] = np.lib.format.open_memmap(
            folder / f"{name}.npy", mode="w+", dtype=np.uint8, shape=(len(rows), *shape)
        )
        np.save(folder / f"{name}_y.npy", labels[rows].numpy())
        for row, picture in enumerate(rows.tolist()):
            place[picture] = (name, row)
    found = decode_all(pictures.raw, shape)
    for (name, row), image in zip(place, found, strict=True):
        images[name][row] = image
    facts = {
        "classes": [str(label) for label in classes],
        "scale": channel_scale(images["train"]),
        "sha256": checksum([*images.values(), *(labels[r] for r in splits.values())]),
    }
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


def channel_scale(images: Images) -> list[list[float]]:
    """Mean and standard deviation of each channel's bytes; 1 for a constant one."""
    means, deviations = [], []
    for channel in range(images.shape[1]):
        count = np.zeros(256)
        for start in range(0, len(images), CHUNK):
            part = images[start : start + CHUNK, channel]
            count += np.bincount(part.ravel(), minlength=256)
        share, value = count / count.sum(), np.arange(256)
        mean = float(share @ value)
        means.append(mean)
        deviations.append(float(share @ (value - mean) ** 2) ** 0.5 or 1.0)
    return [means, deviations]


def checksum(arrays: Iterable[Any]) -> str:
    """SHA-256 of the arrays' shapes and bytes."""
    sha = hashlib.sha256()
    for array in arrays:
        sha.update(repr(tuple(array.shape)).encode())
        for start in range(0, len(array), CHUNK):
            sha.update(np.ascontiguousarray(array[start : start + CHUNK]).tobytes())
    return sha.hexdigest()


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
