"""SimCLR as it is published for CIFAR: a ResNet-18, crops and colours, plain SGD."""

from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import Method
from mae_bench.methods.simclr import nt_xent
from mae_bench.models.augmentation import crops
from mae_bench.models.full_precision import in_full_precision
from mae_bench.models.optimiser import warmup_cosine
from mae_bench.models.processes import gather
from mae_bench.models.resnet import ResNet18
from mae_bench.models.standardised_projector import StandardisedProjector
from mae_bench.records.schema import Track


class SimCLRResNet(Method):
    """Two crops of each image, through a ResNet-18 with CIFAR's stem, under NT-Xent.

    The difference from ``simclr`` is the encoder, which sees no patches, and a recipe
    that is somebody else's: what it reads is held against what they published. Both
    views go through the encoder together, and share the statistics of its batch norms.

    References:
        Chen et al. 2020, arXiv 2002.05709, Appendix B.9; lightly's CIFAR-10 benchmark.
    """

    version: ClassVar[int] = 1
    track: ClassVar[Track] = "augmentations"
    joins: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        temperature: float = 0.5,
        crops: float = 0.08,
        momentum: float = 0.9,
        projector_hidden_dim: int = 512,
        projector_dim: int = 128,
        lr: float = 0.06,
        weight_decay: float = 5e-4,
        warmup: float = 0.0,
        **budget: Any,
    ) -> None:
        """Build encoder and projector.

        Args:
            dataset: The world that it learns from.
            generator: Draws the initial weights, the encoder's first.
            temperature: tau of NT-Xent, above 0.
            crops: Share of an image's area that a view has at least, in (0, 1].
            momentum: Of the gradients, in [0, 1).
            projector_hidden_dim: Width of the projector's hidden layer.
            projector_dim: Width of the projections.
            lr: Peak learning rate, of 128 images a step.
            weight_decay: Of all weights, added to their gradients.
            warmup: See ``Method``.
            budget: Likewise.

        Raises:
            ValueError: A setting is outside its range.
        """
        super().__init__(
            dataset,
            generator,
            lr=lr,
            weight_decay=weight_decay,
            warmup=warmup,
            **budget,
        )
        if not (temperature > 0 and 0 < crops <= 1 and 0 <= momentum < 1):
            raise ValueError(
                f"temperature {temperature}, crops {crops}, momentum {momentum}; "
                "choose above 0, in (0, 1] and in [0, 1)"
            )
        self.temperature, self.crops, self.momentum = temperature, crops, momentum
        self.encoder = ResNet18(generator, channels=dataset.channels)
        self.projector = StandardisedProjector(
            generator,
            in_dim=self.encoder.embed_dim,
            hidden_dim=projector_hidden_dim,
            out_dim=projector_dim,
        )

    def prepare(self, batch: Batch, generator: torch.Generator) -> Any:
        """Two views of each image."""
        return tuple(
            crops(batch.images, generator, self.crops, colours=True) for _ in range(2)
        )

    def forward(self, example: Any) -> Float[Tensor, ""]:
        """The loss of two views of every image, of all processes' images together."""
        z1, z2 = self.projector(self.pooled(torch.cat(example))).chunk(2)
        return in_full_precision(self.compare, gather(z1), gather(z2))

    def compare(
        self, z1: Float[Tensor, "n d"], z2: Float[Tensor, "n d"]
    ) -> Float[Tensor, ""]:
        """NT-Xent."""
        return nt_xent(z1, z2, self.temperature)

    def pooled(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d"]:
        """The mean of the last map."""
        return self.encoder.readout(self.encoder(images))["mean"]

    def features(
        self, batch: Batch, ids_keep: Int64[Tensor, "n k"] | None = None
    ) -> dict[str, Float[Tensor, "n _"]]:
        """The ``mean`` of the last map.

        Raises:
            ValueError: A masked view is asked for.
        """
        if ids_keep is not None:
            raise ValueError("it sees whole images; leave ids_keep out")
        return {"mean": self.pooled(batch.images)}

    def configure_optimizers(self) -> Any:
        """SGD with momentum, half a cosine by step."""
        optimizer = torch.optim.SGD(
            self.parameters(),
            lr=self.lr,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
        )
        schedule = LambdaLR(
            optimizer, lambda step: warmup_cosine(step, self.steps, self.warmup)
        )
        return [optimizer], [{"scheduler": schedule, "interval": "step"}]
