"""Participation ratio: how many directions the features spread over, by variance."""

from typing import Any

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor
from torch.nn.functional import normalize

from mae_bench.metrics import metric
from mae_bench.metrics._stream import Sums, TooFew
from mae_bench.metrics.effective_rank import ROUNDING, moments


def participation(gram: Float64[Tensor, "d d"], noise: float) -> Float64[Tensor, ""]:
    """``(sum l)² / sum l²`` of the eigenvalues l; 1 if their sum is below ``noise``.

    >>> participation(torch.eye(3).double(), noise=0.0)
    tensor(3., dtype=torch.float64)
    """
    trace = gram.trace()
    return torch.where(trace > noise, trace.square() / gram.square().sum(), 1.0)


def both_ratios(
    gram: Float64[Tensor, "d d"],
    total: Float64[Tensor, " d"],
    count: Int64[Tensor, ""],
    unit_gram: Float64[Tensor, "d d"],
) -> dict[str, Tensor]:
    """Ratios from the moments of the features and of their directions."""
    if count < 1:
        raise TooFew("participation ratio of 0 images; give it at least one")
    if not gram.isfinite().all():
        raise ValueError("features hold NaN or infinity; the encoder has diverged")
    noise = ROUNDING * float(gram.trace())
    return {
        "uncentred": participation(unit_gram, noise=0.0),
        "centred": participation(gram - torch.outer(total, total) / count, noise),
    }


def sums(features: Float[Tensor, "n d"]) -> tuple[Tensor, ...]:
    """What ``both_ratios`` takes, in its order."""
    unit = normalize(features.double(), dim=1)
    return (*moments(features), unit.T @ unit)


class ParticipationRatio(Sums):
    """Participation ratio of all features of an epoch.

    >>> ratio = ParticipationRatio()
    >>> ratio.update(torch.tensor([[2.0, 0.0], [-2.0, 0.0], [0.0, 2.0], [0.0, -2.0]]))
    >>> ratio.compute()
    tensor(2., dtype=torch.float64)
    """

    states = ("gram", "total", "count", "unit_gram")

    def __init__(self, *, centred: bool = True, **kwargs: Any) -> None:
        """Start from nothing.

        Args:
            centred: Whether it is of the covariance, or of unit-norm features.
            kwargs: Of ``torchmetrics.Metric``.
        """
        super().__init__("centred" if centred else "uncentred", **kwargs)

    def update(self, features: Float[Tensor, "n d"]) -> None:
        """Add a batch."""
        self.add(sums(features))

    def variants(self) -> dict[str, Tensor]:
        """Variant -> ratio."""
        return both_ratios(*self.sums())


@metric(
    reads="features",
    direction="none",
    unit="directions",
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
        ValueError: No image; NaN or infinite features.
    """
    return both_ratios(*sums(features))
