"""The ceiling: the same encoder, told what the others have to find out."""

from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import ViTMethod
from mae_bench.models.vit import draw_weights
from mae_bench.records.schema import Track


class Supervised(ViTMethod):
    """A linear head on the ViT's ``mean`` (or ``code``), told the world's own answer.

    A world that declares latents is regressed on its root, by squared error: the best
    guess E[root | x] has the highest R2 that any encoder can reach, and for a Gaussian
    root it also decides the classes that are made by quantising it. A world without
    latents is classified, by cross entropy.
    """

    version: ClassVar[int] = 1
    track: ClassVar[Track] = "reference"

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        **settings: Any,
    ) -> None:
        """Build encoder and head.

        Args:
            dataset: The world that it learns from.
            generator: Draws the initial weights.
            settings: See ``ViTMethod``.

        Raises:
            ValueError: The world has neither latents nor labels.
        """
        super().__init__(dataset, generator, **settings)
        width = self.encoder.bottleneck or self.encoder.embed_dim
        self.head = nn.Linear(width, _targets(dataset))
        draw_weights(self.head, generator)

    def prepare(self, batch: Batch, generator: torch.Generator) -> Any:
        """The images, and the answer: the root, or the class.

        Raises:
            ValueError: The batch does not tell it.
        """
        del generator
        if self.dataset.levels:
            what, answer = "the root", batch.latents.get(self.dataset.levels[0])
        else:
            what, answer = "labels", batch.labels
        if answer is None:
            raise ValueError(
                f"Supervised learns from {what}, which this batch does not have; of "
                "images of your own, give pairs of images and whole-number labels"
            )
        return batch.images, answer

    def forward(self, example: Any) -> Float[Tensor, ""]:
        """Squared error on the root's coordinates (mean), or cross entropy in nats."""
        images, answer = example
        guess = self.head(self.pooled(images))
        if self.dataset.levels:
            return F.mse_loss(guess, answer)
        return F.cross_entropy(guess, answer)


def _targets(dataset: Dataset) -> int:
    """Width of the root, or number of classes."""
    if dataset.levels:
        draw = dataset.sample(1, torch.Generator().manual_seed(0))
        return draw.latents[dataset.levels[0]].shape[1]
    if dataset.num_classes is not None:
        return dataset.num_classes
    name = type(dataset).__name__
    raise ValueError(
        f"{name} has neither latents nor labels to be supervised by; of images of your "
        "own, give num_classes"
    )
