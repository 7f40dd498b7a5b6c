"""SimSiam: from one view of an image its projection of the other is predicted."""

from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from mae_bench.datasets import Dataset
from mae_bench.methods._two_views import TwoViews
from mae_bench.models.full_precision import in_full_precision
from mae_bench.models.processes import gather
from mae_bench.models.standardised_projector import StandardisedProjector


def negative_cosine(
    p: Float[Tensor, "n d"], z: Float[Tensor, "n d"]
) -> Float[Tensor, ""]:
    """D(p, z) = -p / ||p|| . z / ||z||, the mean over n pairs.

    Args:
        p: Predictions.
        z: What they predict, in the same order.

    Returns:
        In [-1, 1]; -1 is best.

    References:
        Chen & He 2021, arXiv 2011.10566, Eq. 1.

    >>> negative_cosine(torch.eye(2), torch.tensor([[3.0, 0.0], [5.0, 0.0]])).item()
    -0.5
    """
    return -F.cosine_similarity(p, z, dim=1).mean()


class SimSiam(TwoViews):
    """Siamese networks without negatives, momentum or decorrelation (2011.10566).

    L = D(p1, sg(z2)) / 2 + D(p2, sg(z1)) / 2, with z the projection of a view, p what a
    predictor makes of it, and sg a stopped gradient (Eq. 4).

    Batch norm is part of it: without, at the house's learning rate, the projections of
    all images became nearly one within 150 steps. As released it stands behind every
    map but the predictor's last, for each view by itself; of several processes, over
    the joined batch. Unlike there the projector has two layers and not three, the
    optimiser is the house's, and the predictor's learning rate decays too.

    It wants a low learning rate: on ``gaussian_tree`` at 0.01 the features shrank to
    two directions of 32 in 1000 steps; at 0.001 they kept eight after 600. Its targets
    are its own projections: the fewer directions they keep, the better they are told.
    """

    version: ClassVar[int] = 1
    judged_by: ClassVar[Literal["loss", "rank"]] = "rank"

    # Whether the projections themselves are standardised.
    standard_out: ClassVar[bool] = True

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        predictor_hidden_dim: int = 16,
        **settings: Any,
    ) -> None:
        """Build encoder, projector and predictor.

        Args:
            dataset: The world that it learns from.
            generator: Draws the initial weights, the encoder's first.
            predictor_hidden_dim: Width of the predictor's hidden layer; as in the paper
                a quarter of the projections' by default.
            settings: See ``TwoViews``.

        Raises:
            ValueError: A width below 1.
        """
        super().__init__(dataset, generator, **settings)
        hidden, out = self.projector.hidden, self.projector.out
        self.projector = StandardisedProjector(
            generator,
            in_dim=hidden.in_features,
            hidden_dim=hidden.out_features,
            out_dim=out.out_features,
            standard_out=self.standard_out,
        )
        self.predictor = StandardisedProjector(
            generator,
            in_dim=out.out_features,
            hidden_dim=predictor_hidden_dim,
            out_dim=out.out_features,
        )

    def forward(self, example: Any) -> Float[Tensor, ""]:
        """The loss of two views of every image, both ways."""
        h1, h2 = self.pooled(torch.cat(example)).chunk(2)
        z1, z2 = self.projector(gather(h1)), self.projector(gather(h2))
        t1, t2 = self.targets(example, z1, z2)
        p1, p2 = self.predictor(z1), self.predictor(z2)
        one = in_full_precision(self.compare, p1, t2.detach())
        return one + in_full_precision(self.compare, p2, t1.detach())

    def targets(
        self, example: Any, z1: Float[Tensor, "n d"], z2: Float[Tensor, "n d"]
    ) -> tuple[Float[Tensor, "n d"], Float[Tensor, "n d"]]:
        """What is to be predicted of each view: its own projection."""
        del example
        return z1, z2

    def compare(
        self, z1: Float[Tensor, "n d"], z2: Float[Tensor, "n d"]
    ) -> Float[Tensor, ""]:
        """Half the negative cosine of predictions and targets, for one way."""
        return negative_cosine(z1, z2) / 2
