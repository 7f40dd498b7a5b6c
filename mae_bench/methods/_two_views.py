"""A ViT that is shown two views of each image, and what they are."""

from abc import abstractmethod
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import ViTMethod
from mae_bench.models.augmentation import augment
from mae_bench.models.full_precision import in_full_precision
from mae_bench.models.processes import gather
from mae_bench.models.projector import Projector
from mae_bench.records.schema import Track


def pair(
    dataset: Dataset, batch: Batch, generator: torch.Generator
) -> tuple[Float[Tensor, "n c h w"], Float[Tensor, "n c h w"]]:
    """Each image and its redrawing; where the world has none, two augmentations."""
    redrawn = dataset.redraw(batch, generator)
    if redrawn is not None:
        return batch.images, redrawn.images
    return augment(batch.images, generator), augment(batch.images, generator)


class TwoViews(ViTMethod):
    """Two views of each image, projected: the difference between methods is the loss.

    The views are what the world says they are: where it can redraw an image with the
    same content (``Dataset.redraw``), the pair is the image and its redrawing; where
    it cannot, both views are augmentations of the image, for which a GPU's step waits
    (see ``augment``); no other does.
    """

    track: ClassVar[Track] = "augmentations"

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        projector_hidden_dim: int = 64,
        projector_dim: int = 64,
        **settings: Any,
    ) -> None:
        """Build encoder and projector.

        Args:
            dataset: The world that it learns from.
            generator: Draws the initial weights, the encoder's first.
            projector_hidden_dim: Width of the projector's hidden layer.
            projector_dim: Width of the projections.
            settings: See ``ViTMethod``.
        """
        super().__init__(dataset, generator, **settings)
        self.projector = Projector(
            generator,
            in_dim=self.encoder.bottleneck or self.encoder.embed_dim,
            hidden_dim=projector_hidden_dim,
            out_dim=projector_dim,
        )

    @classmethod
    def told_on(cls, world: type[Dataset]) -> Track:
        """``causes`` where the world redraws images, for views that are such pairs."""
        redraws = world.redraw is not Dataset.redraw
        return "causes" if redraws and cls.track == "augmentations" else cls.track

    def prepare(self, batch: Batch, generator: torch.Generator) -> Any:
        """The positive pair of every image."""
        return pair(self.dataset, batch, generator)

    def forward(self, example: Any) -> Float[Tensor, ""]:
        """The loss of two views of every image, of all processes' images together."""
        # One pass over both views: larger matrices, the same numbers.
        z1, z2 = self.projector(self.pooled(torch.cat(example))).chunk(2)
        return in_full_precision(self.compare, gather(z1), gather(z2))

    @abstractmethod
    def compare(
        self, z1: Float[Tensor, "n d"], z2: Float[Tensor, "n d"]
    ) -> Float[Tensor, ""]:
        """The loss of projections, pair by pair in the same order."""
