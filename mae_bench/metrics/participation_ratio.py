"""Participation ratio: how many directions the features spread over, by variance."""

from typing import Any

import torch
import torchmetrics
from jaxtyping import Float, Float64, Int64
from torch import Tensor
from torch.nn.functional import normalize

from mae_bench.metrics import metric
from mae_bench.metrics.effective_rank import ROUNDING


def participation(gram: Float64[Tensor, "d d"], noise: float) -> Float64[Tensor, ""]:
    """``(sum l)² / sum l²`` of the eigenvalues l; 1 if their sum is below ``noise``.

    >>> participation(torch.eye(3).double(), noise=0.0)
    tensor(3., dtype=torch.float64)
    """
    trace = gram.trace()
    return torch.where(trace > noise, trace.square() / gram.square().sum(), 1.0)


def both_ratios(
    gram: Float64[Tensor, "d d"],
    unit_gram: Float64[Tensor, "d d"],
    total: Float64[Tensor, " d"],
    count: Int64[Tensor, ""],
) -> dict[str, Tensor]:
    """Ratios from the moments of the features and of their directions."""
    if not gram.isfinite().all():
        raise ValueError("features hold NaN or infinity; the encoder has diverged")
    noise = ROUNDING * float(gram.trace())
    return {
        "uncentred": participation(unit_gram, noise=0.0),
        "centred": participation(gram - torch.outer(total, total) / count, noise),
    }


class ParticipationRatio(torchmetrics.Metric):
    """Accumulates two Gram matrices in float64; sums over batches and processes.

    >>> ratio = ParticipationRatio()
    >>> ratio.update(torch.tensor([[2.0, 0.0], [-2.0, 0.0], [0.0, 2.0], [0.0, -2.0]]))
    >>> ratio.compute()["centred"]
    tensor(2., dtype=torch.float64)
    """

    full_state_update = False
    is_differentiable = False
    gram: Tensor
    unit_gram: Tensor
    total: Tensor
    count: Tensor

    def __init__(self, **kwargs: Any) -> None:
        """Start from zeros, which take the features' width on the first update."""
        super().__init__(**kwargs)
        zero = torch.zeros((), dtype=torch.float64)
        self.add_state("gram", zero, dist_reduce_fx="sum")
        self.add_state("unit_gram", zero, dist_reduce_fx="sum")
        self.add_state("total", zero, dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, features: Float[Tensor, "n d"]) -> None:
        """Add a batch."""
        x = features.detach().double()
        unit = normalize(x, dim=1)
        self.gram = self.gram + x.T @ x
        self.unit_gram = self.unit_gram + unit.T @ unit
        self.total = self.total + x.sum(0)
        self.count += len(x)

    def compute(self) -> dict[str, Tensor]:
        """Variant -> ratio."""
        return both_ratios(self.gram, self.unit_gram, self.total, self.count)


@metric(
    reads="features",
    direction="none",
    lower=1.0,
    version=1,
    source="Zhang et al. 2022, arXiv 2210.08344: 1 / L_unif is the uncentred one",
    stream=ParticipationRatio,
)
def participation_ratio(features: Float[Tensor, "n d"]) -> dict[str, Tensor]:
    """``(sum l)² / sum l²`` of covariance eigenvalues l: Rényi-2 effective rank.

    ``centred`` is of the features' covariance. ``uncentred`` is of unit-norm rows
    around the origin: exactly ``1 / mean_ij cos(h_i, h_j)²``, i = j included, so
    U-MAE's penalty raises it by construction on the token that it regularises.

    Args:
        features: Any scale, n at least 1.

    Returns:
        Variant -> ratio, from 1 (collapsed) to ``min(n, d)``.

    Raises:
        ValueError: NaN or infinite features.
    """
    x = features.double()
    unit = normalize(x, dim=1)
    count = torch.tensor(len(x), device=x.device)
    return both_ratios(x.T @ x, unit.T @ unit, x.sum(0), count)
