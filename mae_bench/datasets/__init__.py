"""The worlds: images, and the latents that caused them where they are known.

A world is a file; its class keeps the contract below. Worlds that are generated draw
fresh images for ever, unless told to train on so many. Finite sets are cut anew for
every seed, draw training images with replacement, and keep the seed's test images.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from mae_bench.records.room import furnish

SplitName = Literal["train", "val", "test"]


@dataclass(frozen=True)
class Batch:
    """Images with what is known of their causes.

    Args:
        images: Float32, about unit scale.
        latents: Level name -> values, in the order of the dataset's ``levels``
            (nodes of a level are concatenated along ``k``).
        labels: Class of each image, or None.
    """

    images: Float[Tensor, "n c h w"]
    latents: Mapping[str, Float[Tensor, "n k"]] = field(default_factory=dict)
    labels: Int64[Tensor, " n"] | None = None

    def __len__(self) -> int:
        """Number of images."""
        return len(self.images)

    def rows(self, index: slice | Tensor) -> Batch:
        """The same images' rows ``index`` of every field."""
        return Batch(
            self.images[index],
            {level: z[index] for level, z in self.latents.items()},
            None if self.labels is None else self.labels[index],
        )

    def to(self, device: torch.device | str) -> Batch:
        """The batch on ``device``."""
        return Batch(
            self.images.to(device),
            {level: z.to(device) for level, z in self.latents.items()},
            None if self.labels is None else self.labels.to(device),
        )


class Dataset(ABC):
    """Contract of a world.

    A subclass is constructed as ``World(generator, **settings)``: the generator draws
    the world's own parameters (and nothing later), the settings are keyword-only
    scalars with defaults. It sets the attributes below.

    Attributes:
        version: Moves when the images move.
        joins: Experiments that run on it without naming it.
        channels: c.
        image_size: h = w, in pixels.
        levels: Names of the latent levels, root first; ``level_0`` is the root.
            Empty if no latents are known.
        num_classes: Number of classes, or None without labels.
    """

    version: ClassVar[int]
    joins: ClassVar[tuple[str, ...]] = ()
    channels: int
    image_size: int
    levels: tuple[str, ...]
    num_classes: int | None

    @abstractmethod
    def sample(self, n: int, generator: torch.Generator) -> Batch:
        """``n`` training images, drawn on the generator's device."""

    def split(self, name: SplitName, n: int, generator: torch.Generator) -> Batch:
        """At most ``n`` images for probing; the three splits share no image.

        A generated world draws them fresh. A finite set, cut when it was built,
        returns the first ``n`` of its split, whatever the generator, and its
        ``sample`` never draws from ``val`` or ``test``.
        """
        del name
        return self.sample(n, generator)

    def redraw(self, batch: Batch, generator: torch.Generator) -> Batch | None:
        """Other images with the same content: the world's view for contrastive methods.

        None (the default) if the world cannot say; images are then augmented.
        """
        del batch, generator
        return None

    def parameters(self) -> Mapping[str, Tensor]:
        """The world's own drawn parameters (for a finite set, its cut)."""
        return {}

    def fingerprint(self) -> str:
        """16 hex digits of the parameters' bytes, to check that a world is the same."""
        sha = hashlib.sha256(repr((type(self).__name__, self.version)).encode())
        for name, tensor in sorted(self.parameters().items()):
            sha.update(name.encode())
            sha.update(tensor.detach().cpu().contiguous().numpy().tobytes())
        return sha.hexdigest()[:16]


class Generated(Dataset):
    """A world that draws its images: fresh ones for ever, or so many to train on."""

    def __init__(self, generator: torch.Generator, *, train_images: int = 0) -> None:
        """Settle how many training images there are.

        Args:
            generator: Is copied: the world that it draws next is the same, however
                many they are.
            train_images: Different images that ``sample`` gives; 0 for no limit.
                Those of the splits are fresh whatever it is, and so are the nuisances
                of ``redraw``.

        Raises:
            ValueError: A negative number.
        """
        if train_images < 0:
            raise ValueError(f"train_images is {train_images}; choose 0 or more")
        self.train_images = train_images
        copy = generator.clone_state()
        seed = torch.randint(2**62, (), generator=copy, device=copy.device)
        self._pool_seed = int(seed)
        self._pool: Batch | None = None

    @abstractmethod
    def draw(self, n: int, generator: torch.Generator) -> Batch:
        """``n`` fresh images, drawn on the generator's device."""

    def sample(self, n: int, generator: torch.Generator) -> Batch:
        """``n`` fresh images, or of limited ones ``n`` drawn with replacement."""
        if not self.train_images:
            return self.draw(n, generator)
        device = generator.device
        if self._pool is None:
            # On the CPU, so that every device has the same ones.
            stream = torch.Generator().manual_seed(self._pool_seed)
            self._pool = self.draw(self.train_images, stream)
        self._pool = self._pool.to(device)
        rows = torch.randint(len(self._pool), (n,), generator=generator, device=device)
        return self._pool.rows(rows)

    def split(self, name: SplitName, n: int, generator: torch.Generator) -> Batch:
        """``n`` fresh images, whatever the split."""
        del name
        return self.draw(n, generator)


@runtime_checkable
class LinearGaussian(Protocol):
    """A world whose pixels and latents are jointly Gaussian with mean zero."""

    def covariance(self) -> Float[Tensor, "d d"]:
        """Float64 covariance of the pixels, in the order of ``images.flatten(1)``."""

    def cross_covariance(self) -> Mapping[str, Float[Tensor, "k d"]]:
        """Float64 Cov(z, x) of each level with the pixels; Var(z) = 1."""


def orthant(z: Float[Tensor, "n k"]) -> Int64[Tensor, " n"]:
    """Signs as a binary number: bit i says that coordinate i is positive.

    >>> orthant(torch.tensor([[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]])).tolist()
    [0, 1, 2]
    """
    return ((z > 0) * 2 ** torch.arange(z.shape[1], device=z.device)).sum(1)


furnish(__name__)
