"""BYOL: from one view of an image a slower copy's projection of the other is told."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from mae_bench.datasets import Dataset
from mae_bench.methods.simsiam import SimSiam
from mae_bench.models.momentum import (
    check_momentum,
    cosine_momentum,
    follow,
    frozen_copy,
)
from mae_bench.models.processes import gather


def normalised_error(
    q: Float[Tensor, "n d"], z: Float[Tensor, "n d"]
) -> Float[Tensor, ""]:
    """|| q / ||q|| - z / ||z|| ||^2 = 2 - 2 cos(q, z), the mean over n pairs.

    Args:
        q: Predictions.
        z: Targets, in the same order.

    Returns:
        In [0, 4]; 0 is best, and 2 that of orthogonal rows.

    References:
        Grill et al. 2020, arXiv 2006.07733, Eq. 2.

    >>> normalised_error(torch.eye(2), torch.tensor([[3.0, 0.0], [5.0, 0.0]])).item()
    1.0
    """
    gap = F.normalize(q, dim=1) - F.normalize(z, dim=1)
    return gap.square().sum(1).mean()


class BYOL(SimSiam):
    """SimSiam whose targets a momentum copy makes, with a wide predictor (2006.07733).

    The loss is the sum of both ways (Sec. 3.1). Batch norm stands in the hidden layers
    alone, as in the paper. It is not what keeps the projections apart (2010.10241);
    without it they were less so after 150 steps. The copy's momentum grows to 1 on half
    a cosine from ``momentum``: 0.99, as the released code gives its shorter runs, and
    not the 0.996 of the long ones. The optimiser is the house's. As of SimSiam, targets
    that all agree are told without error.
    """

    version: ClassVar[int] = 1
    standard_out: ClassVar[bool] = False

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        momentum: float = 0.99,
        predictor_hidden_dim: int = 64,
        **settings: Any,
    ) -> None:
        """Build encoder, projector, predictor and the copies of the first two.

        Args:
            dataset: The world that it learns from.
            generator: Draws the initial weights, the encoder's first.
            momentum: tau_base, the copy's share of itself at the first step.
            predictor_hidden_dim: Width of the predictor's hidden layer.
            settings: See ``TwoViews``.

        Raises:
            ValueError: A momentum outside [0, 1], or a width below 1.
        """
        super().__init__(
            dataset, generator, predictor_hidden_dim=predictor_hidden_dim, **settings
        )
        self.momentum = check_momentum(momentum)
        self.momentum_encoder = frozen_copy(self.encoder)
        self.momentum_projector = frozen_copy(self.projector)

    def targets(
        self, example: Any, z1: Float[Tensor, "n d"], z2: Float[Tensor, "n d"]
    ) -> tuple[Float[Tensor, "n d"], Float[Tensor, "n d"]]:
        """What is to be predicted of each view: its projection by the copies."""
        del z1, z2
        copy = self.momentum_encoder
        found = copy.readout(copy(torch.cat(example)))
        h1, h2 = found.get("code", found["mean"]).chunk(2)
        return self.momentum_projector(gather(h1)), self.momentum_projector(gather(h2))

    def compare(
        self, z1: Float[Tensor, "n d"], z2: Float[Tensor, "n d"]
    ) -> Float[Tensor, ""]:
        """The squared error of normalised predictions and targets, for one way."""
        return normalised_error(z1, z2)

    def follow(self, weights: Mapping[str, Tensor], step: int) -> None:
        """The copies move towards encoder and projector."""
        copies = {"momentum_encoder": "encoder", "momentum_projector": "projector"}
        follow(weights, copies, cosine_momentum(step, self.steps, self.momentum))
