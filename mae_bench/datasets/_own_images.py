"""Images of one's own: their shape, and what a DataLoader gives of them as a batch."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from mae_bench.datasets import Batch, Dataset


class OwnImages(Dataset):
    """A world of which the shape alone is known: its images come from elsewhere."""

    version: ClassVar[int] = 1
    levels: tuple[str, ...] = ()

    def __init__(
        self, channels: int, image_size: int, num_classes: int | None = None
    ) -> None:
        """Keep the shape.

        Args:
            channels: c, at least 1.
            image_size: h = w, in pixels, at least 1.
            num_classes: Number of classes, or None without labels.

        Raises:
            ValueError: There is no such image.
        """
        if channels < 1 or image_size < 1:
            raise ValueError(
                f"{channels} channels of {image_size} x {image_size} pixels make no "
                "image; give at least 1 of each"
            )
        self.channels = channels
        self.image_size = image_size
        self.num_classes = num_classes

    def sample(self, n: int, generator: torch.Generator) -> Batch:
        """Refuse: there is nothing to draw from.

        Raises:
            TypeError: Always.
        """
        del n, generator
        raise TypeError(
            "images of your own cannot be sampled, for their shape alone is known; "
            "train on a DataLoader of them, or give the method a world"
        )


def batch_of(given: object, world: Dataset, dtype: torch.dtype | str) -> Batch:
    """What a DataLoader gave, as a batch.

    Args:
        given: A batch; or a tensor of images [n c h w]; or a list or tuple that begins
            with one, and goes on with their labels, if they have any.
        world: Whose shape the images must have.
        dtype: The weights' type, which must be the images' too.

    Raises:
        TypeError: There are no images, or they are of another type.
        ValueError: They have another shape.
    """
    if isinstance(given, Batch):
        return given
    images, *rest = given if isinstance(given, list | tuple) and given else (given,)
    if not isinstance(images, Tensor):
        kind = type(images).__name__
        raise TypeError(
            f"a batch that begins with a {kind} holds no images; give a tensor "
            "[n, c, h, w], or a pair of it and the labels"
        )
    size = world.image_size
    if images.ndim != 4 or images.shape[1:] != (world.channels, size, size):
        raise ValueError(
            f"images {list(images.shape)} are not [n, {world.channels}, {size}, "
            f"{size}]; reshape them, or build the method for theirs"
        )
    if images.dtype != dtype:
        raise TypeError(
            f"images of {images.dtype} do not go with weights of {dtype}; convert "
            "them, and scale them to about unit deviation"
        )
    labels = rest[0] if rest and isinstance(rest[0], Tensor) else None
    if labels is None or labels.ndim != 1 or labels.is_floating_point():
        return Batch(images)
    return Batch(images, labels=labels.long())
