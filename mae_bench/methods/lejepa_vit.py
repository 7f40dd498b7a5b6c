"""LeJEPA as it is published for pictures: a ViT, some crops, Gaussian projections."""

from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import ViTMethod
from mae_bench.methods.lejepa import sigreg
from mae_bench.models.augmentation import crops
from mae_bench.models.full_precision import in_full_precision
from mae_bench.models.processes import gather
from mae_bench.models.standardised_projector import StandardisedProjector
from mae_bench.models.vit import draw_weights
from mae_bench.records.schema import Track

DIRECTIONS = 256  # a step, as released


class LeJEPAViT(ViTMethod):
    """V crops of each image, projected to z: (1 - λ) |z - mean of z|² + λ SIGReg.

    The distance is a coordinate's, averaged over views; SIGReg is a view's, averaged
    likewise, of the same directions. Projections are standardised over all views and
    processes together. The difference from ``lejepa`` is the encoder, the number of
    views and the projector between encoder and loss.

    Unlike the released code it pools patches and not a class token, drops no paths, and
    blurs and solarises no view; the second of the projector's batch norms has no
    weights of its own. The optimiser is the house's: the rate falls to 0 and not to
    half its peak, betas are (0.9, 0.95), and biases and norms do not decay.

    References:
        Balestriero & LeCun 2025, arXiv 2511.08544, and its minimal code.
    """

    version: ClassVar[int] = 1
    track: ClassVar[Track] = "augmentations"
    joins: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        lamb: float = 0.02,
        views: int = 4,
        crops: float = 0.08,
        projector_hidden_dim: int = 64,
        projector_dim: int = 16,
        **settings: Any,
    ) -> None:
        """Build encoder and projector.

        Args:
            dataset: The world that it learns from.
            generator: Draws the initial weights, the encoder's first.
            lamb: λ, weight of SIGReg, in (0, 1); as released.
            views: V, at least 2; as released.
            crops: Share of an image's area that a view has at least, in (0, 1].
            projector_hidden_dim: Width of the projector's two hidden layers.
            projector_dim: Width of the projections.
            settings: See ``ViTMethod``.

        Raises:
            ValueError: A setting is outside its range.
        """
        if not (0 < lamb < 1 and views > 1 and 0 < crops <= 1 and projector_dim > 0):
            raise ValueError(
                f"lamb {lamb}, views {views}, crops {crops}, projector_dim "
                f"{projector_dim}; choose in (0, 1), at least 2, in (0, 1] and at "
                "least 1"
            )
        super().__init__(dataset, generator, **settings)
        self.lamb, self.views, self.crops = lamb, views, crops
        self.k = projector_dim
        hidden = StandardisedProjector(
            generator,
            in_dim=self.encoder.bottleneck or self.encoder.embed_dim,
            hidden_dim=projector_hidden_dim,
            out_dim=projector_hidden_dim,
            standard_out=True,
        )
        out = nn.Linear(projector_hidden_dim, projector_dim)
        draw_weights(out, generator)
        self.projector = nn.Sequential(hidden, nn.ReLU(), out)

    def prepare(self, batch: Batch, generator: torch.Generator) -> Any:
        """V views of each image, and its share of the directions."""
        views = [
            crops(batch.images, generator, self.crops, colours=True)
            for _ in range(self.views)
        ]
        directions = torch.randn(
            (len(batch), -(-DIRECTIONS // len(batch)), self.k),
            generator=generator,
            device=generator.device,
            dtype=batch.images.dtype,
        )
        return (*views, directions)

    def forward(self, example: Any) -> Float[Tensor, ""]:
        """The loss of all views of every image, of all processes' images together."""
        *views, directions = example
        h = self.pooled(torch.cat(views)).view(self.views, len(directions), -1)
        h = gather(h.transpose(0, 1))  # [n v d]
        z = self.projector(h.flatten(0, 1)).view(-1, self.views, self.k)
        shown = gather(directions).flatten(0, 1)[:DIRECTIONS]
        return in_full_precision(self.compare, z.transpose(0, 1), shown)

    def compare(
        self, z: Float[Tensor, "v n k"], directions: Float[Tensor, "m k"]
    ) -> Float[Tensor, ""]:
        """Both terms."""
        apart = (z - z.mean(0)).square().mean()
        gaussian = torch.stack([sigreg(one, directions) for one in z]).mean()
        loss: Tensor = (1 - self.lamb) * apart + self.lamb * gaussian
        return loss
