"""Sets of so many labelled images: cut anew for every seed, and drawn from."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64, UInt8
from numpy.typing import NDArray
from torch import Tensor

from mae_bench.datasets import Batch, Dataset, SplitName
from mae_bench.records.schema import UsageError

NAMES: tuple[SplitName, ...] = ("train", "val", "test")
FEWEST = 10  # images of a split, without which no probe is trusted
RESIDENT = 2**32  # bytes: a GPU keeps a set that is no larger


class Collection(NamedTuple):
    """All images of a set in the order of their source, before they are cut.

    Args:
        images: In memory, or mapped from disk.
        labels: Class of each.
        given: Place in ``NAMES`` of the split that the source puts each in, else -1.
        moments: Sums of each image's bytes and of their squares, by channel.
        prints: Equal for equal pixels, and else different but for an accident.
    """

    images: UInt8[Tensor, "n c h w"]
    labels: Int64[Tensor, " n"]
    given: Int64[Tensor, " n"]
    moments: Float64[Tensor, "n 2 c"]
    prints: Int64[Tensor, " n"]


def collect(
    images: UInt8[np.ndarray, "n c h w"],
    labels: Int64[np.ndarray, " n"],
    given: Int64[np.ndarray, " n"] | None = None,
) -> Collection:
    """What is to be known of images in memory; no split is given by default."""
    return Collection(
        torch.from_numpy(images),
        torch.from_numpy(labels),
        torch.from_numpy(np.full(len(labels), -1) if given is None else given),
        torch.from_numpy(np.stack([moments_of(image) for image in images])),
        torch.tensor([print_of(image) for image in images]),
    )


def moments_of(image: UInt8[np.ndarray, "c h w"]) -> Float64[np.ndarray, "2 c"]:
    """Sums of the bytes and of their squares in each channel: whole numbers."""
    x = image.reshape(len(image), -1).astype(np.float64)
    return np.stack([x.sum(1), (x * x).sum(1)])


def print_of(image: NDArray[np.uint8]) -> int:
    """64 bits of a hash of the pixels."""
    found = hashlib.blake2b(image.tobytes(), digest_size=8).digest()
    return int.from_bytes(found, "little", signed=True)


class FiniteSet(Dataset):
    """Labelled images that are cut into train, val and test by the world's generator.

    A cut is stratified by class, and its order is shuffled: the first ``n`` images of a
    split are a fair sample of it. So an interval over seeds holds which images were
    there to learn from and which to be tested on. Splits that a source gives are not
    mixed; what it does not give is cut from its ``train``.

    Channels are scaled to mean 0 and variance 1 over the training images.

    Attributes:
        duplicates: Test images whose pixels are those of a training image.
    """

    duplicates: int

    def settle(
        self, collection: Collection, share: float, generator: torch.Generator
    ) -> None:
        """Cut the images.

        Args:
            collection: All of them.
            share: Of every class, what goes to test and to val, each.
            generator: Draws the cut.

        Raises:
            UsageError: A class or a set of too few images.
        """
        images, labels, given, moments, prints = collection
        self._images, self._labels, self._prints = images, labels, prints
        self._rows = assign(given, labels, share, generator)
        self._scale = scale_of(moments[self._rows["train"]], images[0, 0].numel())
        self.duplicates = repeated(prints, self._rows["train"], self._rows["test"])
        if self.duplicates:
            of = f"{self.duplicates} of {len(self._rows['test'])} test images"
            warn_once(f"{type(self).__name__}: {of} are training images too")

    def sample(self, n: int, generator: torch.Generator) -> Batch:
        """``n`` training images, drawn with replacement."""
        device, size = generator.device, len(self._rows["train"])
        rows = torch.randint(size, (n,), generator=generator, device=device)
        return self._batch(self._on("train", device)[rows])

    def split(self, name: SplitName, n: int, generator: torch.Generator) -> Batch:
        """The first ``n`` images of a split, or all of it where it holds fewer."""
        return self._batch(self._on(name, generator.device)[:n])

    def parameters(self) -> Mapping[str, Tensor]:
        """Rows of each split; prints of all images, which may be too many to give."""
        named: dict[str, Tensor] = {name: self._rows[name] for name in NAMES}
        return named | {"prints": self._prints, "labels": self._labels}

    def _on(self, name: SplitName, device: torch.device) -> Int64[Tensor, " _"]:
        """A split's rows on ``device``, where they stay."""
        self._rows[name] = self._rows[name].to(device)
        return self._rows[name]

    def _batch(self, rows: Int64[Tensor, " n"]) -> Batch:
        device = rows.device
        if device.type == "cuda" and self._images.nbytes <= RESIDENT:
            self._images = self._images.to(device)
        self._labels, self._scale = self._labels.to(device), self._scale.to(device)
        mean, std = self._scale
        images = self._images[rows.to(self._images.device)].to(device).float()
        return Batch(images.sub_(mean).div_(std), labels=self._labels[rows])


def assign(
    given: Int64[Tensor, " n"],
    labels: Int64[Tensor, " n"],
    share: float,
    generator: torch.Generator,
) -> dict[SplitName, Int64[Tensor, " _"]]:
    """Which images are in each split, in no order.

    Args:
        given: As in ``Collection``; if only one of val and test is given, it is test.
        labels: Classes.
        share: Of every class, for each split that is not given.
        generator: Draws the cut and the order.

    Raises:
        UsageError: Too few images of a class to be cut, or in a split for a probe.
    """
    order = shuffled(torch.arange(len(labels)), generator)
    if (given < 0).all():
        test, val, train = cut(order, labels, (share, share))
    else:
        train, val, test = (order[given[order] == i] for i in range(len(NAMES)))
        if not (len(val) and len(test)):
            test = torch.cat([val, test])
            val, train = cut(train, labels, (share,))
    rows: dict[SplitName, Tensor] = {"train": train, "val": val, "test": test}
    classes = int((labels.bincount() > 0).sum())
    for name, part in rows.items():
        fewest = max(FEWEST, 2 * classes) if name == "train" else FEWEST
        if len(part) < fewest:
            raise UsageError(
                f"of {len(labels)} images in {classes} classes {name} has {len(part)}; "
                f"a probe needs {fewest}: give more images"
            )
    # The cut went through the order class by class, and left early classes in front.
    return {name: shuffled(part, generator) for name, part in rows.items()}


def shuffled(
    rows: Int64[Tensor, " n"], generator: torch.Generator
) -> Int64[Tensor, " n"]:
    """The same in another order."""
    order = torch.randperm(len(rows), generator=generator, device=generator.device)
    return rows[order.cpu()]


def cut(
    rows: Int64[Tensor, " m"], labels: Int64[Tensor, " n"], shares: Sequence[float]
) -> list[Int64[Tensor, " _"]]:
    """Of every class each of the shares (at least one image), and the rest.

    Raises:
        UsageError: A class of too few images.
    """
    by_class = rows[labels[rows].argsort(stable=True)]
    count = labels[rows].bincount()
    few = (count > 0) & (count <= len(shares))
    if few.any():
        raise UsageError(
            f"images of a class: {int(count[few][0])}; to be split it needs at least "
            f"{len(shares) + 1}"
        )
    sizes = [(count * share).round().long().clamp(min=1) for share in shares]
    ends = torch.stack(sizes).cumsum(0).repeat_interleave(count, dim=1)
    place = torch.arange(len(rows)) - (count.cumsum(0) - count).repeat_interleave(count)
    part = torch.empty_like(labels)
    part[by_class] = (place >= ends).sum(0)
    return [rows[part[rows] == i] for i in range(len(shares) + 1)]


def scale_of(
    moments: Float64[Tensor, "n 2 c"], pixels: int
) -> Float[Tensor, "2 c 1 1"]:
    """Mean and deviation of each channel over all pixels; 1 for a constant one."""
    mean, square = moments.sum(0) / (len(moments) * pixels)
    std = (square - mean.square()).clamp(min=0).sqrt()
    std[std == 0] = 1
    return torch.stack([mean, std]).float()[:, :, None, None]


def repeated(
    prints: Int64[Tensor, " n"],
    train: Int64[Tensor, " _"],
    test: Int64[Tensor, " _"],
) -> int:
    """How many test images have the pixels of a training image.

    >>> rows = torch.arange(5)
    >>> repeated(torch.tensor([7, 8, 7, 9, 7]), rows[:2], rows[2:])
    2
    """
    return int(torch.isin(prints[test], prints[train]).sum())


@cache  # a world is built for every cell
def warn_once(line: str) -> None:
    """Say a line, once a process."""
    logging.getLogger(__name__).warning(line)
