"""Patches of photographs and textures: natural images, labelled by their source.

The sources ship with scikit-learn (china, flower) and scikit-image (the others), and
nothing is downloaded. Each is laid out in square cells with gaps between them, and the
cells are dealt to train, val and test anew for every seed, so that patches of two
splits share no pixel, nor touch.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from numpy.typing import NDArray
from sklearn.datasets import load_sample_image
from torch import Tensor

from mae_bench.datasets import Batch, Generated, SplitName
from mae_bench.datasets._finite import NAMES, cut
from mae_bench.datasets._pictures import need

PHOTOGRAPHS = ("china", "flower", "astronaut", "chelsea", "coffee", "rocket")
GREY = ("camera", "brick", "grass", "gravel")
SHARE = 0.2  # of a source's cells, for test and for val


class Patches(Generated):
    """Square patches at random places of ten grey sources, or of six in colour.

    The class is the source: china, flower, astronaut, chelsea, coffee, rocket, and of
    grey ones also camera and the textures brick, grass, gravel; each is as likely. A
    cell is two patches wide, a gap half a patch. Channels are scaled to mean 0 and
    variance 1 over the training cells. In a cell are (image_size + 1)² places, whose
    patches overlap.

    References:
        Van der Walt et al. 2014, PeerJ 2, e453: scikit-image.
    """

    version: ClassVar[int] = 1

    def __init__(
        self,
        generator: torch.Generator,
        *,
        image_size: int = 32,
        colour: bool = False,
        **settings: Any,
    ) -> None:
        """Cut the sources into cells, and deal them.

        Args:
            generator: Deals them.
            image_size: h = w, in 8..32 pixels.
            colour: Three channels, of the sources that have them.
            settings: Of ``Generated``.

        Raises:
            ValueError: A size outside its range: cells would be too few.
            UsageError: No scikit-image.
        """
        super().__init__(generator, **settings)
        if not 8 <= image_size <= 32:
            raise ValueError(f"image_size is {image_size}; choose in 8..32")
        self.channels = 3 if colour else 1
        self.image_size = image_size
        self.levels = ()
        self.classes = PHOTOGRAPHS if colour else (*PHOTOGRAPHS, *GREY)
        self.num_classes = len(self.classes)
        parts = [cells(source(name, colour), image_size) for name in self.classes]
        count = torch.tensor([len(part) for part in parts])
        labels = torch.arange(len(parts)).repeat_interleave(count)
        order = torch.randperm(
            len(labels), generator=generator, device=generator.device
        ).cpu()
        test, val, train = cut(order, labels, (SHARE, SHARE))
        every = torch.from_numpy(np.concatenate(parts))
        rows = dict(zip(NAMES, (train, val, test), strict=True))
        # By class, so that a class is a range of cells.
        rows = {k: r[labels[r].argsort(stable=True)] for k, r in rows.items()}
        self._cells = {name: every[r] for name, r in rows.items()}
        self._counts = {name: labels[r].bincount() for name, r in rows.items()}
        inside = self._cells["train"].double()
        mean, std = inside.mean((0, 2, 3)), inside.std((0, 2, 3), correction=0)
        self._scale = torch.stack([mean, std]).float()[:, :, None, None]

    def draw(self, n: int, generator: torch.Generator) -> Batch:
        """``n`` patches of training cells."""
        return self._patches("train", n, generator)

    def split(self, name: SplitName, n: int, generator: torch.Generator) -> Batch:
        """``n`` patches of a split's own cells."""
        return self._patches(name, n, generator)

    def parameters(self) -> Mapping[str, Tensor]:
        """The cells of each split."""
        return {name: self._cells[name] for name in NAMES}

    def _patches(self, name: SplitName, n: int, generator: torch.Generator) -> Batch:
        device = generator.device
        # The split moves to the generator's device, and stays there.
        self._cells[name] = self._cells[name].to(device)
        self._counts[name] = self._counts[name].to(device)
        self._scale = self._scale.to(device)
        count = self._counts[name]

        def below(most: Int64[Tensor, " n"]) -> Int64[Tensor, " n"]:
            u = torch.rand(n, generator=generator, device=device, dtype=torch.float64)
            return (u * most).long()

        labels = below(torch.full((n,), len(count), device=device))
        cell = (count.cumsum(0) - count)[labels] + below(count[labels])
        size = self.image_size
        windows = self._cells[name].unfold(2, size, 1).unfold(3, size, 1)
        y, x = (below(torch.full((n,), size + 1, device=device)) for _ in range(2))
        mean, std = self._scale
        images = windows[cell, :, y, x].float().sub_(mean).div_(std)
        return Batch(images, labels=labels)


def cells(
    image: UInt8[np.ndarray, "h w c"], image_size: int
) -> UInt8[np.ndarray, "n c k k"]:
    """Squares of ``2 image_size`` pixels, half an ``image_size`` apart, by rows."""
    side, pitch = 2 * image_size, 5 * image_size // 2
    height, width, _ = image.shape
    found = [
        image[y : y + side, x : x + side].transpose(2, 0, 1)
        for y in range(0, height - side + 1, pitch)
        for x in range(0, width - side + 1, pitch)
    ]
    return np.stack(found)


@cache  # a world is built for every cell
def source(name: str, colour: bool) -> UInt8[np.ndarray, "h w c"]:
    """A source's pixels, as they are or grey.

    Raises:
        UsageError: No scikit-image.
    """
    if name in ("china", "flower"):
        need("PIL.Image")
        pixels: NDArray[np.uint8] = load_sample_image(f"{name}.jpg")
    else:
        pixels = getattr(need("skimage.data"), name)()
    if colour or pixels.ndim == 2:
        return pixels.reshape(*pixels.shape[:2], -1)
    grey = need("PIL.Image").fromarray(pixels).convert("L")
    return np.asarray(grey)[:, :, None]
